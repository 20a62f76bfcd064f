"""Whatever serves a path is protected with ``protect="all"``, and is named by ``routes`` otherwise."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

from resource_server import ConfigurationError, ResourceServer
from resource_server.fastapi.inventory import Exposure, inventory
from resource_server.testing import FakeIssuer
from tests.calls import MISSING, bearer, call
from tests.fastapi.serving import SECRET, Way, tell, ways_to_serve


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text(SECRET)
    return tmp_path


def new_app() -> FastAPI:
    return FastAPI(openapi_url=None, title=SECRET)


def listed(app: FastAPI) -> dict[str, Exposure]:
    return {f"{one.methods} {one.where}": one for one in inventory(app)}


async def is_let_in(app: FastAPI, way: Way, token: str | None = None) -> bool:
    """Whether the secret comes out."""
    if way.kind == "http":
        return SECRET in (await call(app, way.method, way.path, token=token, headers=way.headers)).text
    return SECRET in str((await way.ask(app, token)).sent)


def can_be_declared(way: Way) -> bool:
    return way.declared.startswith("/") and way.declared != "/*"


@ways_to_serve()
@pytest.mark.parametrize("late", [False, True], ids=["before", "after-the-first-request"])
async def test_a_stranger_reaches_none_where_everything_is_protected(
    api: ResourceServer, issuer: FakeIssuer, folder: Path, way: Way, late: bool
) -> None:
    """DESIGN §4, T4: every path needs a token, known or unknown, whatever serves it and since when."""
    app = new_app()
    api.install(app, protect="all")
    if late:
        await call(app, "GET", "/")
    way.build(app, folder)
    refused = await way.ask(app)
    if way.kind == "http":
        assert (refused.status, refused.body, refused.received) == (401, MISSING, 0)
    else:
        assert [message["type"] for message in refused.sent] == ["websocket.close"]
    assert await is_let_in(app, way, issuer.token())  # the positive control


@ways_to_serve()
async def test_it_is_open_and_named_so_where_routes_alone_require(api: ResourceServer, folder: Path, way: Way) -> None:
    """RS-6750-5.2-b: what ``routes`` does not show, nobody reviews."""
    app = new_app()
    api.install(app)
    way.build(app, folder)
    found = listed(app)[way.listed]
    assert (found.requires, found.is_open, found.declared_public) == ("", True, False)
    assert await is_let_in(app, way)


@ways_to_serve()
def test_it_is_named_as_protected_where_everything_is(api: ResourceServer, folder: Path, way: Way) -> None:
    """The same listing, with nothing open."""
    app = new_app()
    api.install(app, protect="all")
    way.build(app, folder)
    assert listed(app)[way.listed].requires == "any valid token"
    assert not any(one.is_open for one in inventory(app))


@ways_to_serve(can_be_declared)
@pytest.mark.parametrize("protect", ["routes", "all"])
async def test_what_is_listed_can_be_declared_public_as_it_stands_there(
    api: ResourceServer, folder: Path, way: Way, protect: str
) -> None:
    """A listing whose lines can't be used would be worked around."""
    app = new_app()
    api.install(app, protect=protect, public=[way.declared])
    way.build(app, folder)
    found = listed(app)[way.listed]
    assert (found.requires, found.declared_public) == ("", True)
    assert await is_let_in(app, way)


@ways_to_serve(lambda way: way.declared.endswith("/*"))
def test_where_routes_alone_require_the_path_of_files_declares_all_below_it(
    api: ResourceServer, folder: Path, way: Way
) -> None:
    """At the root, it is the only way: every path is no declaration of one thing."""
    app = new_app()
    api.install(app, public=[way.declared.removesuffix("/*") or "/"])
    way.build(app, folder)
    assert listed(app)[way.listed].declared_public


@ways_to_serve(lambda way: way.declared.endswith("/*"))
async def test_where_everything_is_protected_that_path_alone_declares_nothing_below_it(
    api: ResourceServer, folder: Path, way: Way
) -> None:
    """The listing says what a stranger finds."""
    app = new_app()
    api.install(app, protect="all", public=[way.declared.removesuffix("/*") or "/"])
    way.build(app, folder)
    assert listed(app)[way.listed].requires == "any valid token"
    assert not await is_let_in(app, way)


async def test_what_is_public_within_a_protected_route_is_named(api: ResourceServer, folder: Path) -> None:
    """A listing that says "any valid token" of a route that a public path leads to would say too much."""
    app = new_app()
    api.install(app, protect="all", public=["/health", "/users/me", "/users/root", "/", "/static/img/*", "/other/*"])
    app.get("/users/root", dependencies=[api.requires()])(tell)
    app.get("/users/{name}")(tell)
    app.get("/health")(tell)
    app.mount("/static", StaticFiles(directory=folder))
    app.frontend("/", directory=folder)
    shown = {one.path: (one.requires, one.public_at, one.declared_public) for one in inventory(app)}
    assert shown == {
        "/users/root": ("any valid token", (), True),
        "/users/{name}": ("any valid token", ("/users/me",), False),
        "/health": ("", (), True),
        "/static/*": ("any valid token", ("/static/img/*",), False),
        "/*": ("any valid token", ("/", "/other/*"), False),
    }
    assert [(await call(app, "GET", path)).status_code for path in ("/users/me", "/users/you", "/users/root")] == [
        200,
        401,
        401,
    ]


@pytest.mark.parametrize("protect", ["routes", "all"])
def test_every_path_is_not_public(api: ResourceServer, protect: str) -> None:
    """DESIGN §3: it contradicts ``protect="all"``, and would hide each forgotten route from the listing."""
    with pytest.raises(ConfigurationError) as caught:
        api.install(FastAPI(), protect=protect, public=["/health", "/*"])
    assert str(caught.value) == (
        "public must not hold '/*', which is every path: name those that need no token, "
        "or '/' for what a mount or a frontend serves at the root"
    )


@ways_to_serve()
async def test_dependencies_of_the_application_count_for_path_operations_and_frontends_alone(
    api: ResourceServer, issuer: FakeIssuer, folder: Path, way: Way
) -> None:
    """As FastAPI documents it; what they leave open, the listing names."""
    app = FastAPI(openapi_url=None, title=SECRET, dependencies=[api.requires("a")])
    api.install(app)
    way.build(app, folder)
    assert listed(app)[way.listed].requires == ("scope a" if way.operation else "")
    assert await is_let_in(app, way) is not way.operation
    assert await is_let_in(app, way, issuer.token(scope="b")) is not way.operation
    assert await is_let_in(app, way, issuer.token(scope="a"))


@pytest.mark.parametrize("status", [401, 404, 405, Exception])
async def test_a_handler_of_exceptions_answers_no_stranger(
    api: ResourceServer, issuer: FakeIssuer, status: Any
) -> None:
    """T4: it serves each path that leads nowhere, so it is no way around ``protect="all"``."""
    app = new_app()
    api.install(app, protect="all")

    @app.exception_handler(status)
    async def handle(request: Request, error: Exception) -> Response:
        return PlainTextResponse(SECRET)

    @app.get("/raise")
    async def fail() -> None:
        raise HTTPException(status) if isinstance(status, int) else RuntimeError

    for path in ("/raise", "/nothing"):
        refused = await call(app, "GET", path)
        assert (refused.status_code, refused.content) == (401, MISSING)
    assert (await call(app, "GET", "/raise", token=issuer.token())).text == SECRET


async def test_what_an_included_router_s_lifespan_adds_is_protected_too(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """FastAPI runs the lifespans of included routers, after the application's own."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        router.get("/late", dependencies=[Depends(look_up), api.requires("a")])(tell)
        yield

    looked_up: list[str] = []

    def look_up() -> None:
        looked_up.append("")

    app, router = new_app(), APIRouter(lifespan=lifespan)
    api.install(app)
    app.include_router(router)
    with TestClient(app) as client:
        assert client.get("/late").headers["www-authenticate"] == 'Bearer realm="api", scope="a"'
        assert looked_up == []
        assert client.get("/late", headers=bearer(issuer.token(scope="a"))).json() == SECRET
