"""``Security(api, scopes="notes:read")``: one text where a list is meant, of which FastAPI makes a list of letters."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security, WebSocket
from starlette.testclient import TestClient
from typing_extensions import TypeAliasType

from resource_server import AccessToken, ConfigurationError, ResourceServer, owner
from resource_server.testing import FakeIssuer
from tests.calls import bearer, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.test_start import start
from tests.fastapi.ways import installed, ok

SENTENCE = "{} gives Security(…) its scopes as one text, which FastAPI reads letter by letter: scopes=['a', 'bc']"
TEXT = "a bc"


def in_the_signature(api: ResourceServer, scopes: Any) -> FastAPI:
    app = installed(api)

    @app.get("/notes")
    async def read(token: Annotated[AccessToken, Security(api, scopes=scopes)]) -> str:
        return token.subject

    return app


def by_a_name(api: ResourceServer, scopes: Any) -> FastAPI:
    """What ``type Reader = Annotated[…]`` makes, from Python 3.12 on."""
    app = installed(api)
    reader: Any = TypeAliasType("reader", Annotated[AccessToken, Security(api, scopes=scopes)])

    @app.get("/notes")
    async def read(token: reader) -> str:
        subject: str = token.subject
        return subject

    return app


def as_a_default(api: ResourceServer, scopes: Any) -> FastAPI:
    app = installed(api)

    @app.get("/notes")
    def read(token: AccessToken = Security(api, scopes=scopes)) -> str:  # noqa: B008 - how it is used
        return token.subject

    return app


def of_the_route(api: ResourceServer, scopes: Any) -> FastAPI:
    app = installed(api)
    app.get("/notes", dependencies=[Security(api, scopes=scopes)])(ok)
    return app


def of_the_app(api: ResourceServer, scopes: Any) -> FastAPI:
    app = FastAPI(dependencies=[Security(api, scopes=scopes)], openapi_url=None)
    api.install(app)
    app.get("/notes")(ok)
    return app


def of_the_router(api: ResourceServer, scopes: Any) -> FastAPI:
    app, router = installed(api), APIRouter(dependencies=[Security(api, scopes=scopes)])
    router.get("/notes")(ok)
    app.include_router(router)
    return app


def of_the_inclusion(api: ResourceServer, scopes: Any) -> FastAPI:
    app, router = installed(api), APIRouter()
    router.get("/notes")(ok)
    app.include_router(router, dependencies=[Security(api, scopes=scopes)])
    return app


def above_another(api: ResourceServer, scopes: Any) -> FastAPI:
    app = installed(api)

    def user(token: Annotated[AccessToken, api.requires()]) -> str:
        return token.subject

    @app.get("/notes")
    async def read(name: Annotated[str, Security(user, scopes=scopes)]) -> str:
        return name

    return app


def below_another(api: ResourceServer, scopes: Any) -> FastAPI:
    app = installed(api)

    class User:
        def __init__(self, token: Annotated[AccessToken, Security(api, scopes=scopes)]) -> None:
            self.name = token.subject

    @app.get("/notes")
    async def read(user: Annotated[User, Depends()]) -> str:
        return user.name

    return app


def mounted(api: ResourceServer, scopes: Any) -> FastAPI:
    app, below = installed(api), FastAPI()
    below.get("/", dependencies=[Security(api, scopes=scopes)])(ok)
    app.mount("/notes", below)
    return app


PLACES = [
    in_the_signature,
    by_a_name,
    as_a_default,
    of_the_route,
    of_the_app,
    of_the_router,
    of_the_inclusion,
    above_another,
    below_another,
    mounted,
]
places = pytest.mark.parametrize("build", [pytest.param(place, id=place.__name__) for place in PLACES])


@places
def test_one_text_ends_the_start(api: ResourceServer, build: Any) -> None:
    """A newcomer's pain: no token has the scopes "n", "o", "t" and "e", so the route refuses everybody."""
    with pytest.raises(ConfigurationError) as caught:
        start(build(api, TEXT))
    assert str(caught.value) == SENTENCE.format("GET /notes/" if build is mounted else "GET /notes")


@places
@pytest.mark.parametrize("text", ["a bc", "abc", "a"], ids=["two", "one", "letter"])
async def test_without_a_lifespan_it_ends_the_first_request(
    api: ResourceServer, issuer: FakeIssuer, build: Any, text: str
) -> None:
    """The latest moment to be told in one sentence; a test that doesn't start the application finds it, too."""
    app = build(api, text)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"^GET /notes/? gives Security\(…\) its scopes as one text"):
            await call(app, "GET", "/notes", token=issuer.token(scope="a b c"), raise_failures=True)


@places
@pytest.mark.parametrize("scopes", [["a", "b"], ("a", "b"), ["a"], ("ab", "a"), {"a", "b"}], ids=str)
def test_lists_of_letters_are_lists(api: ResourceServer, issuer: FakeIssuer, build: Any, scopes: Any) -> None:
    """The positive control: what was given decides, not what became of it."""
    app = build(api, scopes)
    path = "/notes/" if build is mounted else "/notes"
    with TestClient(app) as client:
        assert client.get(path, headers=bearer(issuer.token(scope="a b ab"))).status_code == 200
        assert client.get(path, headers=bearer(issuer.token(scope="c"))).status_code == 403


def test_a_websocket_and_a_frontend_are_looked_at_too(api: ResourceServer, tmp_path: Any) -> None:
    """Every route that the gate stands in front of."""
    app, router = installed(api), APIRouter()

    @router.websocket("/feed")
    async def feed(websocket: WebSocket, token: Annotated[AccessToken, Security(api, scopes=TEXT)]) -> None: ...

    app.include_router(router, prefix="/v1")
    with pytest.raises(ConfigurationError) as caught:
        start(app)
    assert str(caught.value) == SENTENCE.format("WEBSOCKET /v1/feed")
    app, router = installed(api), APIRouter(dependencies=[Security(api, scopes=TEXT)])
    router.frontend("/app", directory=tmp_path)
    app.include_router(router)
    with pytest.raises(ConfigurationError) as caught:
        start(app)
    assert str(caught.value) == SENTENCE.format("GET,HEAD /app/*")


def test_a_security_of_somebody_else_s_is_his(api: ResourceServer) -> None:
    """It may read its scopes as it likes."""
    app = installed(api)

    def theirs() -> None: ...

    @app.get("/", dependencies=[Security(theirs, scopes="abc")])
    async def read(token: Annotated[AccessToken, api.requires()]) -> None: ...

    start(app)


@pytest.mark.parametrize("wrong", [owner("user"), "text"], ids=["owner", "scopes"])
async def test_what_is_added_wrongly_to_an_application_that_serves_ends_nothing_else(
    api: ResourceServer, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture, wrong: Any
) -> None:
    """One bad route is no outage: it lets nobody in, and the log says why, once."""
    app = installed(api)
    app.get("/good", dependencies=[api.requires()])(ok)
    assert (await call(app, "GET", "/good", token=issuer.token())).status_code == 200
    app.get("/bad", dependencies=[Security(api, scopes=wrong) if wrong == "text" else api.requires(wrong)])(ok)
    assert (await call(app, "GET", "/good", token=issuer.token())).status_code == 200
    assert (await call(app, "GET", "/bad", token=issuer.token(scope="a"))).status_code in (403, 500)
    assert [record.levelname for record in caplog.records if record.message.startswith("GET /bad ")] == ["ERROR"]


def test_each_resource_server_looks_after_its_own(make_api: MakeApi) -> None:
    """Of two that are installed, each is told of its scopes."""
    one, other = make_api(), make_api(realm="other")
    app = FastAPI()
    for api in (one, other):
        api.install(app)
    app.get("/notes", dependencies=[one.requires(), Security(other, scopes=TEXT)])(ok)
    with pytest.raises(ConfigurationError) as caught:
        start(app)
    assert str(caught.value) == SENTENCE.format("GET /notes")
