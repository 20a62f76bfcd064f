"""Whatever serves a path is protected with ``protect="all"``, and is named by ``routes`` otherwise."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from resource_server import ConfigurationError, ResourceServer
from resource_server.fastapi.inventory import Exposure, inventory
from resource_server.testing import FakeIssuer
from tests.calls import MISSING, call
from tests.fastapi.serving import SECRET, Way, ways_to_serve


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
