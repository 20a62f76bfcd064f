"""``serve`` behind proxies, and before strangers who pretend to be some (threats T29; D31)."""

from collections.abc import Iterator

import pytest

from tests.integration.exchange import Answer, bearer, send
from tests.integration.identity_provider import API
from tests.integration.key_server import KeyServer
from tests.integration.serving import Served, serving


@pytest.fixture(scope="module")
def proxied(keys: KeyServer) -> Iterator[Served]:
    with serving(ISSUER=keys.issuer, AUDIENCE=API, TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8") as server:
        yield server


def check_forbidden(answer: Answer) -> None:
    """D31: no challenge, which would invite a token in clear, and no redirect."""
    assert (answer.status, answer.challenges, answer.all("location")) == (403, [], [])
    assert answer.content == b'{"title":"Forbidden","status":403}'
    assert answer.all("cache-control") == ["no-store"]


@pytest.mark.parametrize(
    "fields",
    [
        ["X-Forwarded-Proto: http"],
        ["X-Forwarded-Proto: http", "X-Forwarded-For: 203.0.113.9"],
        ["X-Forwarded-For: garbled", "X-Forwarded-Proto: a", "X-Forwarded-Proto: b"],
        ["Forwarded: for=203.0.113.9;proto=http"],
        ["X-Forwarded-Host: evil.example", "X-Forwarded-Prefix: /admin", "X-Forwarded-Uri: /healthz"],
    ],
)
def test_a_strangers_forwarding_headers_are_ignored(served: Served, keys: KeyServer, fields: list[str]) -> None:
    """T29, CVE-2026-40575: by default nobody is trusted, not even 127.0.0.1."""
    token = bearer(keys.mint.access_token(scope="orders:read"))
    assert send(served.port, "GET", "/orders", token, *fields).status == 200
    assert send(served.port, "GET", "/orders", *fields).status == 401


def test_plain_http_before_a_trusted_proxy_is_refused_without_a_challenge(proxied: Served, keys: KeyServer) -> None:
    """D31, RS-6750-5.2-a, before anything else about the request."""
    token = bearer(keys.mint.access_token(scope="orders:read"))
    plain = "X-Forwarded-Proto: http"
    check_forbidden(send(proxied.port, "GET", "/orders", token, plain))
    check_forbidden(send(proxied.port, "GET", "/orders", plain))
    check_forbidden(send(proxied.port, "GET", "/orders", "Authorization: " + "a" * 20_000, plain))
    assert send(proxied.port, "GET", "/healthz", plain).status == 200
    assert send(proxied.port, "GET", "/orders", token, "X-Forwarded-Proto: https").status == 200
    assert send(proxied.port, "GET", "/orders", token).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], id="two protocols"),
        pytest.param(["X-Forwarded-Proto: gopher"], id="no protocol"),
        pytest.param(["X-Forwarded-Proto: https, http"], id="two protocols in one field"),
        pytest.param(["X-Forwarded-For: not an address"], id="no address"),
    ],
)
def test_what_a_trusted_proxy_garbles_is_a_bad_request(proxied: Served, keys: KeyServer, fields: list[str]) -> None:
    """T29: unparsable or duplicated is 400, with nothing for the client to cure."""
    answer = send(proxied.port, "GET", "/orders", bearer(keys.mint.access_token(scope="orders:read")), *fields)
    assert (answer.status, answer.challenges) == (400, [])
    assert answer.content == b'{"title":"Bad Request","status":400}'


@pytest.mark.parametrize(
    ("settings", "fields", "client"),
    [
        pytest.param({}, ["X-Forwarded-For: 203.0.113.9"], "127.0.0.1", id="a stranger"),
        pytest.param(
            {"TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8"},
            ["X-Forwarded-For: 6.6.6.6, 203.0.113.9", "X-Forwarded-For: 10.1.2.3"],
            "203.0.113.9",
            id="the first untrusted hop from the right",
        ),
        pytest.param(
            {"TRUSTED_PROXIES": "127.0.0.1", "FORWARDING": "forwarded"},
            ['Forwarded: for="[2001:db8::7]:4711";proto=https', "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: http"],
            "2001:db8::7",
            id="one family alone is read",
        ),
    ],
)
def test_the_audit_names_the_client_that_trusted_proxies_saw(
    keys: KeyServer, settings: dict[str, str], fields: list[str], client: str
) -> None:
    """T29: from the right to the first untrusted hop."""
    with serving(ISSUER=keys.issuer, AUDIENCE=API, **settings) as served:
        assert send(served.port, "GET", "/orders", *fields).status == 401
    assert [line["client"] for line in served.audit] == [client]


def test_require_https_refuses_what_nobody_vouches_for(keys: KeyServer) -> None:
    """D31, DESIGN §2: enforced without a proxy by REQUIRE_HTTPS; a stranger's word is none."""
    with serving(ISSUER=keys.issuer, AUDIENCE=API, REQUIRE_HTTPS="true") as served:
        token = bearer(keys.mint.access_token(scope="orders:read"))
        check_forbidden(send(served.port, "GET", "/orders", token))
        check_forbidden(send(served.port, "GET", "/orders", token, "X-Forwarded-Proto: https"))
        assert send(served.port, "GET", "/healthz").status == 200
