"""Identity providers, each as a function that returns an :class:`Issuer`: what it does otherwise than RFC 9068.

Each datum has beside it where the provider documents it. ``docs/identity-providers.md`` says what to set up there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from resource_server.issuers.presets.auth0 import auth0, auth0_default_profile
from resource_server.issuers.presets.authentik import authentik
from resource_server.issuers.presets.cognito import cognito
from resource_server.issuers.presets.entra import entra
from resource_server.issuers.presets.google import google
from resource_server.issuers.presets.keycloak import keycloak
from resource_server.issuers.presets.okta import okta
from resource_server.issuers.presets.ory_hydra import ory_hydra
from resource_server.issuers.presets.preset import Preset
from resource_server.issuers.presets.rfc9068 import rfc9068
from resource_server.issuers.presets.zitadel import zitadel

__all__ = [
    "PRESETS",
    "Preset",
    "auth0",
    "auth0_default_profile",
    "authentik",
    "cognito",
    "entra",
    "google",
    "keycloak",
    "okta",
    "ory_hydra",
    "rfc9068",
    "zitadel",
]

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        "rfc9068": rfc9068,
        "auth0": auth0,
        "auth0_default_profile": auth0_default_profile,
        "authentik": authentik,
        "cognito": cognito,
        "entra": entra,
        "google": google,
        "keycloak": keycloak,
        "okta": okta,
        "ory_hydra": ory_hydra,
        "zitadel": zitadel,
    }
)
"""All presets by name."""
