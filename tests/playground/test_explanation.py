"""What the playground says of a token, and what it does not do for it: nothing is fetched, told, kept or changed."""

import json
import logging
from typing import Any

import pytest

from resource_server import Decision, Kind, ResourceServer
from resource_server.demo.api import create_api
from resource_server.development.minting import OMIT
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.playground.conftest import Post

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\x1b[31mred\x07",
    "a\u202etxt.exe",
    "\u200b\ufeff\u2028",
    "[red]{nonce}{choices}",
)
TOKENS: list[Any] = [
    pytest.param({}, None, id="good"),
    pytest.param({"scope": OMIT}, Kind.INSUFFICIENT_SCOPE, id="scope"),
    pytest.param({"exp": 1}, Kind.EXPIRED, id="expired"),
    pytest.param({"header": {"kid": "unknown"}}, Kind.UNKNOWN_KEY, id="a-kid-for-which-a-request-would-fetch"),
    pytest.param({"header": {"jku": "https://evil.example/jwks"}}, None, id="jku"),
    pytest.param({"iss": "https://evil.example"}, Kind.WRONG_ISSUER, id="iss-that-is-an-address"),
    pytest.param({"iss": "https://id.example.com/"}, Kind.WRONG_ISSUER, id="iss-with-a-slash"),
    pytest.param({"aud": "https://other.example.com"}, Kind.WRONG_AUDIENCE, id="audience"),
    pytest.param({"header": {"alg": "none"}}, Kind.WRONG_ALGORITHM, id="alg-none"),
    pytest.param({"cnf": {"jkt": "x"}}, Kind.UNCONFIRMED_TOKEN, id="bound"),
]


@pytest.mark.parametrize(("claims", "kind"), TOKENS)
async def test_the_answer_is_the_one_that_a_request_would_get(
    issuer: FakeIssuer, server: ResourceServer, explained: Post, claims: dict[str, Any], kind: Kind | None
) -> None:
    """One engine, and one path: what is shown can't drift from what is done."""
    token = issuer.token(**{"scope": "orders:read"} | claims)
    shown = (await explained(token))["response"]
    real = await call(create_api(server), "GET", "/orders", token=token)
    assert (shown["status"], shown["body"]) == (real.status_code, real.text)
    assert sorted(map(tuple, shown["headers"])) == sorted(real.headers.multi_items())


@pytest.mark.parametrize(("claims", "kind"), TOKENS)
async def test_the_checks_say_why(
    issuer: FakeIssuer, explained: Post, claims: dict[str, Any], kind: Kind | None
) -> None:
    """DESIGN §6: the token's value, the configured value, the cure."""
    told = await explained(issuer.token(**{"scope": "orders:read"} | claims))
    assert told["kind"] == kind
    failed = [one for one in told["checks"] if not one["passed"]]
    assert bool(failed) is (kind is not None)
    assert all(one["cure"] for one in failed)


@pytest.mark.parametrize(("claims", "_kind"), TOKENS)
async def test_a_token_causes_no_fetch_and_is_told_to_nobody(
    issuer: FakeIssuer,
    server: ResourceServer,
    explained: Post,
    told: list[Decision],
    claims: dict[str, Any],
    _kind: Kind | None,
) -> None:
    """T36: cached keys only; no line of the audit, no refusal on the admin's page, nothing remembered."""
    await explained(issuer.token(**{"scope": "orders:read"} | claims))
    assert (issuer.requests, told, len(server.protector._verified)) == ([], [], 0)


async def test_an_opaque_token_is_explained_without_asking(issuer: FakeIssuer, explained: Post) -> None:
    """T36."""
    shown = await explained("opaque")
    assert (shown["kind"], shown["response"]["status"], issuer.requests) == ("malformed_token", 401, [])
    assert (shown["header"], shown["claims"]) == ("", "")


async def test_no_token_at_all_is_explained_too(explained: Post) -> None:
    """The bare challenge."""
    shown = await explained("")
    assert (shown["kind"], shown["checks"], shown["response"]["status"]) == ("no_credentials", [], 401)


async def test_whatever_is_pasted_is_answered(explained: Post) -> None:
    """Nothing from outside may cause a 500."""
    for token in ("a b", "é", "\n", "a.b.c", "...", "x" * 20_000, "Bearer x", '"', "\x00"):
        assert (await explained(token))["response"]["status"] in (400, 401, 431)


@pytest.mark.parametrize("place", ["kid", "typ", "alg", "iss", "sub", "aud", "scope", "unknown"])
async def test_nothing_of_a_token_is_shown_that_a_reader_would_not_see(
    issuer: FakeIssuer, explained: Post, place: str
) -> None:
    """T36: ESC, U+202E and their like are escaped here; markup is text, which the page sets as text."""
    in_header = place in ("kid", "typ", "alg")
    for text in HOSTILE:
        token = issuer.token(**({"header": {place: text}} if in_header else {place: text}))
        told = await explained(token, "GET /api/v1/me")
        assert all(one.isprintable() or one == "\n" for one in "".join(_texts(told)))
        assert json.loads(told["header" if in_header else "claims"])[place] == text


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for member in value.values() for text in _texts(member)]
    if isinstance(value, list):
        return [text for member in value for text in _texts(member)]
    return [value] if isinstance(value, str) else []


async def test_a_trial_changes_nothing(issuer: FakeIssuer, server: ResourceServer, explained: Post) -> None:
    """The API that is served knows nothing of it."""
    app = create_api(server)
    token = issuer.token(scope="orders:read orders:write")
    shown = await explained(token, "POST /orders", content='{"item": "chair"}')
    assert (shown["response"]["status"], json.loads(shown["response"]["body"])["item"]) == (201, "chair")
    assert len((await call(app, "GET", "/orders", token=token)).json()) == 1


@pytest.mark.parametrize(("user", "status"), [("alice", 200), ("bob", 403), ("a/b", 404), ("../x", 404), ("é", 403)])
async def test_a_route_s_parameters_are_filled_in(issuer: FakeIssuer, explained: Post, user: str, status: int) -> None:
    """DESIGN §6: an owner is judged by the path; a slash in a name is no part of the path."""
    token = issuer.token(scope="profile:write")
    route = "PUT /api/v1/users/{user_id}/profile"
    shown = await explained(token, route, parameters={"user_id": user}, content='{"display_name": "A"}')
    assert shown["response"]["status"] == status
    assert shown["path"].isascii()


async def test_of_a_stream_the_first_piece_is_shown(issuer: FakeIssuer, explained: Post) -> None:
    """What never ends is not waited for."""
    shown = (await explained(issuer.token(scope="orders:read"), "GET /orders/events"))["response"]
    assert (shown["status"], shown["cut"], shown["body"]) == (200, True, 'data: {"orders": 1}\n\n')


async def test_no_token_is_logged(issuer: FakeIssuer, explained: Post, caplog: pytest.LogCaptureFixture) -> None:
    """T37: whatever the outcome."""
    caplog.set_level(logging.DEBUG)
    tokens = [issuer.token(), issuer.token(exp=1), issuer.token(header={"kid": "x"}), "opaque-canary"]
    for token in tokens:
        await explained(token)
    assert not [one for token in tokens for one in caplog.messages if token[-20:] in one]
