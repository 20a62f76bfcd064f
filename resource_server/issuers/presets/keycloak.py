"""Keycloak."""

from typing import Any

from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.preset import demand, make


def keycloak(url: str, *, audience: Any, **options: Any) -> Issuer:
    """Trust a realm of Keycloak."""
    demand(url, r"https?://.+/realms/[^/]+", "must end with the realm: https://id.example.com/realms/<name>")
    return make(
        url,
        options,
        audience=audience,
        accept_typ=("at+jwt", "JWT"),
        markers=({"typ": ("Bearer", "DPoP")},),
        client_id_claim="azp",
        roles_claim=("realm_access", "roles"),
    )
