"""The bundled API as it stands behind a proxy that keeps a part of a host's paths for it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import uvicorn

from resource_server.asgi import AsgiApp, Receive, Scope, Send
from resource_server.demo.api import create_api
from resource_server.development.authorization_server import create_authorization_server
from resource_server.fastapi import ApiDocs, ResourceServer

PREFIX = "/notes/v2"


@dataclass(frozen=True)
class Prefixed:
    """Where it is, and who can log in."""

    url: str
    passwords: dict[str, str]


@contextmanager
def running() -> Iterator[Prefixed]:
    """Run it, and a development authorization server beside it, while the context lasts."""
    with ExitStack() as stack:
        api_socket, issuer_socket = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        origin, issuer = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in (api_socket, issuer_socket))
        url = origin + PREFIX
        redirects = [f"{url}/docs/oauth2-redirect"]
        provider = create_authorization_server(issuer, url, api_origin=origin, redirect_uris=redirects)
        server = ResourceServer(issuer, audience=url, observers=())
        docs = ApiDocs(client_id=provider.credentials.public_client_id, parameters={"resource": url})
        stack.enter_context(_serving(provider.app, issuer_socket))
        stack.enter_context(_serving(_below(create_api(server, docs=docs)), api_socket))
        yield Prefixed(url, dict(provider.credentials.passwords))


def _below(app: AsgiApp) -> AsgiApp:
    """Pass on what is asked for below the prefix, and nothing else."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["path"].startswith(f"{PREFIX}/"):
            await app({**scope, "root_path": PREFIX}, receive, send)
        else:
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})

    return answer


@contextmanager
def _serving(app: AsgiApp, bound: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
