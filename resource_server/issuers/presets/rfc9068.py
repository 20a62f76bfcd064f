"""Any authorization server whose access tokens are those of RFC 9068."""

from typing import Any

from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.preset import Audience, make


def rfc9068(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust an issuer whose access tokens are those of RFC 9068: the strict default, by its name.

    Raises :class:`ConfigurationError`, as each preset does.
    """
    return make(url, audience, options)
