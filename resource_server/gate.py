"""Decides before the first byte of the body is read. Pure ASGI: knows no framework.

Routing happens before anybody calls ``receive``, so by then the matched route and its requirements are known; the gate
stands in front of ``receive``, decides there, and raises the refusal through it. It also sees the lifespan, so the keys
are refreshed without the application's doing anything.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Protocol

from resource_server.challenge import Answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HEURISTICALLY_CACHED: Final = (404, 405)
"""Statuses that shared caches may keep unasked (RFC 9110 §15.1)."""


class Passage(Protocol):
    """What the gate asks of a resource server, for one request."""

    @property
    def answer(self) -> Answer | None:
        """The refusal's answer, once there is one."""
        ...

    @property
    def authenticated(self) -> bool:
        """Whether the request has been found to bear a good token."""
        ...

    async def decide_unrouted(self) -> None:
        """Decide before routing, where everything is protected; a refusal sets ``answer``."""
        ...

    async def decide_routed(self) -> bool:
        """Decide for the matched route; raises the refusal. False where no route has been matched yet."""
        ...

    def end(self) -> None:
        """The answer begins: tell the observers, once."""
        ...


class Protected(Protocol):
    """The resource server behind a gate."""

    def passage(self, scope: Scope) -> Passage:
        """The passage of one request."""
        ...

    async def run(self) -> None:
        """Keep the keys fresh until cancelled."""
        ...


class Gate:
    """ASGI middleware in front of a protected application."""

    def __init__(self, app: AsgiApp, server: Protected) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request, a handshake or the lifespan on."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        passage = self._server.passage(scope)
        await passage.decide_unrouted()
        try:
            if passage.answer is not None:
                await _refuse(scope, receive, send, passage.answer)
            elif scope["type"] == "http":
                await self._pass(passage, scope, receive, send)
            else:
                await self._app(scope, receive, send)
        finally:
            passage.end()

    async def _pass(self, passage: Passage, scope: Scope, receive: Receive, send: Send) -> None:
        decided = body_read = False

        async def receive_when_decided() -> Message:
            nonlocal decided, body_read
            if not decided:
                decided = await passage.decide_routed()
            body_read = True
            return await receive()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                passage.end()
                _complete(message, passage, unread=not body_read and _has_body(scope))
            await send(message)

        await self._app(scope, receive_when_decided, send_with_headers)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        task: asyncio.Task[None] | None = None

        async def send_and_start(message: Message) -> None:
            nonlocal task
            if message["type"] == "lifespan.startup.complete":
                task = asyncio.get_running_loop().create_task(self._server.run())
            await send(message)

        try:
            await self._app(scope, receive, send_and_start)
        finally:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])


def _complete(message: Message, passage: Passage, *, unread: bool) -> None:
    """Add what the application's own handlers may have lost or could not know."""
    headers = list(message.get("headers", []))
    names = {name.lower() for name, _ in headers}
    answer = passage.answer
    if answer is not None and message["status"] == answer.status and b"www-authenticate" not in names:
        headers += [pair for pair in _raw(answer) if pair[0] == b"www-authenticate"]
    if unread and message["status"] >= 400:
        headers.append((b"connection", b"close"))  # or else the server reads on, however much was announced
    if b"cache-control" not in names:
        if answer is not None or message["status"] in HEURISTICALLY_CACHED:
            headers.append((b"cache-control", b"no-store"))
        elif passage.authenticated:
            headers.append((b"cache-control", b"private"))
    message["headers"] = headers


async def _refuse(scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
    """Answer without the application: HTTP, or a WebSocket's handshake (ASGI denial response extension)."""
    websocket = scope["type"] == "websocket"
    prefix = "websocket.http.response" if websocket else "http.response"
    if websocket and prefix not in scope.get("extensions", {}):
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    content = answer.content
    headers = [*_raw(answer), (b"content-length", str(len(content)).encode())]
    if not websocket and _has_body(scope):
        headers.append((b"connection", b"close"))
    if websocket:
        await receive()
    await send({"type": f"{prefix}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": b"" if scope.get("method") == "HEAD" else content})


def _raw(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in answer.headers]


def _has_body(scope: Scope) -> bool:
    """Whether the request announced a body (RFC 9112 §6)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
        for name, value in scope["headers"]
    )
