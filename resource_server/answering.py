"""How a refusal is answered without the application, and what is added to the application's own answers."""

from typing import Final, Protocol

from resource_server.asgi import Message, Receive, Scope, Send
from resource_server.challenge import Answer

POLICY_VIOLATION: Final = 1008
"""How a WebSocket is closed that would be refused by now (RFC 6455 §7.4.1)."""
TRY_AGAIN_LATER: Final = 1013
"""How one is closed about which nobody can tell: it is not its client's fault (IANA, WebSocket Close Code Numbers)."""
HEURISTICALLY_CACHED: Final = (404, 405)
"""Statuses that shared caches may keep unasked (RFC 9110 §15.1)."""


class Answered(Protocol):
    """What has been decided about a request, as far as its answer shows it."""

    @property
    def bare_challenge(self) -> str:
        """The challenge of one who has not tried yet."""
        ...

    @property
    def answer(self) -> Answer | None:
        """The refusal's answer, once there is one."""
        ...

    @property
    def authenticated(self) -> bool:
        """Whether the request has been found to bear a good token."""
        ...


def complete(message: Message, decided: Answered, scope: Scope, *, body_read: bool) -> list[bytes]:
    """Add what the application's own handlers may have lost or could not know.

    Gives the names of the fields that the application has set, in lower case.
    """
    message["headers"] = headers = [*message.get("headers", ())]
    names = []
    for name, _ in headers:
        names.append(name.lower())
    status, answer = message["status"], decided.answer
    if status >= 400:
        if b"www-authenticate" not in names:
            headers += _lost_challenges(status, decided)
        if not body_read and b"connection" not in names and has_body(scope):
            headers.append((b"connection", b"close"))  # or else the server reads on, however much was announced
    if b"cache-control" not in names:
        if answer is not None or status in HEURISTICALLY_CACHED:
            headers.append((b"cache-control", b"no-store"))
        elif decided.authenticated:
            headers.append((b"cache-control", b"private"))
    return names


def _lost_challenges(status: int, decided: Answered) -> list[tuple[bytes, bytes]]:
    answer = decided.answer
    if answer is not None and status == answer.status:
        return [pair for pair in _raw(answer) if pair[0] == b"www-authenticate"]
    # of every 401, whoever gave it
    return [(b"www-authenticate", decided.bare_challenge.encode())] if status == 401 else []


async def refuse(scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
    """Answer without the application: HTTP, or a WebSocket's handshake (ASGI denial response extension)."""
    websocket = scope["type"] == "websocket"
    prefix = "websocket.http.response" if websocket else "http.response"
    if websocket and prefix not in scope.get("extensions", {}):
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return
    content = answer.content
    headers = [*_raw(answer), (b"content-length", str(len(content)).encode())]
    if not websocket and has_body(scope):
        headers.append((b"connection", b"close"))
    if websocket:
        await receive()
    await send({"type": f"{prefix}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": b"" if scope.get("method") == "HEAD" else content})


def has_body(scope: Scope) -> bool:
    """Whether the request announced a body (RFC 9112 §6); HTTP/2 ends one stream and knows no Connection field."""
    return scope.get("http_version", "1.1") < "2" and any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
        for name, value in scope["headers"]
    )


def _raw(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in answer.headers]
