"""Okta, with a custom authorization server.

Read: "Authorization servers", "OpenID Connect & OAuth 2.0 API" (the reserved claims of access tokens and the claims of
ID tokens), and the support article on validation failures of the org authorization server.
"""

from typing import Any

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.preset import Audience, check_pattern, fits, make


def okta(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust a custom authorization server of Okta, such as the one that is called ``default``."""
    if fits(r"https?://[^/]+/?", url):
        raise ConfigurationError(
            "issuer",
            "is Okta's org authorization server, whose access tokens are for Okta's own APIs and can't be validated by "
            "yours: use a custom one, as in https://<org>.okta.com/oauth2/default",
        )
    check_pattern(
        r"https?://[^/]+/oauth2/[A-Za-z0-9]+",
        url,
        "must be a custom authorization server, as in https://<org>.okta.com/oauth2/default, with no slash at its end",
    )
    return make(
        url,
        audience,
        options,
        accept_typ=("missing",),  # the header has alg and kid alone
        markers=({"cid": "*"},),  # a reserved claim of access tokens, which can't be overridden; ID tokens have none
        client_id_claim="cid",
        scope_claim="scp",
        scope_shape="array",
    )
