"""Auth0, whose APIs choose between two profiles of access tokens.

Read: "Access Token Profiles", "Configure Access Token Profile", "ID Token Structure", "Create Custom Claims".
"""

from typing import Any

from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.preset import Audience, check_audiences, check_pattern, make

_CLIENT_ID = r"[A-Za-z0-9]{32}"


def auth0(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust a tenant of Auth0, for an API with the RFC 9068 profile (token dialect ``rfc9068_profile``)."""
    _check(url, audience)
    # With RBAC, permissions holds what the user may do at this API; roles are in no token unless an Action adds them.
    return make(url, audience, options, entitlements_claim="permissions")


def auth0_default_profile(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust a tenant of Auth0, for an API that was left with the Auth0 profile (token dialect ``access_token``).

    No claim is in its access tokens alone: scope and roles can be added to ID tokens, and azp is a claim of theirs. So
    the audience has to tell: an ID token's is always a client's id, which is refused as this API's.
    """
    _check(url, audience)
    return make(
        url,
        audience,
        options,
        accept_typ=("JWT",),
        audience_is_no_client_id=True,
        foreign_markers={"nonce": "*", "at_hash": "*", "c_hash": "*"},  # OpenID Connect Core, sections 2 and 3.3.2.11
        client_id_claim="azp",
        required_claims=(),  # there is no jti
        entitlements_claim="permissions",
    )


def _check(url: str, audience: Audience) -> None:
    check_pattern(
        r"https?://[^/]+/",
        url,
        "must be the tenant's or the custom domain with a slash at its end, as in https://<tenant>.eu.auth0.com/",
    )
    check_audiences(
        audience,
        rf"(?!{_CLIENT_ID}\Z)(?!.*/userinfo\Z)(?!.*/api/v2/\Z).+",
        "must be the API's identifier, as in https://api.example.com: a client's id is that of ID tokens, "
        "and /userinfo and /api/v2/ are Auth0's own",
    )
