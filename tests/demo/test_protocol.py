"""What the bundled API answers beside its routes: HEAD, 405, 404, 422, health, documentation."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from resource_server import ResourceServer
from resource_server.demo.api import create_api
from resource_server.fastapi import ApiDocs
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.testing import FakeIssuer
from tests.calls import LACKS_SCOPE, MISSING, Exchange, bearer, call
from tests.demo.conftest import METADATA
from tests.turnable_clock import TurnableClock

GETS = [
    ("/healthz", {}),
    ("/readyz", {}),
    ("/.well-known/oauth-protected-resource", {}),
    ("/api/v1/me", {}),
    ("/api/v1/users", {"scope": "users:read"}),
    ("/orders", {"scope": "orders:read"}),
    ("/admin/settings", {"roles": ["admin"]}),
]


@pytest.mark.parametrize("authorized", [True, False])
@pytest.mark.parametrize(("path", "claims"), GETS)
async def test_head_answers_like_get_without_the_content(
    app: FastAPI, issuer: FakeIssuer, path: str, claims: dict[str, Any], authorized: bool
) -> None:
    """RS-9110-9.3.2-a: the same header fields, the same authorization."""
    headers = list(bearer(issuer.token(**claims)).items()) if authorized else []
    get = await Exchange(app, "GET", path, headers=headers).run()
    head = await Exchange(app, "HEAD", path, headers=headers).run()
    assert (head.status, head.headers) == (get.status, get.headers)
    assert (head.body, bool(get.body)) == (b"", True)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/orders", "GET, HEAD, POST"),
        ("PATCH", "/orders", "GET, HEAD, POST"),
        ("POST", "/api/v1/me", "GET, HEAD"),
        ("GET", "/api/v1/users/alice/profile", "PUT"),
        ("HEAD", "/api/v1/users/alice/profile", "PUT"),
        ("OPTIONS", "/orders", "GET, HEAD, POST"),
        ("POST", "/.well-known/oauth-protected-resource", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
async def test_a_method_that_a_path_does_not_know_is_told_all_that_it_does(
    app: FastAPI, issuer: FakeIssuer, method: str, path: str, allow: str
) -> None:
    """D32, RFC 9110 §15.5.6."""
    headers = list(bearer(issuer.token()).items())
    exchange = await Exchange(app, method, path, headers=headers).run()
    assert (exchange.status, exchange.field("allow")) == (405, [allow])
    assert exchange.body == (b"" if method == "HEAD" else b'{"title":"Method Not Allowed","status":405}')
    assert exchange.field("cache-control") == ["no-store"]


@pytest.mark.parametrize("path", ["/nothing", "/orders/1", "/api/v1/me/", "/", "/docs", "/openapi.json", "/redoc"])
async def test_unknown_paths_are_401_for_strangers_and_404_for_token_holders(
    app: FastAPI, issuer: FakeIssuer, path: str
) -> None:
    """T4, D27; T38: the documentation is off."""
    stranger = await call(app, "GET", path)
    assert (stranger.status_code, stranger.content) == (401, MISSING)
    assert stranger.headers["www-authenticate"] == f'Bearer realm="api", {METADATA}'
    known = await call(app, "GET", path, token=issuer.token())
    assert (known.status_code, known.content) == (404, b'{"title":"Not Found","status":404}')
    assert known.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "content",
    [
        b"{bad",
        b"",
        b"[]",
        b"null",
        b'{"item": ""}',
        b'{"item": 1}',
        b'{"item": "x", "quantity": 0}',
        b'{"item": "x", "quantity": 1001}',
        b'{"quantity": 1}',
    ],
)
async def test_content_that_is_no_order_is_422_with_one_body(app: FastAPI, issuer: FakeIssuer, content: bytes) -> None:
    """D33: only after D01 to D25 passed; nothing of the input comes back."""
    headers = {"content-type": "application/json"}
    stranger = await call(app, "POST", "/orders", content=content, headers=headers)
    assert stranger.status_code == 401
    token = issuer.token(scope="orders:write")
    response = await call(app, "POST", "/orders", content=content, headers=headers, token=token)
    assert (response.status_code, response.content) == (422, b'{"title":"Unprocessable Content","status":422}')
    assert response.headers["cache-control"] == "no-store"


async def test_content_that_is_no_text_is_400(app: FastAPI, issuer: FakeIssuer) -> None:
    """FastAPI can't read it; in the form of the others."""
    token, headers = issuer.token(scope="orders:write"), {"content-type": "application/json"}
    for content in (b"\xff", b"[" * 60_000):
        response = await call(app, "POST", "/orders", content=content, headers=headers, token=token)
        assert response.status_code == 400
        assert response.json() == {
            "title": "Bad Request",
            "status": 400,
            "detail": "There was an error parsing the body",
        }
        assert "www-authenticate" not in response.headers


async def test_a_problem_is_given_to_whom_asks_for_it(app: FastAPI, issuer: FakeIssuer) -> None:
    """RS-9457-3-a."""
    headers = {"accept": "application/problem+json"}
    response = await call(app, "GET", "/orders", token=issuer.token(), headers=headers)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == f'Bearer realm="api", {LACKS_SCOPE}, scope="orders:read", {METADATA}'
    problem = response.json()
    assert problem.pop("instance").startswith("urn:uuid:")
    assert problem == {
        "error": "insufficient_scope",
        "error_description": "The access token lacks the required scope",
        "scope": "orders:read",
        "status": 403,
        "type": "https://api.example.com/problems/insufficient_scope",
        "title": "Forbidden",
    }


async def test_the_metadata_needs_nothing(app: FastAPI, issuer: FakeIssuer) -> None:
    """RS-9728-3.1-a."""
    response = await call(app, "GET", "/.well-known/oauth-protected-resource")
    assert response.status_code == 200
    assert response.json() == {
        "resource": "https://api.example.com",
        "authorization_servers": [issuer.url],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["orders:read", "orders:write", "profile:write", "users:read"],
    }


async def test_healthz_says_that_the_process_runs(app: FastAPI) -> None:
    """DESIGN §6: whatever the issuer does."""
    response = await call(app, "GET", "/healthz")
    assert (response.status_code, response.content) == (200, b'{"status":"ok"}')


async def test_readyz_names_the_issuer_until_its_keys_are_known(
    server: ResourceServer, app: FastAPI, issuer: FakeIssuer
) -> None:
    """DESIGN §9: issuer down at start: /readyz says why."""
    response = await call(app, "GET", "/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "issuers": [{"issuer": issuer.url, "keys": "unavailable"}],
    }
    assert response.headers["retry-after"] == "30"
    assert response.headers["cache-control"] == "no-store"
    await server.issuers.refresh()
    response = await call(app, "GET", "/readyz")
    assert (response.status_code, response.content) == (200, b'{"status":"ready"}')


async def test_readyz_is_unavailable_again_once_the_keys_are_stale(issuer: FakeIssuer, time: TurnableClock) -> None:
    """DESIGN §9: known keys go on, up to max_stale."""
    down = False

    async def fetch(url: str) -> Fetched:
        if down:
            raise FetchError("down")
        return await issuer.fetch(url)

    server = ResourceServer(issuer.url, audience=issuer.audience, clock=time.clock, fetch=fetch)
    app = create_api(server)
    await server.issuers.refresh()
    down = True
    await server.issuers.refresh()
    time.turn(12 * 3600 - 1)
    assert (await call(app, "GET", "/readyz")).status_code == 200
    time.turn(1)
    assert (await call(app, "GET", "/readyz")).status_code == 503
    assert (await call(app, "GET", "/api/v1/me", token=issuer.token())).status_code == 503


def test_the_keys_are_known_soon_after_the_start(app: FastAPI) -> None:
    """The gate sees the lifespan: no request needs to come first."""
    with TestClient(app) as client:
        assert any(client.get("/readyz").status_code == 200 for _ in range(100))


async def test_the_documentation_is_public_where_it_is_on(server: ResourceServer) -> None:
    """T38: DOCS; every protected operation says what it needs."""
    app = create_api(server, docs=ApiDocs())
    assert (await call(app, "GET", "/docs")).status_code == 200
    schema = (await call(app, "GET", "/openapi.json")).json()
    needs = {
        f"{method.upper()} {path}": (operation["security"] or [{}])[0].get("access_token")
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    }
    assert needs == {
        "GET /healthz": None,
        "GET /readyz": None,
        "GET /api/v1/me": [],
        "GET /api/v1/users": ["users:read"],
        "PUT /api/v1/users/{user_id}/profile": ["profile:write"],
        "GET /api/admin/users": [],
        "GET /admin/posts": [],
        "GET /admin/settings": [],
        "GET /admin/dashboard": [],
        "GET /admin/refusals/recent": [],
        "GET /admin/refusals/stream": [],
        "GET /orders": ["orders:read"],
        "POST /orders": ["orders:write"],
        "GET /orders/events": ["orders:read"],
    }


@pytest.mark.parametrize("path", ["/orders/events", "/admin/refusals/stream"])
async def test_a_head_of_a_stream_ends_at_once(app: FastAPI, issuer: FakeIssuer, path: str) -> None:
    """RS-9110-9.3.2-a: the same header fields and no content, and not for as long as a feed goes on."""
    token = issuer.token(scope="orders:read", roles=["admin"])
    async with asyncio.timeout(10):
        response = await call(app, "HEAD", path, token=token)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["cache-control"]
