"""What the two Python clients do when they are told to keep the token to themselves."""

import pytest

from tests.callers.authlib_client import AuthlibClient
from tests.callers.development import Development
from tests.callers.requests_session import RequestsSession


@pytest.mark.parametrize("client", [AuthlibClient(), RequestsSession()], ids=["authlib", "requests_oauthlib"])
def test_without_a_token_the_challenge_names_the_scope_and_no_error(
    client: AuthlibClient | RequestsSession, development: Development
) -> None:
    """D01: RS-6750-3.1-a; ruling 21."""
    reading = client.call_without_token(f"{development.api}/orders")

    metadata = development.resource_metadata
    assert reading.status == 401
    assert reading.www_authenticate == f'Bearer realm="api", scope="orders:read", resource_metadata="{metadata}"'
    detail = "This resource needs an access token: Authorization: Bearer <token>."
    assert reading.body == {"title": "Unauthorized", "status": 401, "detail": detail}
