"""HEAD for every GET (RFC 9110 §9.3.2): the same decision and the same header fields, without the content."""

from typing import Any

from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send


class HeadAsGet:
    """ASGI middleware that lets the application see a GET and sends none of its content."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_content(message: Message) -> None:
            without: dict[str, Any] = {"body": b""} if message["type"] == "http.response.body" else {}
            await send({**message, **without})

        await self._app({**scope, "method": "GET"}, receive, send_without_content)
