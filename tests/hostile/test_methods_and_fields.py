"""Methods and header fields that other software takes for orders."""

import pytest

from tests.hostile.process import Server
from tests.hostile.raw import (
    BAD,
    DENIED,
    INVALID,
    MALFORMED,
    MISSING,
    NO_METHOD,
    NOT_FOUND,
    TOO_LARGE,
    TWICE,
    Answer,
    ask,
    bearer,
    request,
)  # fmt: skip
from tests.hostile.routes_app import SECRET

KNOWN = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "SEARCH", "PURGE", "LINK", "REPORT"]
UNKNOWN = ["FROBNICATE", "get", "Get", "GETX", "GE", "G\0ET", "", "GET/", "DEBUG", "*", "\x1b[31m", "\xff"]
OVERRIDES = [
    "X-HTTP-Method-Override: GET", "X-Method-Override: GET", "X-HTTP-Method: GET", "X-Original-URL: /healthz",
    "X-Rewrite-URL: /healthz", "X-Original-Method: OPTIONS", "X-Forwarded-Uri: /healthz", "X-Forwarded-Method: OPTIONS",
    "X-Forwarded-Prefix: /healthz", "X-Forwarded-Path: /healthz", "X-Script-Name: /orders", "Script-Name: /orders",
    "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1;proto=https", "X-User: alice",
    "X-Forwarded-User: alice", "X_Forwarded_User: alice", "X-Remote-User: alice", "Remote_User: alice", "From: alice",
    "X-Forwarded-Access-Token: x", "X-Auth-Request-User: alice", "X-Client-Verify: SUCCESS", "Client-Cert: :AA==:",
    "Cookie: access_token=x; Authorization=Bearer x", "User-Agent: kube-probe/1.0", "Host_: x", "Via: 1.1 localhost",
    "Origin: https://api.example.com", "Sec-Fetch-Site: same-origin", "Connection: Authorization", "Proxy: x",
]  # fmt: skip
"""Of which none is a credential (CVE-2025-64484, CVE-2026-40575, GHSA-5hvv-m4w4-gf6v)."""


@pytest.mark.parametrize("method", KNOWN)
def test_no_method_opens_a_route_without_a_token(served: Server, method: str) -> None:
    """Ruling 39: OPTIONS, too, is treated like any method."""
    first, last = ask(served.port, request("/orders", method=method))
    assert (first.status, first.body, last.status) == (401, MISSING, 200)


@pytest.mark.parametrize("method", [method for method in KNOWN if method != "POST"])
def test_a_method_that_a_route_has_not_is_405_to_those_who_may(served: Server, user_token: str, method: str) -> None:
    """D32."""
    first, _ = ask(served.port, request("/orders", bearer(user_token), method=method))
    assert (first.status, first.body) == (405, NO_METHOD)
    assert "allow: get, head, post" in first.fields


@pytest.mark.parametrize("method", UNKNOWN)
def test_a_method_that_nobody_knows_is_a_bad_request(served: Server, method: str) -> None:
    """RFC 9110 §9.1: methods are case-sensitive."""
    assert ask(served.port, request("/orders", method=method.encode("latin-1"))) == [BAD]


@pytest.mark.parametrize("token", [False, True], ids=["anonymous", "user"])
def test_options_of_everything_is_nothing(served: Server, user_token: str, *, token: bool) -> None:
    """RS-FETCH-cors-a: only a preflight is exempt."""
    first, last = ask(served.port, request("*", *[bearer(user_token)] * token, method="OPTIONS"))
    assert (first.status, first.body, last.status) == ((404, NOT_FOUND, 200) if token else (401, MISSING, 200))


@pytest.mark.parametrize("target", ["/orders", "/admin/users", "/nothing", "*"])
def test_a_preflight_is_answered_and_goes_no_further(served: Server, target: str) -> None:
    """T27: no origin is allowed until one is configured, and no data comes with it."""
    lines = ("Origin: https://evil.example", "Access-Control-Request-Method: GET")
    first, last = ask(served.port, request(target, *lines, method="OPTIONS"))
    assert (first.status, first.body, last.status) == (204, b"", 200)
    assert not [line for line in first.fields if line.startswith("access-control-")]


@pytest.mark.parametrize("line", OVERRIDES)
def test_no_field_stands_for_a_token_or_leads_to_another_route(
    served: Server, routes: Server, user_token: str, line: str
) -> None:
    """T29, RS-9700-4.13-a: what a stranger says of himself is ignored."""
    for method in ("GET", "POST"):
        first, last = ask(served.port, request("/orders", line, method=method))
        assert (first.status, first.body, last.status) == (401, MISSING, 200)
        assert ask(routes.port, request("/orders", line, method=method))[0].status == 401
    denied, _ = ask(served.port, request("/admin/settings", line, bearer(user_token)))
    assert (denied.status, denied.body) == (403, DENIED)
    assert SECRET.encode() not in ask(routes.port, request("/admin/users", line, bearer(user_token)))[0].body


@pytest.mark.parametrize(
    "name",
    ["Authorization_", "Authorization-", "X-Authorization", "Proxy-Authorization", "HTTP_AUTHORIZATION", "Authorizatio",
     "X-Access-Token", "Access-Token", "Token", "DPoP"],
)  # fmt: skip
def test_a_good_token_under_another_name_is_no_token(served: Server, user_token: str, name: str) -> None:
    """RS-6750-2.1-a; CVE-2025-64484: nor under a name that some take for the same."""
    first, _ = ask(served.port, request("/orders", f"{name}: Bearer {user_token}"))
    assert (first.status, first.body) == (401, MISSING)


@pytest.mark.parametrize(
    "separator", [b"\t", b" \t", b"\xa0", b",", b", ", b"=", b'="', b";", b"\x85", b"\xe2\x80\xa8"]
)
def test_only_spaces_divide_scheme_and_token(served: Server, user_token: str, separator: bytes) -> None:
    """RS-6750-2.1-b."""
    first, _ = ask(served.port, request("/orders", b"Authorization: Bearer" + separator + user_token.encode()))
    assert (first.status, first.body) == (400, MALFORMED)


def test_white_space_around_a_field_is_no_part_of_it(served: Server, user_token: str) -> None:
    """RFC 9110 §5.5: a field's value excludes it."""
    first, _ = ask(served.port, request("/orders", f"Authorization: \t Bearer {user_token} \t "))
    assert first.status == 200


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Authorization: Bearer x", "authorization: Bearer {}"], id="bad-then-good"),
        pytest.param(["Authorization: Bearer {}", "AUTHORIZATION: Bearer x"], id="good-then-bad"),
        pytest.param(["Authorization: Bearer {}", "Authorization: Bearer {}"], id="twice-the-same"),
        pytest.param(["Authorization: Bearer {}", "Authorization:"], id="good-then-empty"),
    ],
)
def test_two_authorization_fields_are_refused_in_any_order(served: Server, user_token: str, lines: list[str]) -> None:
    """RS-9110-11.6.2-a, D04."""
    first, _ = ask(served.port, request("/orders", *[line.format(user_token) for line in lines]))
    assert (first.status, first.body) == (400, TWICE)


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        pytest.param([f"X-{number}: a" for number in range(125)], None, id="126-fields"),
        pytest.param([f"X-{number}: a" for number in range(10_000)], TOO_LARGE, id="10000-fields"),
        pytest.param([f"X: {'a' * 60_000}"], None, id="60-KB"),
        pytest.param([f"X: {'a' * 70_000}"], TOO_LARGE, id="70-KB-in-one"),
        pytest.param([f"X: {'a' * 7000}"] * 10, TOO_LARGE, id="70-KB-in-ten"),
        pytest.param([f"{'a' * 70_000}: x"], TOO_LARGE, id="a-long-name"),
    ],
)
def test_a_head_has_bounds(served: Server, user_token: str, lines: list[str], answer: Answer | None) -> None:
    """T28: 64 KiB and 128 fields; with a good token, too."""
    answers = ask(served.port, request("/orders", bearer(user_token), *lines))
    assert answers[0] == answer if answer else answers[0].status == 200


@pytest.mark.parametrize("name", ["Authorization", "DPoP"])
def test_a_credential_of_more_than_16_kib_is_too_large(served: Server, name: str) -> None:
    """T28, D05: 431 above the bound, and a token to judge at it."""
    room = 16 * 1024 - len("Bearer ")
    at_bound, _ = ask(served.port, request("/orders", f"Authorization: Bearer {'a' * room}"))
    assert (at_bound.status, at_bound.body) == (401, INVALID)
    above, _ = ask(served.port, request("/orders", f"{name}: Bearer {'a' * (room + 1)}"))
    assert above.status == 431
