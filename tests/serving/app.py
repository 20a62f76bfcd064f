"""An application behind the protocol that is tried, what one sends to it, and what comes back."""

import asyncio

from resource_server.asgi import Receive, Scope, Send

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
    b'content-length: 56\r\nconnection: close\r\n\r\n{"title":"Request Header Fields Too Large","status":431}'
)
BAD = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
    b'content-length: 36\r\nconnection: close\r\n\r\n{"title":"Bad Request","status":400}'
)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
MAX_HEAD = 64 * 1024
READ = 64 * 1024


class App:
    """Answers ``ok`` and keeps what it was asked; ``/slow`` waits for the test, ``/body`` for the whole body."""

    def __init__(self) -> None:
        self.seen: list[Scope] = []
        self.bodies: list[bytes] = []
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await self.go_on.wait()
        elif scope["path"] == "/body":
            self.bodies.append(await whole_body(receive))
        self.seen.append({**scope, "headers": list(scope["headers"])})
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


async def whole_body(receive: Receive) -> bytes:
    body, message = b"", await receive()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
        message = await receive()
    return body


def head(size: int, *, count: int = 2, target: str = "/") -> bytes:
    """A request whose target and fields add up to ``size`` bytes in ``count`` fields, of which one is its host."""
    names = [f"x{number:04}".encode() for number in range(count - 1)]
    room = size - len(target) - len(b"hosta") - sum(map(len, names))
    values = [b"v" * (room // len(names))] * (len(names) - 1)
    values.append(b"v" * (room - sum(map(len, values))))
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in zip(names, values, strict=True))
    return f"GET {target} HTTP/1.1\r\nhost: a\r\n".encode() + fields + b"\r\n"
