"""authentik.

Read, of its source: ``providers/oauth2/id_token.py`` and the blueprint of the default scope mappings; "OAuth 2.0
provider" and "Token exchange" of its documentation.
"""

from typing import Any

from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.preset import Audience, check_pattern, make


def authentik(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust a provider of authentik, in the issuer mode "Each provider has a different issuer".

    The audience is the client id of that provider: access and ID tokens name no other.
    """
    check_pattern(
        r"https?://[^/]+(/[^/]+)*/application/o/[^/]+/",
        url,
        "must be the provider's, with a slash at its end, as in https://id.example.com/application/o/<slug>/",
    )
    return make(
        url,
        audience,
        options,
        accept_typ=("JWT",),  # of access and ID tokens
        markers=({"uid": "*", "azp": "*"},),  # what to_access_token adds to the claims of the ID token (id_token.py)
        client_id_claim="azp",
        required_claims=(),  # there is no jti; uid is demanded as a marker
    )
