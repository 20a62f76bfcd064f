"""Ory Hydra and Ory Network, where access tokens are JWTs (``strategies.access_token: jwt``).

Read, of Hydra's source: ``oauth2/session.go``, and of ``fosite/token/jwt``: ``token.go``, ``claims_jwt.go``,
``claims_id_token.go``.
"""

from typing import Any

from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.preset import Audience, make


def ory_hydra(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust a Hydra. Its URL is ``urls.self.issuer`` of its configuration, to the letter."""
    return make(
        url,
        audience,
        options,
        accept_typ=("JWT",),  # of all its JWTs (token.go)
        # Set in each access token, and reserved, so that no consent can set it there; ID tokens have none (session.go).
        markers=({"client_id": "*"},),
        foreign_markers={"nonce": "*", "at_hash": "*", "c_hash": "*"},  # claims_id_token.go
        scope_claim="scp",  # an array unless strategies.jwt.scope_claim says otherwise (claims_jwt.go)
        scope_shape="array",
    )
