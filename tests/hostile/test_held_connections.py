"""Connections that are held open and say little or nothing (T28): they end, and meanwhile hinder nobody."""

import asyncio
import socket
import time

import pytest

from resource_server.asgi import Receive, Scope, Send
from tests.hostile.process import Server
from tests.hostile.raw import ask, bearer, request
from tests.serving.wire import Connection

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CROWD = 200


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without reading; takes any WebSocket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def connection() -> Connection:
    return Connection(app)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n", id="blank-lines-between-requests"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n", b"a", id="a-body-that-nobody-awaits"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", id="chunks-nobody-awaits"
        ),
    ],
)
async def test_what_trickles_in_after_an_answer_does_not_hold_the_connection(
    connection: Connection, first: bytes, then: bytes
) -> None:
    """T28: each byte stopped the only clock there was, and no other was started."""
    assert await connection.send(first) == OK
    for _ in range(10):
        assert not connection.wire.closed
        await connection.send(then)
        connection.loop.turn(1)
    assert connection.wire.closed


async def test_a_head_that_trickles_in_does_not_hold_the_connection(connection: Connection) -> None:
    """T28: the clock is for the whole head, not for each byte of it."""
    for byte in b"GET / HTTP/":
        assert not connection.wire.closed
        await connection.send(bytes([byte]))
        connection.loop.turn(0.95)
    assert connection.wire.closed


async def test_a_request_that_follows_in_time_is_answered(connection: Connection) -> None:
    """The clock is stopped by what it waits for."""
    assert await connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n") == OK
    assert await connection.send(b"a") == b""
    connection.loop.turn(9)
    assert await connection.send(b"a") == b""
    assert await connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == OK
    assert not connection.wire.closed


async def test_a_websocket_on_a_used_connection_is_not_taken_for_one_that_says_nothing(connection: Connection) -> None:
    """T32: a stream ends with its token, not before."""
    handed_over: list[object] = []
    connection.wire.set_protocol = handed_over.append  # type: ignore[assignment,method-assign]
    assert await connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == OK
    answer = await connection.send(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 101 ")
    connection.loop.turn(60)
    assert (len(handed_over), connection.wire.closed) == (1, False)


def test_two_hundred_idle_connections_hinder_nobody(served: Server, user_token: str) -> None:
    """T33: silent ones, and ones in the middle of a head or of a refused body."""
    beginnings = [
        b"",
        b"GET /orders HTTP/1.1\r\n",
        b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
        b"\r\n",
    ]
    crowd = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(CROWD)]
    try:
        for number, member in enumerate(crowd):
            member.sendall(beginnings[number % len(beginnings)])
        began = time.monotonic()
        for _ in range(20):
            answers = ask(served.port, request("/orders", bearer(user_token)))
            assert [answer.status for answer in answers] == [200, 200]
        assert time.monotonic() - began < 5
    finally:
        for member in crowd:
            member.close()


async def test_half_closed_and_reset_connections_leave_the_server_as_it_was(served: Server, user_token: str) -> None:
    """Clients vanish at every point of a request."""
    whole = request("/orders", bearer(user_token), "Content-Length: 5", method="POST", body=b"hello")
    for size in range(0, len(whole), 40):
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(whole[:size])
        if size % 80:
            writer.write_eof()
            writer.close()
        else:
            writer.transport.abort()
    assert [answer.status for answer in ask(served.port, request("/orders", bearer(user_token)))] == [200, 200]
    assert b"Traceback" not in served.err
