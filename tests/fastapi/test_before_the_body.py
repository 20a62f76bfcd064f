"""The decision falls before the body is read, wherever and however a requirement was written."""

import pytest

from resource_server import ResourceServer
from resource_server.testing import FakeIssuer
from tests.calls import INVALID, LACKS_SCOPE, MISSING, Exchange, call
from tests.fastapi.ways import Build, annotated, cases

BROKEN = b"{bad"


@cases()
async def test_a_stranger_s_broken_body_is_a_401_and_not_a_byte_of_it_is_read(
    api: ResourceServer, build: Build, path: str
) -> None:
    """RS-9110-x-a, DESIGN §3, T30: the route's scopes in the challenge; Connection: close."""
    exchange = await Exchange(build(api), "POST", path, body=BROKEN).run()
    assert exchange.received == 0
    assert (exchange.status, exchange.body) == (401, MISSING)
    assert sorted(exchange.headers) == [
        ("cache-control", "no-store"),
        ("connection", "close"),
        ("content-length", str(len(MISSING))),
        ("content-type", "application/json"),
        ("www-authenticate", 'Bearer realm="api", scope="notes:write"'),
    ]


@cases()
async def test_a_token_without_the_scope_is_a_403_and_not_a_byte_of_the_body_is_read(
    api: ResourceServer, issuer: FakeIssuer, build: Build, path: str
) -> None:
    """RS-9110-x-a, D21; D33 comes only after D01-D25 passed."""
    token = issuer.token(scope="notes:read")
    headers = [("authorization", f"Bearer {token}")]
    exchange = await Exchange(build(api), "POST", path, headers=headers, body=BROKEN).run()
    assert exchange.received == 0
    assert exchange.status == 403
    assert exchange.field("www-authenticate") == [f'Bearer realm="api", {LACKS_SCOPE}, scope="notes:write"']
    assert exchange.field("connection") == ["close"]
    assert exchange.json == {
        "error": "insufficient_scope",
        "error_description": "The access token lacks the required scope",
        "scope": "notes:write",
        "status": 403,
    }


@cases()
async def test_a_good_token_s_broken_body_is_a_422(
    api: ResourceServer, issuer: FakeIssuer, build: Build, path: str
) -> None:
    """D33: once the caller is authorized; E2 step 15."""
    headers = [("authorization", f"Bearer {issuer.token(scope='notes:write')}")]
    exchange = await Exchange(build(api), "POST", path, headers=headers, body=BROKEN).run()
    assert exchange.status == 422
    assert exchange.json["detail"][0]["type"] == "json_invalid"
    assert exchange.field("connection") == []
    assert exchange.received >= 1


@cases()
async def test_a_good_token_and_a_good_body_reach_the_endpoint(
    api: ResourceServer, issuer: FakeIssuer, build: Build, path: str
) -> None:
    """DESIGN §4: the positive control of all the others (part H)."""
    response = await call(build(api), "POST", path, token=issuer.token(scope="notes:write"), json={"text": "hello"})
    assert (response.status_code, response.json()) == (200, "alice")


async def test_a_refusal_of_a_request_without_a_body_keeps_the_connection(api: ResourceServer) -> None:
    """T30: nothing unread, nothing to desynchronise."""
    exchange = await Exchange(annotated(api), "POST", "/notes").run()
    assert (exchange.status, exchange.field("connection"), exchange.received) == (401, [], 0)


async def test_a_chunked_body_that_nobody_read_closes_the_connection(api: ResourceServer) -> None:
    """T30: a body may be announced without its length."""
    headers = [("transfer-encoding", "chunked")]
    exchange = await Exchange(annotated(api), "POST", "/notes", headers=headers).run()
    assert (exchange.status, exchange.field("connection"), exchange.received) == (401, ["close"], 0)


async def test_over_http_2_no_connection_field_is_sent(api: ResourceServer) -> None:
    """RFC 9113 §8.2.2: a message with a Connection field is malformed there."""
    exchange = await Exchange(annotated(api), "POST", "/notes", body=BROKEN, http_version="2").run()
    assert (exchange.status, exchange.field("connection"), exchange.received) == (401, [], 0)


@pytest.mark.parametrize("token", ["x", "a.b.c"])
async def test_a_broken_token_is_found_out_before_a_broken_body(api: ResourceServer, token: str) -> None:
    """RS-9110-x-a, D06."""
    headers = [("authorization", f"Bearer {token}")]
    exchange = await Exchange(annotated(api), "POST", "/notes", headers=headers, body=BROKEN).run()
    assert (exchange.received, exchange.status, exchange.body) == (0, 401, INVALID)


async def test_an_open_route_reads_its_body_without_a_token(api: ResourceServer) -> None:
    """DESIGN §4: with protect='routes' only what requires is protected."""
    app = annotated(api)

    @app.post("/open")
    async def write(text: dict[str, str]) -> dict[str, str]:
        return text

    response = await call(app, "POST", "/open", json={"a": "b"})
    assert (response.status_code, response.json()) == (200, {"a": "b"})
