"""Every way to write that ``POST …`` needs the scope notes:write, and what each costs a caller without it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response, Security
from pydantic import BaseModel

from resource_server import AccessToken, ResourceServer


class Note(BaseModel):
    text: str


Build = Callable[[ResourceServer], FastAPI]
WRITE = "notes:write"


def annotated(api: ResourceServer) -> FastAPI:
    app = installed(api)

    @app.post("/notes")
    async def write(note: Note, token: Annotated[AccessToken, api.requires(WRITE)]) -> str:
        return token.subject

    return app


def default_value(api: ResourceServer) -> FastAPI:
    app = installed(api)

    @app.post("/notes")
    async def write(note: Note, token: AccessToken = api.requires(WRITE)) -> str:  # noqa: B008 - how it is used
        return token.subject

    return app


def synchronous(api: ResourceServer) -> FastAPI:
    app = installed(api)

    @app.post("/notes")
    def write(note: Note, token: Annotated[AccessToken, api.requires(WRITE)]) -> str:
        return token.subject

    return app


def of_the_route(api: ResourceServer) -> FastAPI:
    app = installed(api)
    app.post("/notes", dependencies=[api.requires(WRITE)])(take_note)
    return app


def of_the_app(api: ResourceServer) -> FastAPI:
    app = FastAPI(dependencies=[api.requires(WRITE)])
    api.install(app)
    app.post("/notes")(take_note)
    return app


def of_the_router(api: ResourceServer) -> FastAPI:
    app = installed(api)
    router = APIRouter(dependencies=[api.requires(WRITE)])
    router.post("/notes")(take_note)
    app.include_router(router)
    return app


def of_the_inclusion(api: ResourceServer) -> FastAPI:
    app = installed(api)
    router = APIRouter()
    router.post("/notes")(take_note)
    app.include_router(router, dependencies=[api.requires(WRITE)])
    return app


def of_a_nested_router(api: ResourceServer) -> FastAPI:
    app = installed(api)
    inner, middle = APIRouter(), APIRouter()
    inner.post("/notes", dependencies=[api.requires(WRITE)])(take_note)
    middle.include_router(inner)
    app.include_router(middle)
    return app


def security(api: ResourceServer) -> FastAPI:
    app = installed(api)

    @app.post("/notes")
    async def write(note: Note, token: Annotated[AccessToken, Security(api, scopes=[WRITE])]) -> str:
        return token.subject

    return app


def security_above(api: ResourceServer) -> FastAPI:
    """The scope is named by the parent of a dependency that names none."""
    app = installed(api)

    async def user(token: Annotated[AccessToken, Security(api)]) -> str:
        return token.subject

    async def person(name: Annotated[str, Depends(user)]) -> str:
        return name

    @app.post("/notes")
    async def write(note: Note, name: Annotated[str, Security(person, scopes=[WRITE])]) -> str:
        return name

    return app


def security_above_requires(api: ResourceServer) -> FastAPI:
    app = installed(api)

    async def user(token: Annotated[AccessToken, api.requires()]) -> str:
        return token.subject

    @app.post("/notes")
    async def write(note: Note, name: Annotated[str, Security(user, scopes=[WRITE])]) -> str:
        return name

    return app


def mounted(api: ResourceServer) -> FastAPI:
    app, below = FastAPI(), FastAPI()
    below.post("/notes", dependencies=[api.requires(WRITE)])(take_note)
    app.mount("/below", below)
    api.install(app)
    return app


def mounted_late(api: ResourceServer) -> FastAPI:
    app, below = installed(api), FastAPI()
    below.post("/notes", dependencies=[api.requires(WRITE)])(take_note)
    app.mount("/below", below)
    return app


def mounted_in_a_router(api: ResourceServer) -> FastAPI:
    app, below, router = installed(api), FastAPI(), APIRouter()
    below.post("/notes", dependencies=[api.requires(WRITE)])(take_note)
    router.mount("/below", below)
    app.include_router(router)
    return app


def mounted_twice(api: ResourceServer) -> FastAPI:
    app, middle, below = installed(api), FastAPI(), FastAPI()
    below.post("/notes", dependencies=[api.requires(WRITE)])(take_note)
    middle.mount("", below)
    app.mount("/below", middle)
    return app


def behind_middleware_in_the_gate(api: ResourceServer) -> FastAPI:
    """Starlette's function middleware receives in a task group, which wraps what is raised there."""
    app = FastAPI()
    app.middleware("http")(pass_on)
    api.install(app)
    app.post("/notes", dependencies=[api.requires(WRITE)])(take_note)
    return app


def behind_middleware_before_the_gate(api: ResourceServer) -> FastAPI:
    app = installed(api)
    app.middleware("http")(pass_on)
    app.post("/notes", dependencies=[api.requires(WRITE)])(take_note)
    return app


def mounted_behind_its_own_middleware(api: ResourceServer) -> FastAPI:
    app, below = installed(api), FastAPI()
    below.middleware("http")(pass_on)
    below.post("/notes", dependencies=[api.requires(WRITE)])(take_note)
    app.mount("/below", below)
    return app


async def take_note(note: Note) -> str:
    return "alice"


async def ok() -> str:
    return "ok"


async def pass_on(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    return await call_next(request)


def installed(api: ResourceServer) -> FastAPI:
    app = FastAPI()
    api.install(app)
    return app


WAYS: list[Any] = [
    annotated,
    default_value,
    synchronous,
    of_the_route,
    of_the_app,
    of_the_router,
    of_the_inclusion,
    of_a_nested_router,
    security,
    security_above,
    security_above_requires,
    mounted,
    mounted_late,
    mounted_in_a_router,
    mounted_twice,
    behind_middleware_in_the_gate,
    behind_middleware_before_the_gate,
    mounted_behind_its_own_middleware,
]


def cases() -> Any:
    """The ways as parameters: what builds the application, and the path of its note."""
    return pytest.mark.parametrize(
        ("build", "path"),
        [pytest.param(way, "/below/notes" if "mounted" in way.__name__ else "/notes", id=way.__name__) for way in WAYS],
    )
