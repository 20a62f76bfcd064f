"""What can be found before the first request is found at the start: requirements that no request could meet."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends, FastAPI, Path, Security, WebSocket
from pydantic import AfterValidator, StringConstraints
from starlette.testclient import TestClient

from resource_server import AccessToken, ConfigurationError, ResourceServer, all_of, any_of, owner, role
from resource_server.testing import FakeIssuer
from tests.fastapi.test_lifespan import Server
from tests.fastapi.ways import ok


def app_of(api: ResourceServer, path: str, requirement: Any, endpoint: Any = ok) -> FastAPI:
    app = FastAPI()
    api.install(app)
    app.get(path, dependencies=[api.requires(requirement)])(endpoint)
    return app


def start(app: FastAPI) -> None:
    with TestClient(app):
        pass


@pytest.mark.parametrize(
    ("path", "requirement", "told"),
    [
        pytest.param("/users/{user_id}", owner("usr_id"), "the parameters of its path are user_id", id="misspelt"),
        pytest.param("/{a}/{b:path}", owner("usr_id"), "the parameters of its path are a, b", id="several"),
        pytest.param("/users", owner("usr_id"), "its path has no parameters", id="none"),
        pytest.param(
            "/users/{user_id}",
            any_of(role("admin"), all_of("write", owner("usr_id"))),
            "the parameters of its path are user_id",
            id="within-alternatives",
        ),
    ],
)
def test_an_owner_whom_the_path_does_not_name_ends_the_start(
    api: ResourceServer, path: str, requirement: Any, told: str
) -> None:
    """A newcomer's pain: it refused everybody, and was found by the first caller. The sentence names both."""
    with pytest.raises(ConfigurationError) as caught:
        start(app_of(api, path, requirement))
    assert str(caught.value) == f'GET {path} requires owner("usr_id"), but {told}: name one that is there'


def test_a_parameter_counts_wherever_the_path_comes_from(api: ResourceServer) -> None:
    """A prefix of a router, of an inclusion, of a mount; a converter."""
    app, below, router = FastAPI(), FastAPI(), APIRouter(prefix="/{c:str}")
    api.install(app)
    router.get("/x", dependencies=[api.requires(any_of(owner("b"), owner("c")))])(ok)
    below.get("/{d:path}", dependencies=[api.requires(any_of(owner("a"), owner("d")))])(ok)
    app.include_router(router, prefix="/in/{b}")
    app.mount("/on/{a}", below)
    start(app)


class Name(StrEnum):
    ALICE = "alice"


def stripped(user: Annotated[str, StringConstraints(strip_whitespace=True)]) -> None: ...
def lowered(user: Annotated[str, AfterValidator(str.lower)]) -> None: ...
def numbered(user: int) -> None: ...
def identified(number: Annotated[UUID, Path(alias="user")]) -> None: ...
def typed(user: Literal["alice", "bob"]) -> None: ...
def enumerated(user: Name) -> None: ...
def below(user: Annotated[None, Depends(numbered)]) -> None: ...


READINGS = [
    pytest.param("/{user}", numbered, "int", id="int"),
    pytest.param("/{user}", identified, "UUID", id="alias"),
    pytest.param("/{user}", typed, "typing.Literal['alice', 'bob']", id="literal"),
    pytest.param("/{user}", enumerated, "Name", id="enumeration"),
    pytest.param("/{user}", below, "int", id="in-a-dependency"),
    pytest.param("/{user}", stripped, "a changed text", id="stripped"),
    pytest.param("/{user}", lowered, "a changed text", id="validator"),
    pytest.param("/{user:int}", ok, "int", id="converter"),
    pytest.param("/{user:uuid}/notes", ok, "uuid", id="another-converter"),
]


@pytest.mark.parametrize("where", ["route", "mounted"])
@pytest.mark.parametrize(("path", "endpoint", "read_as"), READINGS)
def test_an_owner_whom_the_handler_reads_as_something_else_ends_the_start(
    api: ResourceServer, where: str, path: str, endpoint: Any, read_as: str
) -> None:
    """T1: who is called "007", "+7" or "7.0" would own that path, where the handler finds the data of user 7."""
    app, below = FastAPI(), FastAPI()
    api.install(app)
    (app if where == "route" else below).get(path, dependencies=[api.requires(any_of("a", owner("user")))])(endpoint)
    app.mount("/on", below)
    with pytest.raises(ConfigurationError) as caught:
        start(app)
    assert str(caught.value) == (
        f"GET {'/on' if where == 'mounted' else ''}{path} requires "
        f'owner("user"), which compares texts, but reads user as {read_as}, which several texts may stand for: '
        f"annotate it str, or require a callable"
    )


def test_a_converter_of_a_mount_counts_too(api: ResourceServer) -> None:
    """T1: wherever the parameter is converted."""
    app, below = FastAPI(), FastAPI()
    api.install(app)
    below.get("/notes", dependencies=[api.requires(owner("user"))])(ok)
    app.mount("/{user:int}", below)
    with pytest.raises(ConfigurationError, match="but reads user as int, which"):
        start(app)


UserName = NewType("UserName", str)


def told(user: str) -> None: ...
def named(user: UserName) -> None: ...
def bounded(user: Annotated[str, Path(max_length=9, pattern="^[a-z]+$")]) -> None: ...
def untyped(user) -> None: ...  # type: ignore[no-untyped-def]
def another(user: str, note_id: int) -> None: ...


@pytest.mark.parametrize("endpoint", [told, named, bounded, untyped, another, ok])
def test_an_owner_whom_the_handler_reads_as_the_text_that_he_is_starts(api: ResourceServer, endpoint: Any) -> None:
    """The positive control; what bounds a text does not change it."""
    start(app_of(api, "/{user}/{note_id}", owner("user"), endpoint))


def test_a_mounted_application_and_a_websocket_are_looked_at_too(api: ResourceServer) -> None:
    """Every route that the gate stands in front of."""
    app, below = FastAPI(), FastAPI()
    api.install(app)

    @below.websocket("/feed/{user_id}")
    async def feed(websocket: WebSocket, token: Annotated[AccessToken, api.requires(owner("usr"))]) -> None: ...

    app.mount("/below", below)
    with pytest.raises(ConfigurationError, match=r'^WEBSOCKET /below/feed/\{user_id\} requires owner\("usr"\), but '):
        start(app)


def test_a_scope_that_is_none_is_found_where_only_the_framework_has_seen_it(api: ResourceServer) -> None:
    """``Security(api, scopes=["a b"])`` is a list of one text with a space in it."""
    app = FastAPI()
    api.install(app)

    @app.get("/notes")
    async def read(token: Annotated[AccessToken, Security(api, scopes=["a b"])]) -> None: ...

    with pytest.raises(ConfigurationError, match=r"^GET /notes requires what can't be: 'a b' is no scope: give each"):
        start(app)


async def test_the_server_is_told_that_the_start_failed_after_the_application_has_ended(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """A lifespan that just raises is taken for none, and the server would go on; what was opened is closed."""
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        events.append("up")
        app.get("/late", dependencies=[api.requires(owner("late"))])(ok)
        yield
        events.append("down")
        raise RuntimeError("the pool would not close")

    app = FastAPI(lifespan=lifespan)
    api.install(app)
    server = Server(app)
    await server.to_app.put({"type": "lifespan.startup"})
    with pytest.raises(ConfigurationError, match="GET /late"):
        async with asyncio.timeout(5):
            await server.live()
    assert server.from_app.get_nowait() == {
        "type": "lifespan.startup.failed",
        "message": 'GET /late requires owner("late"), but its path has no parameters: name one that is there',
    }
    assert server.from_app.empty()
    assert (events, issuer.requests) == (["up", "down"], [])
