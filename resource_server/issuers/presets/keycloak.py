"""Keycloak.

Read: the server administration guide, and of the server's source ``TokenUtil.java``, ``AccessToken.java``,
``TokenManager.java``, ``OIDCAttributeMapperHelper.java``.
"""

from typing import Any

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.preset import Audience, check_pattern, make, texts


def keycloak(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust one realm of Keycloak."""
    check_pattern(
        r"https?://[^/]+(/[^/]+)*/realms/[^/]+",
        url,
        "must name a realm and end with its name, as in https://id.example.com/realms/<name>",
    )
    if "account" in texts(audience):
        raise ConfigurationError(
            "audience",
            "must not be account, which is in the tokens of every client: add an audience mapper of your own",
        )
    return make(
        url,
        audience,
        options,
        # at+jwt by a client's switch from 26.2 on, else JWT: attribute access.token.header.type.rfc9068.
        accept_typ=("at+jwt", "JWT"),
        # The *claim* typ: Bearer or DPoP in access tokens, else ID, Refresh, Offline, Logout (TokenUtil.java); no
        # mapper can set it (OIDCAttributeMapperHelper.java).
        markers=({"typ": ("Bearer", "DPoP")},),
        client_id_claim="azp",  # client_id is there for service accounts alone
        roles_claim=("realm_access", "roles"),  # a client's own are in resource_access.<client>.roles
    )
