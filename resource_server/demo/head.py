"""HEAD for every GET (RFC 9110 §9.3.2): the same decision and the same header fields, without the content."""

import asyncio
import contextlib

from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send


class HeadAsGet:
    """ASGI middleware that lets the application see a GET and sends none of its content; says so in Allow fields."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"

        async def send_as_head(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                message["headers"] = [(name, _with_head(name, value)) for name, value in message["headers"]]
            await send(message)

        if head:
            await _until_content({**scope, "method": "GET"}, self._app, receive, send_as_head)
        else:
            await self._app(scope, receive, send_as_head)


async def _until_content(scope: Scope, app: AsgiApp, receive: Receive, send: Send) -> None:
    """Serve a GET without its content; one that comes in pieces is ended, or a feed would hold a HEAD open for ever."""
    content, pieces = asyncio.Event(), asyncio.Event()

    async def send_head(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        if not content.is_set():
            content.set()
            await send({"type": "http.response.body", "body": b""})
        if message.get("more_body"):
            pieces.set()

    serving = asyncio.ensure_future(app(scope, receive, send_head))
    watching = asyncio.ensure_future(pieces.wait())
    try:
        await asyncio.wait((serving, watching), return_when=asyncio.FIRST_COMPLETED)
    finally:
        watching.cancel()
        serving.cancel()  # does nothing to what has ended by itself
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def _with_head(name: bytes, value: bytes) -> bytes:
    methods = {method.strip() for method in value.split(b",")}
    if name.lower() != b"allow" or b"GET" not in methods:
        return value
    return b", ".join(sorted(methods | {b"HEAD"}))
