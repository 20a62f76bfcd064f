"""From HTTP to a WebSocket on one connection (RFC 9110 §7.8, RFC 6455 §4): when it is done, and what is read of it."""

import asyncio
from typing import Any

import pytest

from resource_server.asgi import Receive, Scope, Send
from resource_server.credentials import MAX_FIELD
from tests.serving.app import BAD
from tests.serving.wire import Connection

FIELDS = (
    b"host: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def handshake(*lines: bytes, version: bytes = b"1.1") -> bytes:
    return b"GET /feed HTTP/" + version + b"\r\n" + FIELDS + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


class App:
    """Streams at ``/stream`` for as long as a test wants, accepts every WebSocket, and answers ``ok`` to the rest."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await self.go_on.wait()
            return
        length = [] if scope["path"] == "/stream" else [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            await self.go_on.wait()
        await send({"type": "http.response.body", "body": b"ok"})

    @property
    def kinds(self) -> list[str]:
        return [scope["type"] for scope in self.seen]


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def connection(app: App) -> Connection:
    return Connection(app)


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"], ids=["first", "after-an-answer"])
async def test_a_handshake_on_a_connection_that_owes_nothing_is_done(
    connection: Connection, app: App, before: bytes
) -> None:
    """RFC 6455 §4.2: the positive control."""
    if before:
        assert await connection.send(before) == OK
    assert (await connection.send(handshake())).startswith(SWITCHED)
    assert app.kinds[-1] == "websocket"


@pytest.mark.parametrize("together", [False, True], ids=["later", "in-one-packet"])
async def test_a_handshake_while_an_answer_streams_is_no_handshake_but_waits_its_turn(
    connection: Connection, app: App, together: bool
) -> None:
    """T30: it was answered in the middle of the stream, and what was left of that came between the frames."""
    stream = b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n"
    if together:
        answered = await connection.send(stream + handshake())
    else:
        answered = await connection.send(stream) + await connection.send(handshake())
    assert answered.endswith(b"\r\n\r\n5\r\nbegun\r\n")
    assert SWITCHED not in answered
    app.go_on.set()
    assert await connection.send(b"") == b"2\r\nok\r\n0\r\n\r\n" + OK
    assert app.kinds == ["http", "http"]


async def test_http_1_0_has_no_upgrade(connection: Connection, app: App) -> None:
    """RFC 9110 §7.8: a server must ignore the field there."""
    answered = await connection.send(handshake(version=b"1.0"))
    assert answered.startswith(b"HTTP/1.1 200 OK\r\n")
    assert app.kinds == ["http"]


@pytest.mark.parametrize("size", [8 * 1024, MAX_FIELD, MAX_FIELD + 1, 40 * 1024])
async def test_credentials_that_http_reads_are_read_in_a_handshake(connection: Connection, app: App, size: int) -> None:
    """T28: a good token of 8 to 16 KiB was answered 400; what is larger is the gate's to refuse, with 431."""
    field = b"Bearer " + b"t" * (size - 7)
    assert (await connection.send(handshake(b"authorization: " + field))).startswith(SWITCHED)
    assert dict(app.seen[0]["headers"])[b"authorization"] == field


async def test_a_handshake_without_a_host_is_answered_400(connection: Connection, app: App) -> None:
    """RFC 9112 §3.2, like any other request."""
    assert await connection.send(handshake().replace(b"host: a\r\n", b"")) == BAD
    assert (app.seen, connection.wire.closed) == ([], True)
