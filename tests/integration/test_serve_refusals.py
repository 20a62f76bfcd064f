"""Each row of the decision table that ``serve`` can reach, byte for byte over real sockets (conformance, part D)."""

import json
from typing import Any

import pytest

from resource_server.development.minting import OMIT, SigningKey
from tests.integration.exchange import METADATA, Answer, bearer, send
from tests.integration.key_server import KeyServer
from tests.integration.serving import Served

HOUR = 3600
FORGER = SigningKey.generate("ES256")
BARE = f'Bearer realm="api", scope="orders:read", resource_metadata="{METADATA}"'


def told(error: str, description: str, scope: str = "") -> str:
    """A challenge that says what was wrong."""
    scope = f' scope="{scope}",' if scope else ""
    parameters = f'error="{error}", error_description="{description}",{scope} resource_metadata="{METADATA}"'
    return f'Bearer realm="api", {parameters}'


INVALID = told("invalid_token", "The access token is invalid")
MISSING = {
    "title": "Unauthorized",
    "status": 401,
    "detail": "This resource needs an access token: Authorization: Bearer <token>.",
}


def body(error: str, description: str, status: int, **more: Any) -> dict[str, Any]:
    return {"error": error, "error_description": description, **more, "status": status}


def check(answer: Answer, status: int, challenges: list[str], body: dict[str, Any]) -> None:
    """The whole answer: every row says no-store, and its body stands to the byte."""
    assert answer.status == status
    assert answer.challenges == challenges
    assert answer.content == json.dumps(body, separators=(",", ":")).encode()
    assert answer.all("cache-control") == ["no-store"]
    assert answer.all("content-type") == ["application/json"]
    assert answer.all("vary") == ["Origin"] * len(answer.all("vary"))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([], id="D01 nothing"),
        pytest.param(["Authorization: Basic YWxpY2U6c2VjcmV0"], id="D02 Basic"),
        pytest.param(["Authorization: Token abc"], id="D02 Token"),
        pytest.param(["Authorization: DPoP abc", "DPoP: abc"], id="D02 DPoP, which is off"),
        pytest.param(["Authorization: Bearerx abc"], id="D02 a scheme that begins alike"),
        pytest.param(["Cookie: access_token=abc"], id="D01 a cookie is no credential here"),
        pytest.param(["X-Authorization: Bearer abc"], id="D01 another header"),
    ],
)
def test_who_shows_no_token_is_told_how_and_no_error(served: Served, fields: list[str]) -> None:
    """D01, D02; RS-6750-3.1-a: neither header nor body has an error."""
    check(send(served.port, "GET", "/orders", *fields), 401, [BARE], MISSING)


@pytest.mark.parametrize("name", ["access_token", "access%5Ftoken", "%61ccess_token"])
def test_a_token_in_the_query_alone_is_ignored(served: Served, keys: KeyServer, name: str) -> None:
    """D30; RS-6750-2.3-a."""
    token = keys.mint.access_token(scope="orders:read")
    check(send(served.port, "GET", f"/orders?{name}={token}"), 401, [BARE], MISSING)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("Bearer", id="no token"),
        pytest.param("Bearer ", id="no token, but a space"),
        pytest.param("Bearer a b", id="two words"),
        pytest.param("Bearer a,b", id="a comma"),
        pytest.param('Bearer "a"', id="quotes"),
        pytest.param("Bearer a=b", id="padding within"),
        pytest.param("Bearer tök", id="not ASCII"),
        pytest.param("Bearer\tabc", id="a tab"),
        pytest.param("Bearer token=abc", id="a parameter"),
        pytest.param("", id="an empty field"),
    ],
)
def test_a_malformed_authorization_is_a_bad_request(served: Served, value: str) -> None:
    """D03; RS-6750-2.1-b."""
    text = "The Authorization header is malformed"
    answer = send(served.port, "GET", "/orders", f"Authorization: {value}")
    check(answer, 400, [told("invalid_request", text)], body("invalid_request", text, 400))


@pytest.mark.parametrize("case", ["good and bad", "bad and good", "good twice", "with the query"])
def test_a_token_that_comes_in_two_ways_is_a_bad_request(served: Served, keys: KeyServer, case: str) -> None:
    """D04; RS-9110-11.6.2-a: never 200, in neither order."""
    good = bearer(keys.mint.access_token(scope="orders:read"))
    bad = bearer("bad")
    fields = {"good and bad": [good, bad], "bad and good": [bad, good], "good twice": [good, good]}.get(case, [good])
    target = "/orders?access_token=x" if case == "with the query" else "/orders"
    text = "The access token was sent in more than one way"
    answer = send(served.port, "GET", target, *fields)
    check(answer, 400, [told("invalid_request", text)], body("invalid_request", text, 400))


@pytest.mark.parametrize("name", ["Authorization: Bearer ", "DPoP: "])
def test_a_field_above_16_kib_is_too_large(served: Served, name: str) -> None:
    """D05, T28: no challenge, or clients would come back with the same again."""
    value = name.partition(": ")[2]
    room = 16 * 1024 - len(value)
    text = "The Authorization header field is too large"
    answer = send(served.port, "GET", "/orders", name + "a" * (room + 1))
    check(answer, 431, [], body("invalid_request", text, 431))
    assert send(served.port, "GET", "/orders", name + "a" * room).status == 401


BROKEN: list[Any] = [
    pytest.param(lambda keys: "opaque", id="D06 no JWT"),
    pytest.param(lambda keys: "a.b.c", id="D06 three parts of nothing"),
    pytest.param(lambda keys: keys.mint.sign(b"[]", {"typ": "at+jwt"}), id="D06 an array"),
    pytest.param(lambda keys: keys.mint.access_token() + ".x", id="D06 four parts"),
    pytest.param(lambda keys: keys.mint.access_token(exp="soon"), id="D06 exp is a text"),
    pytest.param(lambda keys: keys.mint.access_token(scope=7), id="D06 scope is a number"),
    pytest.param(lambda keys: keys.mint.access_token(key=forger(keys)), id="D07 another's signature"),
    pytest.param(lambda keys: keys.mint.access_token(header={"alg": "none"}), id="D07 none"),
    pytest.param(lambda keys: keys.mint.access_token(header={"alg": "HS256"}), id="D07 HS256"),
    pytest.param(lambda keys: keys.mint.access_token(header={"alg": "ES384"}), id="D07 not on the list"),
    pytest.param(lambda keys: keys.mint.access_token(key=FORGER), id="D08 an unknown key"),
    pytest.param(lambda keys: keys.mint.access_token(iss="https://evil.example"), id="D09 another issuer"),
    pytest.param(lambda keys: keys.mint.access_token(iss=keys.issuer + "/"), id="D09 a trailing slash"),
    pytest.param(lambda keys: keys.mint.access_token(aud="https://other.example.com"), id="D10 another audience"),
    pytest.param(lambda keys: keys.mint.access_token(aud=OMIT), id="D10 no audience"),
    pytest.param(lambda keys: keys.mint.access_token(nbf=now(keys) + HOUR), id="D12 nbf ahead"),
    pytest.param(lambda keys: keys.mint.access_token(iat=now(keys) + 60, exp=now(keys) + HOUR), id="D12 iat ahead"),
    pytest.param(lambda keys: keys.mint.access_token(header={"typ": "JWT"}), id="D14 typ JWT"),
    pytest.param(lambda keys: keys.mint.access_token(header={"typ": OMIT}), id="D14 no typ"),
    pytest.param(lambda keys: keys.mint.access_token(header={"typ": "logout+jwt"}), id="D14 a logout token"),
    pytest.param(lambda keys: keys.mint.access_token(header={"typ": "dpop+jwt"}), id="D14 a proof"),
    pytest.param(lambda keys: keys.mint.access_token(cnf={"jkt": "x"}), id="D15 bound by DPoP"),
    pytest.param(lambda keys: keys.mint.access_token(cnf={"x5t#S256": "x"}), id="D20 bound to a certificate"),
    pytest.param(lambda keys: keys.mint.access_token(cnf=None), id="D15 a cnf that is null"),
    pytest.param(lambda keys: keys.mint.access_token(exp=0, aud="other"), id="D11 expired and not ours"),
    pytest.param(lambda keys: keys.mint.access_token(exp=0, cnf={"jkt": "x"}), id="D11 expired and bound"),
]  # fmt: skip


def forger(keys: KeyServer) -> SigningKey:
    """A key that goes by the name of the issuer's."""
    return SigningKey("ES256", FORGER.private_key, keys.mint.keys[0].kid)


def now(keys: KeyServer) -> int:
    return int(keys.mint.clock())


@pytest.mark.parametrize("make", BROKEN)
def test_every_broken_token_gets_the_same_answer(served: Served, keys: KeyServer, make: Any) -> None:
    """D06–D10, D12–D15, D20; RS-6750-3.1-c: no oracle on which check failed."""
    answer = send(served.port, "GET", "/orders", bearer(make(keys)))
    check(answer, 401, [INVALID], body("invalid_token", "The access token is invalid", 401))


def test_an_expired_token_is_told_so_where_all_else_is_good(served: Served, keys: KeyServer) -> None:
    """D11, beyond the leeway of 30 s; within it the token is good."""
    answer = send(served.port, "GET", "/orders", bearer(keys.mint.access_token(exp=now(keys) - 31)))
    text = "The access token has expired"
    check(answer, 401, [told("invalid_token", text)], body("invalid_token", text, 401))
    late = keys.mint.access_token(exp=now(keys) - 20, scope="orders:read")
    assert send(served.port, "GET", "/orders", bearer(late)).status == 200


@pytest.mark.parametrize(
    ("method", "target", "scope"),
    [
        ("GET", "/api/v1/users", "users:read"),
        ("GET", "/orders", "orders:read"),
        ("POST", "/orders", "orders:write"),
        ("PUT", "/api/v1/users/alice/profile", "profile:write"),
    ],
)
def test_a_missing_scope_is_challenged_with_all_scopes_of_the_route(
    served: Served, keys: KeyServer, method: str, target: str, scope: str
) -> None:
    """D21; RS-6750-3.1-e; T3: more scope alone would do."""
    token = keys.mint.access_token(scope="orders:reads ORDERS:READ orders users:read:all profile")
    text = "The access token lacks the required scope"
    expected = body("insufficient_scope", text, 403, scope=scope)
    check(send(served.port, method, target, bearer(token)), 403, [told("insufficient_scope", text, scope)], expected)


@pytest.mark.parametrize(
    ("target", "roles"),
    [
        ("/api/admin/users", ["admin"]),
        ("/admin/posts", ["admin", "editor"]),
        ("/admin/settings", ["admin"]),
        ("/admin/dashboard", ["admin"]),
    ],
)
def test_a_missing_role_is_no_reason_for_a_challenge(
    served: Served, keys: KeyServer, target: str, roles: list[str]
) -> None:
    """D22, RS-9110-11.6.1-b; the bundled API discloses its static roles (T5)."""
    answer = send(served.port, "GET", target, bearer(keys.mint.access_token(roles=["customer", "Admin"])))
    check(answer, 403, [], body("access_denied", "You are not allowed to do this", 403) | {"required_roles": roles})


@pytest.mark.parametrize("scope", ["profile:write", ""])
def test_anothers_profile_is_denied_without_a_challenge_and_before_the_body(
    served: Served, keys: KeyServer, scope: str
) -> None:
    """D23, T3: no scope would help; an owner by path parameter is judged before the content."""
    fields = [bearer(keys.mint.access_token(scope=scope)), "Content-Type: application/json"]
    answer = send(served.port, "PUT", "/api/v1/users/eve/profile", *fields, body=b"{broken")
    check(answer, 403, [], body("access_denied", "You are not allowed to do this", 403))


@pytest.mark.parametrize("sub", ["alice", "example-client"])
def test_a_client_that_is_named_like_a_user_owns_nothing(served: Served, keys: KeyServer, sub: str) -> None:
    """T1: a token whose subject equals its client is nobody's profile."""
    token = keys.mint.access_token(sub=sub, client_id=sub, scope="profile:write")
    answer = send(served.port, "PUT", f"/api/v1/users/{sub}/profile", bearer(token))
    assert (answer.status, answer.challenges) == (403, [])


def test_a_method_that_a_route_has_not_is_told_with_those_it_has(served: Served, keys: KeyServer) -> None:
    """D32; RS-9110-15.1-a."""
    answer = send(served.port, "DELETE", "/orders", bearer(keys.mint.access_token()))
    check(answer, 405, [], {"title": "Method Not Allowed", "status": 405})
    assert answer.all("allow") == ["GET, HEAD, POST"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"{broken", "application/json", id="no JSON"),
        pytest.param(b"{}", "application/json", id="no item"),
        pytest.param(b'{"item":"lamp"}', "text/plain", id="not sent as JSON"),
    ],
)
def test_content_is_judged_only_after_the_caller(served: Served, keys: KeyServer, content: bytes, kind: str) -> None:
    """D33, RS-9110-x-a: 401 and 403 come before 422."""
    fields = [f"Content-Type: {kind}"]
    good, narrow = (bearer(keys.mint.access_token(scope=scope)) for scope in ("orders:write", "orders:read"))
    answer = send(served.port, "POST", "/orders", good, *fields, body=content)
    check(answer, 422, [], {"title": "Unprocessable Content", "status": 422})
    assert send(served.port, "POST", "/orders", *fields, body=content).status == 401
    assert send(served.port, "POST", "/orders", narrow, *fields, body=content).status == 403


@pytest.mark.parametrize(
    "target", ["/unknown", "/orders/", "/orders/7", "/api", "/", "/healthz/", "/healthz/../orders"]
)
def test_an_unknown_path_needs_a_token_like_a_known_one(served: Served, keys: KeyServer, target: str) -> None:
    """T4, ruling 26: 404 is for those who may know."""
    bare = f'Bearer realm="api", resource_metadata="{METADATA}"'
    check(send(served.port, "GET", target), 401, [bare], MISSING)
    known = send(served.port, "GET", target, bearer(keys.mint.access_token()))
    check(known, 404, [], {"title": "Not Found", "status": 404})
