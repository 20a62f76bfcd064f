"""Requests to an ASGI application in process: through a client, and message by message."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx2

from resource_server.asgi import AsgiApp

MISSING = (
    b'{"title":"Unauthorized","status":401,'
    b'"detail":"This resource needs an access token: Authorization: Bearer <token>."}'
)
"""The body where no credentials came."""
INVALID = b'{"error":"invalid_token","error_description":"The access token is invalid","status":401}'
DENIED = b'{"error":"access_denied","error_description":"You are not allowed to do this","status":403}'
UNAVAILABLE = (
    b'{"error":"temporarily_unavailable","error_description":"Authorization cannot be verified at the moment",'
    b'"status":503}'
)
LACKS_SCOPE = 'error="insufficient_scope", error_description="The access token lacks the required scope"'


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def call(
    app: AsgiApp,
    method: str,
    path: str,
    *,
    token: str | None = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    raise_failures: bool = False,
    **options: Any,
) -> httpx2.Response:
    """One request; what the application fails with is a 500, as on a server, unless failures are to be raised."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=raise_failures)
    fields = [*(headers.items() if isinstance(headers, Mapping) else headers)]
    if token is not None:
        fields.append(("authorization", f"Bearer {token}"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        return await client.request(method, path, headers=fields, **options)


class Exchange:
    """One request of which every message is seen: how much was read, and what was sent.

    ``at_receive`` is given the scope whenever the application receives, and may raise.
    """

    def __init__(
        self,
        app: AsgiApp,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        at_receive: Callable[[dict[str, Any]], None] | None = None,
        **scope: Any,
    ) -> None:
        self.received = 0
        self.sent: list[Any] = []
        self._app = app
        self._body = body
        self._at_receive = at_receive
        fields = [(name.encode(), value.encode()) for name, value in headers]
        if body:
            fields += [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": fields,
            "client": ("192.0.2.1", 50000),
            "server": ("testserver", 80),
            **scope,
        }

    async def run(self) -> "Exchange":
        await self._app(self.scope, self._receive, self._send)
        return self

    async def _receive(self) -> dict[str, Any]:
        self.received += 1
        if self._at_receive is not None:
            self._at_receive(self.scope)
        if self.scope["type"] == "websocket":
            return {"type": "websocket.connect"} if self.received == 1 else {"type": "websocket.disconnect"}
        if self.received == 1:
            return {"type": "http.request", "body": self._body, "more_body": False}
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Header fields in their order, repeated ones as often as they were sent."""
        return [(name.decode(), value.decode()) for name, value in self.sent[0]["headers"]]

    def field(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known == name]

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def json(self) -> Any:
        return json.loads(self.body)
