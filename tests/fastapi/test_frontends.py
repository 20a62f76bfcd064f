"""``frontend()``: files that FastAPI serves where no route matches, and keeps apart from an application's routes."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException

from resource_server import ConfigurationError, Decision, ResourceServer, owner
from resource_server.fastapi.inventory import inventory
from resource_server.testing import FakeIssuer, acting_as, make_token
from tests.calls import DENIED, LACKS_SCOPE, MISSING, Exchange, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.test_start import start
from tests.fastapi.ways import ok

SECRET = "what only some may read"
LOOKED_UP: list[str] = []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text(SECRET)
    return tmp_path


def look_up() -> None:
    """A dependency that tells what exists."""
    LOOKED_UP.append("")
    raise HTTPException(404)


def of_the_app(folder: Path, *dependencies: Any, api: ResourceServer) -> FastAPI:
    app = FastAPI(dependencies=dependencies)
    api.install(app)
    app.frontend("/app", directory=folder)
    return app


def of_an_included_router(folder: Path, *dependencies: Any, api: ResourceServer) -> FastAPI:
    app, router = FastAPI(), APIRouter(dependencies=dependencies)
    api.install(app)
    router.frontend("/app", directory=folder)
    app.include_router(router)
    return app


def of_an_inclusion(folder: Path, *dependencies: Any, api: ResourceServer) -> FastAPI:
    app, router, inner = FastAPI(), APIRouter(), APIRouter()
    api.install(app)
    inner.frontend("/app", directory=folder)
    router.include_router(inner, dependencies=dependencies)
    app.include_router(router)
    return app


def of_a_mounted_app(folder: Path, *dependencies: Any, api: ResourceServer) -> FastAPI:
    app, below = FastAPI(), FastAPI(dependencies=dependencies)
    api.install(app)
    below.frontend("/", directory=folder)
    app.mount("/app", below)
    return app


places = pytest.mark.parametrize(
    "build",
    [
        pytest.param(place, id=place.__name__)
        for place in (of_the_app, of_an_included_router, of_an_inclusion, of_a_mounted_app)
    ],
)


@places
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
async def test_a_stranger_is_not_told_which_files_there_are(
    api: ResourceServer, folder: Path, build: Any, method: str
) -> None:
    """T4, E3: FastAPI runs no dependency for a method that a frontend lacks: 405 for what is there and else 404."""
    app = build(folder, api.requires("a"), api=api)
    known, unknown = [await Exchange(app, method, f"/app/{name}").run() for name in ("secret.txt", "other.txt")]
    assert known.sent == unknown.sent
    assert (known.status, known.body) == (401, MISSING)
    assert known.field("www-authenticate") == ['Bearer realm="api", scope="a"']


@places
async def test_a_good_token_is_let_in(api: ResourceServer, issuer: FakeIssuer, folder: Path, build: Any) -> None:
    """The positive control, and the framework's own answers for who may know."""
    app, token = build(folder, api.requires("a"), api=api), issuer.token(scope="a")
    assert (await call(app, "GET", "/app/secret.txt", token=token)).text == SECRET
    assert (await call(app, "GET", "/app/other.txt", token=token)).status_code == 404
    assert (await call(app, "POST", "/app/secret.txt", token=token)).status_code == 405


@places
async def test_the_decision_falls_before_any_other_dependency(
    api: ResourceServer, issuer: FakeIssuer, folder: Path, build: Any
) -> None:
    """T4: as at every other route."""
    LOOKED_UP.clear()
    app = build(folder, Depends(look_up), api.requires("a"), api=api)
    assert (await call(app, "GET", "/app/secret.txt")).status_code == 401
    refused = await call(app, "GET", "/app/secret.txt", token=issuer.token(scope="b"))
    assert refused.headers["www-authenticate"] == f'Bearer realm="api", {LACKS_SCOPE}, scope="a"'
    assert LOOKED_UP == []
    assert (await call(app, "GET", "/app/secret.txt", token=issuer.token(scope="a"))).status_code == 404
    assert LOOKED_UP == [""]


@places
async def test_operators_are_told_its_template(make_api: MakeApi, issuer: FakeIssuer, folder: Path, build: Any) -> None:
    """A refusal that names no route is hard to find; a path would name who asked for what."""
    told: list[Decision] = []
    api = make_api(observers=[told.append])
    app = build(folder, api.requires("a"), api=api)
    await call(app, "GET", "/app/secret.txt")
    await call(app, "GET", "/app/secret.txt", token=issuer.token(scope="a"))
    assert [one.route for one in told] == (["/{path}"] if build is of_a_mounted_app else ["/app/{path}"]) * 2


@places
async def test_an_override_replaces_credentials_alone(api: ResourceServer, folder: Path, build: Any) -> None:
    """T6."""
    app = build(folder, api.requires("a", lambda token: token.subject == "alice"), api=api)
    overridden = app.routes[-1].app if build is of_a_mounted_app else app
    with acting_as(overridden, api, make_token(scopes=["a"])):
        assert (await call(app, "GET", "/app/secret.txt")).text == SECRET
    with acting_as(overridden, api, make_token(subject="eve", scopes=["a"])):
        assert (await call(app, "GET", "/app/secret.txt")).content == DENIED


async def test_a_frontend_that_comes_late_takes_no_door_away(api: ResourceServer, folder: Path) -> None:
    """T4: the framework makes all that an inclusion made of its router's routes anew then."""
    LOOKED_UP.clear()
    app, router = FastAPI(), APIRouter(dependencies=[Depends(look_up), api.requires("a")])
    api.install(app)
    router.get("/route")(ok)
    router.frontend("/early", directory=folder)
    app.include_router(router)
    assert (await call(app, "GET", "/route")).status_code == 401
    router.frontend("/late", directory=folder)
    for path in ("/route", "/early/secret.txt", "/late/secret.txt"):
        assert (await call(app, "GET", path)).status_code == 401
    assert LOOKED_UP == []


async def test_the_closest_one_decides(api: ResourceServer, issuer: FakeIssuer, folder: Path) -> None:
    """As the framework chooses: the longest path, wherever it was added."""
    app, router = FastAPI(dependencies=[api.requires("outer")]), APIRouter(dependencies=[api.requires("inner")])
    api.install(app, protect="all")
    app.frontend("/", directory=folder)
    router.frontend("/inner", directory=folder)
    app.include_router(router)
    challenges = {
        path: (await call(app, "GET", path)).headers["www-authenticate"] for path in ("/x", "/inner", "/innermost")
    }
    assert challenges == {
        "/x": 'Bearer realm="api", scope="outer"',
        "/inner": 'Bearer realm="api", scope="outer inner"',
        "/innermost": 'Bearer realm="api", scope="outer"',
    }
    assert (await call(app, "GET", "/inner/secret.txt", token=issuer.token(scope="outer"))).status_code == 403
    assert (await call(app, "GET", "/inner/secret.txt", token=issuer.token(scope="outer inner"))).text == SECRET


async def test_two_resource_servers_each_decide(make_api: MakeApi, issuer: FakeIssuer, folder: Path) -> None:
    """T9."""
    one, other = make_api(), make_api(realm="other")
    app = FastAPI(dependencies=[one.requires("a"), other.requires("b")])
    for api in (one, other):
        api.install(app)
    app.frontend("/app", directory=folder)
    statuses = [
        (await call(app, "POST", "/app/secret.txt", token=issuer.token(scope=scope))).status_code
        for scope in ("a", "b", "a b")
    ]
    assert statuses == [403, 403, 405]


async def test_its_scopes_are_published(make_api: MakeApi, folder: Path) -> None:
    """RFC 9728 §2: scopes_supported."""
    api = make_api(resource="https://api.example.com")
    app = of_an_included_router(folder, api.requires("front"), api=api)
    metadata = await call(app, "GET", "/.well-known/oauth-protected-resource")
    assert metadata.json()["scopes_supported"] == ["front"]


@places
def test_what_it_requires_is_listed(api: ResourceServer, folder: Path, build: Any) -> None:
    """RS-6750-5.2-b."""
    listed = {one.path: one.requires for one in inventory(build(folder, api.requires("a"), api=api))}
    assert listed["/app/*"] == "scope a"


@places
def test_an_owner_whom_its_path_can_not_name_ends_the_start(api: ResourceServer, folder: Path, build: Any) -> None:
    """As at every other route."""
    with pytest.raises(ConfigurationError) as caught:
        start(build(folder, api.requires(owner("user")), api=api))
    assert str(caught.value).startswith('GET,HEAD /app/* requires owner("user"), but its path has no parameters: ')
