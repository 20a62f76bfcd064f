"""What only curl can send, and what only curl does with an answer."""

import pytest

from resource_server.refusals import Kind
from tests.callers.curl import Curl
from tests.callers.development import Development
from tests.callers.refusing import COLUMNS, Refusing

BARE = 'Bearer realm="api", scope="orders:read"'
DETAIL = "This resource needs an access token: Authorization: Bearer <token>."
NO_TOKEN = {"title": "Unauthorized", "status": 401, "detail": DETAIL}


def malformed(description: str) -> tuple[int, str, dict[str, object]]:
    challenge = f'Bearer realm="api", error="invalid_request", error_description="{description}"'
    return 400, challenge, {"error": "invalid_request", "error_description": description, "status": 400}


MALFORMED = malformed("The Authorization header is malformed")
REPEATED = malformed("The access token was sent in more than one way")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param([], (401, BARE, NO_TOKEN), id="D01-nothing"),
        pytest.param(["-u", "alice:secret"], (401, BARE, NO_TOKEN), id="D02-basic"),
        pytest.param(["-H", "Authorization: Token abc"], (401, BARE, NO_TOKEN), id="D02-unknown-scheme"),
        pytest.param(["-G", "-d", "access_token=a.b.c"], (401, BARE, NO_TOKEN), id="D30-query"),
        pytest.param(["-H", "Authorization: Bearer"], MALFORMED, id="D03-no-token"),
        pytest.param(["--oauth2-bearer", "a b"], MALFORMED, id="D03-two-tokens"),
        pytest.param(["--oauth2-bearer", "a,b"], MALFORMED, id="D03-foreign-character"),
        pytest.param(["-H", "Authorization: Bearer a", "-H", "authorization: Bearer b"], REPEATED, id="D04-two-fields"),
    ],
)
def test_curl_reads_what_is_wrong_with_its_credentials(
    curl: Curl, development: Development, arguments: list[str], expected: tuple[int, str, dict[str, object]]
) -> None:
    """Part D; RS-6750-2.1-b, RS-6750-3.1-a, RS-9110-11.6.2-a."""
    reading = curl.read(*arguments, f"{development.api}/orders")

    status, challenge, body = expected
    line = f'{challenge}, resource_metadata="{development.resource_metadata}"'
    assert (reading.status, reading.www_authenticate, reading.body) == (status, line, body)


def test_curl_sees_the_same_head_without_a_body(curl: Curl, development: Development) -> None:
    """RS-9110-9.3.2-a."""
    got = curl.run("--oauth2-bearer", "no-token", f"{development.api}/orders")
    head = curl.run("--head", "--output", "/dev/null", "--oauth2-bearer", "no-token", f"{development.api}/orders")

    assert head == (401, {**got[1], "date": head[1]["date"]}, None)


@pytest.mark.parametrize("column", COLUMNS)
def test_curl_finds_bearer_among_the_challenges(curl: Curl, refusing: Refusing, column: str) -> None:
    """RS-9110-11.3-b: with --anyauth it asks first, and sends the token only where it read that Bearer will do."""
    refusing.requests.clear()
    curl.read("--anyauth", "--oauth2-bearer", "a.b.c", f"{refusing.url}/{column}/{Kind.NO_CREDENTIALS}")

    assert [request["authorization"] for request in refusing.requests] == [None, "Bearer a.b.c"]


def test_curl_that_asks_first_is_served(curl: Curl, development: Development) -> None:
    """The same with a good token; the answer shown is the last."""
    token = curl.client_credentials(development, "orders:read")
    reading = curl.read("--anyauth", "--oauth2-bearer", token, f"{development.api}/orders")

    assert (reading.status, reading.www_authenticate, reading.body[0]["item"]) == (200, None, "lamp")
