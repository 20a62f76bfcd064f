"""Zitadel, where access tokens are JWTs (the application's "Auth Token Type").

Read: "Claims" (the matrix of claims and tokens), and of the source ``internal/api/oidc/token.go``, ``userinfo.go`` and
``pkg/oidc/token.go`` of its OpenID library.
"""

from typing import Any

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.preset import Audience, check_audiences, check_pattern, make, texts


def zitadel(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust an instance of Zitadel, for one project: its id is the audience, and its roles are those that count."""
    check_pattern(
        r"https?://[^/]+", url, "must be the instance's domain without a slash at its end, as in https://id.example.com"
    )
    check_audiences(audience, r"[0-9]+", "must be the project's id, a number: tokens name no API otherwise")
    projects = texts(audience)
    if len(projects) != 1 and "roles_claim" not in options:
        raise ConfigurationError("audience", "must be one project's id, because each has its own claim for its roles")
    return make(
        url,
        audience,
        options,
        accept_typ=("JWT",),  # of all its JWTs (token.go)
        # ID tokens have no jti ("Claims": ID Token No, Access Token When JWT); logout tokens have, but no client_id
        # (pkg/oidc/token.go).
        markers=({"jti": "*", "client_id": "*"},),
        foreign_markers={"nonce": "*", "at_hash": "*", "sid": "*"},  # of ID and logout tokens alone ("Claims")
        # Not urn:zitadel:iam:org:project:roles, which is of the *client's* project, whatever that is (userinfo.go).
        roles_claim=f"urn:zitadel:iam:org:project:{projects[0]}:roles",
        roles_shape="members",
    )
