"""Identity providers, each as a function that returns an :class:`Issuer`: what it does otherwise than RFC 9068."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.keycloak import keycloak
from resource_server.issuers.presets.preset import Preset


def rfc9068(url: str, *, audience: Any, **options: Any) -> Issuer:
    """Trust an issuer whose access tokens are those of RFC 9068: the default, by its name."""
    return Issuer(url=url, audience=audience, **options)


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({"keycloak": keycloak, "rfc9068": rfc9068})
"""All presets by name."""
