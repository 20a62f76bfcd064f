"""The ways in which an application may stand below another one, as parameters of tests."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Host, Mount, Router

from resource_server.asgi import AsgiApp, Receive, Scope, Send

PREFIX = "/below"
HOST = {"host": "below.example.com"}


class Copying:
    """Middleware that hands on a copy of the scope."""

    def __init__(self, app: AsgiApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, "headers": list(scope.get("headers", []))}, receive, send)


def hidden(app: AsgiApp) -> AsgiApp:
    """Middleware that nobody can see through."""

    async def wrapper(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return wrapper


def mounted(app: FastAPI, below: FastAPI) -> None:
    app.mount(PREFIX, below)


def wrapped(app: FastAPI, below: FastAPI) -> None:
    app.mount(PREFIX, Copying(Copying(below)))


def behind_middleware_of_the_mount(app: FastAPI, below: FastAPI) -> None:
    app.router.routes.append(Mount(PREFIX, below, middleware=[Middleware(Copying)]))


def below_a_plain_starlette(app: FastAPI, below: FastAPI) -> None:
    app.mount(PREFIX, Starlette(routes=[Mount("/", below)]))


def below_a_bare_router(app: FastAPI, below: FastAPI) -> None:
    app.mount(PREFIX, Router(routes=[Mount("/", Copying(below))]))


def in_an_included_router(app: FastAPI, below: FastAPI) -> None:
    router = APIRouter()
    router.mount(PREFIX, below)
    app.include_router(router)


def on_a_host(app: FastAPI, below: FastAPI) -> None:
    app.router.routes.append(Host(HOST["host"], Router(routes=[Mount(PREFIX, below)])))


Place = Callable[[FastAPI, FastAPI], None]
PLACES: list[Place] = [
    mounted,
    wrapped,
    behind_middleware_of_the_mount,
    below_a_plain_starlette,
    below_a_bare_router,
    in_an_included_router,
    on_a_host,
]


def places() -> Any:
    """What puts an application below another one, at the path prefix and the host above."""
    return pytest.mark.parametrize("place", [pytest.param(place, id=place.__name__) for place in PLACES])
