"""Amazon Cognito user pools.

Read: "Understanding the access token", "Understanding the identity (ID) token", "Verifying JSON web tokens".
"""

from typing import Any

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.presets.preset import Audience, check_pattern, fits, make, texts

_CLIENT_ID = r"[A-Za-z0-9_+]{1,128}"


def cognito(url: str, *, audience: Audience, **options: Any) -> Issuer:
    """Trust a user pool of Cognito.

    Its access tokens name no audience but the app client, so the audience is the ids of the clients that may call; or
    this API's https URL, where all clients ask for it as their ``resource`` (resource binding), which puts it into aud.
    """
    check_pattern(
        r"https://(?:issuer-)?cognito-idp\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?/\1_[A-Za-z0-9]+",
        url,
        "must be https://cognito-idp.<region>.amazonaws.com/<pool id>, or issuer-cognito-idp in its place where that "
        "is in the tokens; the pool's id begins with the region",
    )
    clients = [fits(_CLIENT_ID, one) for one in texts(audience)]
    if any(clients) and not all(clients):
        raise ConfigurationError("audience", "must be app clients' ids or this API's URLs, not some of each")
    return make(
        url,
        audience,
        options,
        accept_typ=("missing",),  # the header has kid and alg alone
        # "id" in ID tokens; one of the claims to verify in "Verifying JSON web tokens".
        markers=({"token_use": "access"},),
        audience_claim="client_id" if any(clients) else "aud",
        groups_claim="cognito:groups",
    )
