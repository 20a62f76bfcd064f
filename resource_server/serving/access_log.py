"""The access log, without query strings: a token that somebody puts there is not written down (T37)."""

import logging
import time

from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send

_log = logging.getLogger("resource_server.access")


class AccessLog:
    """ASGI middleware that logs method, path, status and milliseconds of each request."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, method, path, status = time.perf_counter(), scope["method"], scope["path"], 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            # ascii() escapes line ends, terminal controls and whatever else a path may be made of
            _log.info("%s %s %d %.1f ms", method, ascii(path[:256])[1:-1], status, (time.perf_counter() - began) * 1e3)
