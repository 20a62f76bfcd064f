"""Each client gets its own tokens at the development server, uses them, and learns why it gets none."""

import json
from typing import Any

import pytest

from tests.callers.caller import Caller, LoginCaller, RefusedGrantError, Request
from tests.callers.development import Development
from tests.callers.javascript import JavaScript


def test_a_client_with_a_token_of_its_own_is_served(caller: Caller, token: str, development: Development) -> None:
    """RS-6750-2.1-a; RFC 6749 §4.4."""
    reading = caller.call(Request(f"{development.api}/orders", token))

    assert (reading.status, reading.www_authenticate, reading.challenges) == (200, None, [])
    assert reading.body[0] == {"id": 1, "item": "lamp", "quantity": 1}
    assert reading.headers["cache-control"] == "private"


def test_a_client_may_write_too(caller: Caller, token: str, development: Development) -> None:
    """The decision falls before the body, which arrives all the same: DESIGN §2."""
    order = {"item": "chair", "quantity": 4}
    reading = caller.call(Request(f"{development.api}/orders", token, "POST", json.dumps(order)))

    assert (reading.status, {**reading.body, "id": 0}) == (201, {"id": 0, **order})


def test_the_api_knows_the_client_by_its_token(caller: Caller, token: str, development: Development) -> None:
    """RFC 9068 §2.2: without a user the client is the subject."""
    body = caller.call(Request(f"{development.api}/api/v1/me", token)).body

    assert (body["sub"], body["client_id"], body["iss"]) == ("example-service", "example-service", development.issuer)
    assert (body["scope"], body["roles"]) == ("orders:read orders:write", [])


def test_a_user_who_logs_in_is_served(login_caller: LoginCaller, development: Development) -> None:
    """RFC 6749 §4.1, RFC 7636, RFC 9207."""
    token = login_caller.log_in(development, "eve", "orders:read users:read")
    body = login_caller.call(Request(f"{development.api}/api/v1/me", token)).body

    assert (body["sub"], body["client_id"], body["iss"]) == ("eve", "swagger-ui", development.issuer)
    assert (body["scope"], body["roles"]) == ("orders:read users:read", ["editor"])


def test_a_role_opens_what_no_scope_does(login_caller: LoginCaller, development: Development) -> None:
    """RS-9068-2.2.3.1: roles are the user's, not the client's to ask for."""
    token = login_caller.log_in(development, "root", "orders:read")

    assert login_caller.call(Request(f"{development.api}/admin/dashboard", token)).body == {"orders_today": 3}


def test_a_wrong_secret_is_told_by_the_client(caller: Caller, development: Development) -> None:
    """RFC 6749 §5.2: the code and the text are what the library's user gets to see."""
    with pytest.raises(RefusedGrantError) as refused:
        caller.client_credentials(development, "orders:read", secret="wrong")

    told = (refused.value.error, refused.value.description)
    assert told == ("invalid_client", "The client could not be authenticated.")


def test_a_user_who_cancels_is_told_by_the_client(login_caller: LoginCaller, development: Development) -> None:
    """RFC 6749 §4.1.2.1."""
    with pytest.raises(RefusedGrantError) as refused:
        login_caller.log_in(development, "alice", "orders:read", decision="deny")

    told = (refused.value.error, refused.value.description)
    assert told == ("access_denied", "The resource owner or authorization server denied the request")


@pytest.mark.parametrize("client", ["openid_client", "oauth4webapi"])
def test_discovery_gives_what_the_server_publishes(
    client: str, development: Development, request: pytest.FixtureRequest
) -> None:
    """RFC 8414 §3.3: the issuer is compared."""
    javascript: JavaScript = request.getfixturevalue(client)
    metadata: dict[str, Any] = javascript.do("discover", issuer=development.issuer)

    assert metadata["issuer"] == development.issuer
    assert metadata["token_endpoint"] == f"{development.issuer}/token"
    assert metadata["code_challenge_methods_supported"] == ["S256"]


def test_a_stranger_finds_the_way_in_from_a_refusal(oauth4webapi: JavaScript, development: Development) -> None:
    """RFC 9728 §5: challenge, metadata of the resource, metadata of its authorization server, token, 200."""
    url = f"{development.api}/orders"
    [challenge] = oauth4webapi.call(Request(url, "no-token")).challenges
    found = oauth4webapi.do("discover_resource", resource=development.api)
    assert found["url"] == challenge["parameters"]["resource_metadata"]
    assert found["metadata"]["resource"] == development.api
    [issuer] = found["metadata"]["authorization_servers"]
    client = {"client_id": development.client_id, "client_secret": development.client_secret}
    answer = oauth4webapi.do("client_credentials", issuer=issuer, scope="orders:read", **client)

    assert oauth4webapi.call(Request(url, answer["access_token"])).status == 200


def test_another_resource_server_accepts_the_token_too(oauth4webapi: JavaScript, development: Development) -> None:
    """RFC 9068 §4, as oauth4webapi reads it: a second opinion on what the development server mints."""
    token = oauth4webapi.client_credentials(development, "orders:read")
    claims = oauth4webapi.do("judge", issuer=development.issuer, audience=development.api, token=token)

    assert (claims["client_id"], claims["scope"]) == ("example-service", "orders:read")
