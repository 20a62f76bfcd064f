"""However an application came below another one, what it requires is decided there as everywhere."""

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Security
from starlette.routing import Mount

from resource_server import AccessToken, ResourceServer
from resource_server.fastapi.inventory import inventory
from resource_server.testing import FakeIssuer, acting_as, make_token, overrides_allowed
from tests.calls import DENIED, MISSING, Exchange, call
from tests.fastapi.below import HOST, PREFIX, Place, hidden, places
from tests.fastapi.conftest import MakeApi
from tests.fastapi.test_overrides import SENTENCE
from tests.fastapi.ways import Note, installed, ok

PATHS = pytest.mark.parametrize("path", ["/secured", "/required"])


def small(api: ResourceServer) -> FastAPI:
    app = FastAPI()

    @app.get("/secured")
    async def secured(token: Annotated[AccessToken, Security(api, scopes=["a"])]) -> str:
        return token.subject

    @app.get("/required")
    async def required(token: Annotated[AccessToken, api.requires("a")]) -> str:
        return token.subject

    @app.post("/note", dependencies=[api.requires("a")])
    async def write(note: Note) -> str:
        return note.text

    return app


@places()
@pytest.mark.parametrize("late", [False, True], ids=["before", "after-the-first-request"])
async def test_a_refusal_there_is_the_table_s(api: ResourceServer, place: Place, late: bool) -> None:
    """D01, RS-9110-11.6.1-a: it has handlers of its own, and middleware that takes refusals for a broken body."""
    app = installed(api)
    if late:
        await call(app, "GET", "/")
    place(app, small(api))
    exchange = await Exchange(app, "POST", f"{PREFIX}/note", headers=HOST.items(), body=b"{bad").run()
    assert (exchange.status, exchange.body, exchange.received) == (401, MISSING, 0)
    assert exchange.field("www-authenticate") == ['Bearer realm="api", scope="a"']


@places()
async def test_a_good_token_is_let_in_there(api: ResourceServer, issuer: FakeIssuer, place: Place) -> None:
    """The positive control."""
    app = installed(api)
    place(app, small(api))
    response = await call(
        app, "POST", f"{PREFIX}/note", token=issuer.token(scope="a"), headers=HOST, json={"text": "hello"}
    )
    assert (response.status_code, response.json()) == (200, "hello")


@places()
async def test_strangers_are_told_the_scopes_of_a_route_there_where_everything_is_protected(
    api: ResourceServer, place: Place
) -> None:
    """RS-6750-3.1-e: the search for the route goes the way that routing goes."""
    app = FastAPI()
    api.install(app, protect="all")
    place(app, small(api))
    response = await call(app, "GET", f"{PREFIX}/required", headers=HOST)
    assert response.headers["www-authenticate"] == 'Bearer realm="api", scope="a"'


@places()
def test_the_inventory_shows_what_is_there(api: ResourceServer, place: Place) -> None:
    """What ``routes`` does not show, nobody reviews."""
    app = installed(api)
    place(app, small(api))
    shown = {one.path: one.requires for one in inventory(app)}
    assert shown[f"{PREFIX}/required"] == shown[f"{PREFIX}/secured"] == "scope a"


@places()
@PATHS
@pytest.mark.parametrize("late", [False, True], ids=["before", "after-the-first-request"])
async def test_an_override_left_there_fails_every_request(
    api: ResourceServer, caplog: pytest.LogCaptureFixture, place: Place, path: str, late: bool
) -> None:
    """T6: a test's override of an application that is wrapped, hosted or mounted late lets nobody in."""
    app, below = installed(api), small(api)
    if late:
        await call(app, "GET", "/")
    place(app, below)
    below.dependency_overrides[api] = make_token
    for url in (PREFIX + path, "/"):
        assert (await call(app, "GET", url, headers=HOST)).status_code == 500
    assert {(record.levelname, record.message) for record in caplog.records} == {("ERROR", SENTENCE)}


@places()
@PATHS
async def test_in_a_test_authorization_is_judged_there(api: ResourceServer, place: Place, path: str) -> None:
    """T6: the override supplies a token, and no more."""
    app, below = installed(api), small(api)
    place(app, below)
    with acting_as(below, api, make_token(subject="carol", scopes=["a"])):
        assert (await call(app, "GET", PREFIX + path, headers=HOST)).json() == "carol"
    with acting_as(below, api, make_token(scopes=["b"])):
        assert (await call(app, "GET", PREFIX + path, headers=HOST)).status_code == 403


@PATHS
async def test_an_override_that_nothing_can_see_lets_no_answer_out(
    api: ResourceServer, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """T6: where a closure hides the application, its answer is held back."""
    app, below = installed(api), small(api)
    app.mount(PREFIX, hidden(below))
    assert (await call(app, "GET", PREFIX + path)).status_code == 401
    below.dependency_overrides[api] = lambda: make_token(scopes=["a"])
    response = await call(app, "GET", PREFIX + path)
    assert (response.status_code, "alice" in response.text) == (500, False)
    assert SENTENCE in [record.message for record in caplog.records]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_override_of_one_requirement_is_refused_in_tests_too(
    api: ResourceServer, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """T6: what ``requires()`` gives can be overridden like any dependency, and then nothing is judged."""
    app, need = installed(api), api.requires("a")
    app.api_route("/", methods=["GET", "POST"], dependencies=[need])(ok)
    app.dependency_overrides[need.dependency] = lambda: make_token(scopes=["a"])
    assert (await call(app, method, "/")).status_code == 500
    assert [record.message for record in caplog.records] == [SENTENCE]
    with overrides_allowed(), pytest.raises(RuntimeError, match="skip authorization: override api itself"):
        await call(app, method, "/", raise_failures=True)


async def test_a_dependency_of_the_application_s_own_may_be_overridden_below(
    make_api: MakeApi, issuer: FakeIssuer
) -> None:
    """The positive control: a database, or what another resource server requires."""
    api, other = make_api(), make_api(realm="other")
    app, below = installed(api), FastAPI()
    app.mount(PREFIX, below)
    need = other.requires()

    def database() -> str:
        return "the real one"

    @below.get("/", dependencies=[api.requires(), need])
    async def read(name: Annotated[str, Depends(database)]) -> str:
        return name

    below.dependency_overrides |= {database: lambda: "a test's", need.dependency: make_token, other: make_token}
    response = await call(app, "GET", f"{PREFIX}/", token=issuer.token())
    assert (response.status_code, response.json()) == (200, "a test's")


async def test_an_application_that_is_mounted_in_itself_is_no_endless_search(api: ResourceServer) -> None:
    """Strange, but legal."""
    app = installed(api)
    app.router.routes.append(Mount("/again", app))
    app.get("/", dependencies=[api.requires(lambda _token: False)])(ok)
    with acting_as(app, api, make_token()):
        response = await call(app, "GET", "/")
    assert (response.status_code, response.content) == (403, DENIED)
    assert [one.path for one in inventory(app) if one.requires] == ["/"]
