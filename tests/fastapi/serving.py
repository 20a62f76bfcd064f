"""Every way in which FastAPI and Starlette can serve a path, as parameters of tests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request, WebSocket
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router
from starlette.staticfiles import StaticFiles

from resource_server.asgi import Receive, Scope, Send
from tests.calls import Exchange
from tests.fastapi.below import Copying

SECRET = "what only some may read"
HOST = "below.example.com"


async def answer(_request: Request) -> Response:
    return PlainTextResponse(SECRET)


async def tell() -> str:
    return SECRET


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await greet(WebSocket(scope, receive, send))
    else:
        await PlainTextResponse(SECRET)(scope, receive, send)


async def greet(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(SECRET)
    await websocket.close()


class Endpoint(HTTPEndpoint):
    async def get(self, _request: Request) -> Response:
        return PlainTextResponse(SECRET)


class OfOneSOwn(BaseRoute):
    """A route that Starlette knows nothing of: it may have no path at all."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["type"] == "http" and scope["path"] == "/own" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asgi(scope, receive, send)


def path_operation(app: FastAPI, folder: Path) -> None:
    app.get("/a")(tell)


def included(app: FastAPI, folder: Path) -> None:
    router, inner = APIRouter(prefix="/r"), APIRouter()
    inner.get("/a")(tell)
    router.include_router(inner, prefix="/i")
    app.include_router(router, prefix="/v1")


def of_starlette(app: FastAPI, folder: Path) -> None:
    app.add_route("/a", answer)


def of_starlette_in_an_included_router(app: FastAPI, folder: Path) -> None:
    router = APIRouter()
    router.add_route("/a", answer)
    app.include_router(router, prefix="/v1")


def a_class(app: FastAPI, folder: Path) -> None:
    app.add_route("/a", Endpoint)  # type: ignore[arg-type]


def websocket(app: FastAPI, folder: Path) -> None:
    app.websocket("/a")(greet)


def websocket_of_starlette(app: FastAPI, folder: Path) -> None:
    app.router.add_websocket_route("/a", greet)


def websocket_in_an_included_router(app: FastAPI, folder: Path) -> None:
    router = APIRouter()
    router.websocket("/a")(greet)
    app.include_router(router, prefix="/v1")


def mounted_application(app: FastAPI, folder: Path) -> None:
    below = FastAPI(openapi_url=None)
    below.get("/a")(tell)
    app.mount("/below", below)


def mounted_routes(app: FastAPI, folder: Path) -> None:
    app.router.routes.append(Mount("/below", routes=[Route("/a", answer, methods=["POST"])]))


def mounted_asgi(app: FastAPI, folder: Path) -> None:
    app.mount("/below", asgi)


def mounted_asgi_for_websockets(app: FastAPI, folder: Path) -> None:
    app.mount("/below", asgi)


def mounted_in_an_included_router(app: FastAPI, folder: Path) -> None:
    router = APIRouter()
    router.mount("/below", Copying(asgi))
    app.include_router(router, prefix="/v1")


def mounted_at_the_root(app: FastAPI, folder: Path) -> None:
    app.mount("", asgi)


def files(app: FastAPI, folder: Path) -> None:
    app.mount("/static", StaticFiles(directory=folder))


def host(app: FastAPI, folder: Path) -> None:
    app.router.routes.append(Host(HOST, Router(routes=[Mount("/below", routes=[Route("/a", answer)])])))


def host_in_an_included_router(app: FastAPI, folder: Path) -> None:
    router, below = APIRouter(), FastAPI(openapi_url=None)
    below.get("/a")(tell)
    router.routes.append(Host(HOST, below))
    app.include_router(router, prefix="/v1")


def host_of_asgi(app: FastAPI, folder: Path) -> None:
    app.router.routes.append(Host(HOST, asgi))


def frontend(app: FastAPI, folder: Path) -> None:
    app.frontend("/app", directory=folder)


def frontend_at_the_root(app: FastAPI, folder: Path) -> None:
    app.frontend("/", directory=folder)


def frontend_of_an_included_router(app: FastAPI, folder: Path) -> None:
    router, inner = APIRouter(prefix="/r"), APIRouter()
    inner.frontend("/app", directory=folder)
    router.include_router(inner, prefix="/i")
    app.include_router(router, prefix="/v1")


def frontend_of_a_mounted_application(app: FastAPI, folder: Path) -> None:
    below = FastAPI(openapi_url=None)
    below.frontend("/app", directory=folder)
    app.mount("/below", below)


def default_of_the_router(app: FastAPI, folder: Path) -> None:
    app.router.default = asgi


def default_of_a_mounted_router(app: FastAPI, folder: Path) -> None:
    app.mount("/below", Starlette())
    app.mount("/other", Router(default=asgi))


def route_of_one_s_own(app: FastAPI, folder: Path) -> None:
    app.router.routes.append(OfOneSOwn())


def schema(app: FastAPI, folder: Path) -> None:
    app.openapi_url = "/schema.json"
    app.setup()


@dataclass(frozen=True)
class Way:
    """How something is served, what to ask for it, and how it has to be listed."""

    build: Callable[[FastAPI, Path], None]
    path: str
    listed: str
    """As ``routes`` prints it: the methods, and the path that follows them."""
    method: str = "GET"
    kind: str = "http"
    headers: dict[str, str] = field(default_factory=dict)
    operation: bool = False
    """Whether it is what FastAPI calls a path operation, or a frontend: dependencies of its application count there."""

    @property
    def declared(self) -> str:
        """What declares it public."""
        return self.listed.partition(" ")[2].removeprefix(HOST)

    async def ask(self, app: FastAPI, token: str | None = None) -> Exchange:
        headers = [*self.headers.items(), *([("authorization", f"Bearer {token}")] if token else [])]
        return await Exchange(app, self.method, self.path, headers=headers, type=self.kind).run()


WAYS = [
    Way(path_operation, "/a", "GET /a", operation=True),
    Way(included, "/v1/r/i/a", "GET /v1/r/i/a", operation=True),
    Way(of_starlette, "/a", "GET,HEAD /a"),
    Way(of_starlette_in_an_included_router, "/v1/a", "GET,HEAD /v1/a"),
    Way(a_class, "/a", "ANY /a"),
    Way(websocket, "/a", "WEBSOCKET /a", kind="websocket", operation=True),
    Way(websocket_of_starlette, "/a", "WEBSOCKET /a", kind="websocket"),
    Way(websocket_in_an_included_router, "/v1/a", "WEBSOCKET /v1/a", kind="websocket", operation=True),
    Way(mounted_application, "/below/a", "GET /below/a"),
    Way(mounted_routes, "/below/a", "POST /below/a", method="POST"),
    Way(mounted_asgi, "/below/any/thing", "ANY /below/*", method="BREW"),
    Way(mounted_asgi_for_websockets, "/below/a", "ANY /below/*", kind="websocket"),
    Way(mounted_in_an_included_router, "/v1/below/a", "ANY /v1/below/*"),
    Way(mounted_at_the_root, "/a", "ANY /*"),
    Way(files, "/static/secret.txt", "ANY /static/*"),
    Way(host, "/below/a", f"GET,HEAD {HOST}/below/a", headers={"host": HOST}),
    Way(host_in_an_included_router, "/v1/a", f"GET {HOST}/v1/a", headers={"host": HOST}),
    Way(host_of_asgi, "/a", f"ANY {HOST}/*", headers={"host": HOST}),
    Way(frontend, "/app/secret.txt", "GET,HEAD /app/*", operation=True),
    Way(frontend_at_the_root, "/secret.txt", "GET,HEAD /*", operation=True),
    Way(frontend_of_an_included_router, "/v1/r/i/app/secret.txt", "GET,HEAD /v1/r/i/app/*", operation=True),
    Way(frontend_of_a_mounted_application, "/below/app/secret.txt", "GET,HEAD /below/app/*"),
    Way(default_of_the_router, "/any/thing", "ANY /*"),
    Way(default_of_a_mounted_router, "/other/thing", "ANY /other/*"),
    Way(route_of_one_s_own, "/own", "ANY OfOneSOwn"),
    Way(schema, "/schema.json", "GET,HEAD /schema.json"),
]


def ways_to_serve(which: Callable[[Way], bool] = lambda _way: True) -> Any:
    """Each way, or some; nothing of what it serves requires anything."""
    return pytest.mark.parametrize("way", [pytest.param(way, id=way.build.__name__) for way in WAYS if which(way)])
