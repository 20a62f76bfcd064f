"""Each client reads every refusal there is, and every one of the bundled API's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from resource_server.challenge import parse
from tests.callers.caller import Caller, Request, as_read
from tests.callers.development import Development
from tests.callers.refusing import CASES, Case, Refusing


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_client_reads_every_refusal(caller: Caller, refusing: Refusing, case: Case) -> None:
    """Part D, all rows: status, every challenge, every header and the body, as the client gives them to its user."""
    reading = caller.call(Request(f"{refusing.url}{case.path}", "a.b.c"))

    assert reading.status == case.answer.status
    assert reading.www_authenticate == (", ".join(case.lines) or None)
    assert reading.challenges == [as_read(challenge) for challenge in parse(*case.lines)]
    assert reading.body == case.answer.body
    sent = {name: value for name, value in case.answer.headers if name != "www-authenticate"}
    assert {name: reading.headers.get(name) for name in sent} == sent
    assert ("retry-after" in reading.headers) == ("retry-after" in sent)


def forged(token: str) -> str:
    """The same claims under another signature."""
    start, dot, signature = token.rpartition(".")
    return start + dot + ("A" if signature[0] != "A" else "B") + signature[1:]


def same(token: str) -> str:
    return token


@dataclass(frozen=True)
class Provocation:
    """A call that the bundled API refuses, and what the client is to read."""

    status: int
    challenge: str | None
    """Without `resource_metadata`, which is in all of them."""
    body: dict[str, Any]
    path: str = "/orders"
    token: Callable[[str], str] = same
    method: str = "GET"
    content: str | None = None


INVALID = {"error": "invalid_token", "error_description": "The access token is invalid", "status": 401}
INVALID_CHALLENGE = 'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"'

PROVOCATIONS = [
    pytest.param(
        Provocation(
            400,
            'Bearer realm="api", error="invalid_request", '
            'error_description="The access token was sent in more than one way"',
            {
                "error": "invalid_request",
                "error_description": "The access token was sent in more than one way",
                "status": 400,
            },
            path="/orders?access_token=x",
        ),
        id="D04-token-in-the-query-too",
    ),
    pytest.param(
        Provocation(
            431,
            None,
            {
                "error": "invalid_request",
                "error_description": "The Authorization header field is too large",
                "status": 431,
            },
            token=lambda token: token * 50,
        ),
        id="D05-oversized",
    ),
    pytest.param(Provocation(401, INVALID_CHALLENGE, INVALID, token=lambda _: "no-token"), id="D06-malformed-token"),
    pytest.param(Provocation(401, INVALID_CHALLENGE, INVALID, token=forged), id="D07-forged-token"),
    pytest.param(
        Provocation(
            403,
            'Bearer realm="api", error="insufficient_scope", '
            'error_description="The access token lacks the required scope", scope="users:read"',
            {
                "error": "insufficient_scope",
                "error_description": "The access token lacks the required scope",
                "scope": "users:read",
                "status": 403,
            },
            path="/api/v1/users",
        ),
        id="D21-scope",
    ),
    pytest.param(
        Provocation(
            403,
            None,
            {
                "error": "access_denied",
                "error_description": "You are not allowed to do this",
                "status": 403,
                "required_roles": ["admin"],
            },
            path="/admin/dashboard",
        ),
        id="D22-role",
    ),
    pytest.param(Provocation(404, None, {"title": "Not Found", "status": 404}, path="/nowhere"), id="D27-not-found"),
    pytest.param(
        Provocation(405, None, {"title": "Method Not Allowed", "status": 405}, method="DELETE"), id="D32-method"
    ),
    pytest.param(
        Provocation(422, None, {"title": "Unprocessable Content", "status": 422}, method="POST", content="{}"),
        id="D33-content",
    ),
]


@pytest.mark.parametrize("provocation", PROVOCATIONS)
def test_a_client_reads_the_refusals_of_the_bundled_api(
    caller: Caller, token: str, development: Development, provocation: Provocation
) -> None:
    """Part D over real sockets, with the client's own token."""
    url, sent = f"{development.api}{provocation.path}", provocation.token(token)
    reading = caller.call(Request(url, sent, provocation.method, provocation.content))

    line = provocation.challenge and f'{provocation.challenge}, resource_metadata="{development.resource_metadata}"'
    assert (reading.status, reading.www_authenticate) == (provocation.status, line)
    assert reading.challenges == [as_read(challenge) for challenge in parse(line or "")]
    assert reading.body == provocation.body
    assert reading.headers["cache-control"] == "no-store"
    assert reading.headers.get("allow") == ("GET, HEAD, POST" if provocation.status == 405 else None)
