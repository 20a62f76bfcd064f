"""HEAD for every GET (RFC 9110 §9.3.2): the same decision and the same header fields, without the content."""

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
            elif message["type"] == "http.response.body" and head:
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if head else scope, receive, send_as_head)


def _with_head(name: bytes, value: bytes) -> bytes:
    methods = {method.strip() for method in value.split(b",")}
    if name.lower() != b"allow" or b"GET" not in methods:
        return value
    return b", ".join(sorted(methods | {b"HEAD"}))
