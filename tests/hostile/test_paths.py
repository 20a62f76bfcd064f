"""Spellings of a path by which routing and protection might disagree."""

import re

import pytest

from tests.hostile.process import Server
from tests.hostile.raw import BAD, DENIED, MISSING, NOT_FOUND, ask, bearer, request
from tests.hostile.routes_app import SECRET

SPELLINGS = [
    "/orders", "//orders", "///orders", "/orders/", "/orders//", "/./orders", "/orders/.", "/orders/..", "/../orders",
    "/x/../orders", "/%6frders", "/orders%2f", "/orders%2F", "/%2forders", "/orders%00", "/orders%20", "/orders%09",
    "/orders%0d%0aX:%20y", "/orders;x", "/orders;x=y/", "/orders?", "/orders?x=/healthz", "/orders#/healthz",
    "/ORDERS", "/Orders", "/ord%65rs", "/%2e/orders", "/%2e%2e/orders", "/healthz/../orders", "/healthz/%2e%2e/orders",
    "/healthz%2f..%2forders", "/healthz;/../orders", "/healthz/", "/healthz//", "//healthz", "/healthz%2f", "/HEALTHZ",
    "/healthz%00", "/healthz;x", "/healthz/orders", "/readyz/../admin/settings", "*x", "/orders\\", "/%5corders",
    "/api/v1/users/../admin/users", "/api/v1/users/%2e%2e/admin/users", "/api/v1/users/..%2fadmin%2fusers",
    "/api/admin/users", "/api//admin/users", "/api/admin/users/", "/api/%61dmin/users", "/api/admin%2fusers",
    "/admin/users", "//admin/users", "/admin//users", "/admin/users/", "/ADMIN/users", "/admin/%75sers",
    "/files/a", "/files//a", "/files/", "/files/../orders", "/files/%2e%2e/healthz", "/files/a/../../orders",
    "/mounted/users", "/mounted//users", "//mounted/users", "/mounted/../healthz", "/mounted", "/mounted/",
    "/mounted/%2e%2e/orders", "/docs", "/docs/", "/openapi.json", "/redoc", "/%c0%ae%c0%ae/orders", "/%u006frders",
    "/%zz", "/%", "http://api.example.com/orders", "http://evil.example/orders", "http://user@evil.example/admin/users",
    "HTTP://127.0.0.1/orders", "http://evil.example//orders", "https://evil.example:443/api/admin/users",
]  # fmt: skip
NO_TARGETS = ["", "orders", "http://", "http://evil.example", "://", "?", "evil.example:443", "/\0", "/\xff", "/ x"]


@pytest.mark.parametrize("target", SPELLINGS)
def test_no_spelling_of_a_path_opens_the_bundled_api_without_a_token(served: Server, target: str) -> None:
    """T4, RS-9110-11.6.1-a; CVE-2026-40575 and its siblings: known or not, a path needs a token."""
    first, last = ask(served.port, request(target))
    assert (first.status, first.body, last.status) == (401, MISSING, 200)


@pytest.mark.parametrize("target", SPELLINGS)
def test_no_spelling_of_a_path_makes_a_user_an_admin_of_the_bundled_api(
    served: Server, user_token: str, target: str
) -> None:
    """D22, D27: what is not the route to the letter is nothing at all."""
    first, last = ask(served.port, request(target, bearer(user_token)))
    assert last.status == 200
    if re.fullmatch(r"(\w+://[^/]+)?/(orders|%6frders|ord%65rs)([?#].*)?", target):
        assert (first.status, first.body) == (200, b'[{"id":1,"item":"lamp","quantity":1}]')
    else:
        assert (first.status, first.body) in [(404, NOT_FOUND), (403, DENIED)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("target", SPELLINGS)
def test_no_spelling_of_a_path_gets_past_a_routes_own_requirement(routes: Server, target: str, method: str) -> None:
    """T4, T30: unprotected routes and unknown paths are the framework's, a protected route's data is nobody's."""
    first, last = ask(routes.port, request(target, method=method))
    assert last.status == 200
    assert first.status in {200, 307, 401, 404, 405}
    assert SECRET.encode() not in first.body
    if first.status == 200:
        assert method in ("GET", "HEAD")
        assert re.match(r"/healthz(#.*|\?.*)?$", target)


@pytest.mark.parametrize("target", SPELLINGS)
def test_no_spelling_of_a_path_makes_a_user_an_admin_of_a_routes_app(
    routes: Server, user_token: str, admin_token: str, target: str
) -> None:
    """T3, D22: the requirement is the matched route's, however it was spelt."""
    refused, last = ask(routes.port, request(target, bearer(user_token)))
    assert last.status == 200
    if SECRET.encode() in refused.body:
        assert re.fullmatch(r"(\w+://[^/]+)?/(orders|%6frders|ord%65rs)([?#].*)?", target)
    granted, _ = ask(routes.port, request(target, bearer(admin_token)))
    assert SECRET.encode() not in granted.body or refused.status in (200, 403)


@pytest.mark.parametrize("target", NO_TARGETS)
def test_what_is_no_target_is_a_bad_request(served: Server, target: str) -> None:
    """RFC 9112 §3.2: nothing is guessed."""
    assert ask(served.port, request(target.encode("latin-1"))) == [BAD]


@pytest.mark.parametrize("target", ["/healthz", "/readyz", "/healthz?access_token=x", "http://evil.example/healthz"])
def test_the_public_paths_are_public_to_the_letter(served: Server, target: str) -> None:
    """The positive control: a server that refuses everything would pass the tests above."""
    assert [answer.status for answer in ask(served.port, request(target))] == [200, 200]
