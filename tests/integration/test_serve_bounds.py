"""What a stranger can make ``serve`` read, over real sockets (threats T28, T30)."""

import select
import socket

import pytest

from tests.integration.exchange import METADATA, Answer, bearer, connect, parse, read, send
from tests.integration.key_server import KeyServer
from tests.integration.serving import Served

GIGABYTE = 10**9
NEXT_TO_NOTHING = 8 * 1024 * 1024
"""Buffers of the two kernels included."""
PIECE = b"a" * 65536
BARE = f'Bearer realm="api", scope="orders:write", resource_metadata="{METADATA}"'
NARROW = (
    'Bearer realm="api", error="insufficient_scope", error_description="The access token lacks the required scope", '
    f'scope="orders:write", resource_metadata="{METADATA}"'
)


def head(*fields: str) -> bytes:
    return "\r\n".join(["POST /orders HTTP/1.1", "Host: a", "Content-Type: application/json", *fields, "", ""]).encode()


def pour(connection: socket.socket, most: int) -> tuple[bytes, int]:
    """Send until the server hangs up: what it said, and how much it let be sent."""
    connection.setblocking(False)
    answer, sent = b"", 0
    while sent < most:
        readable, writable, _ = select.select([connection], [connection], [], 10)
        assert readable or writable, "the server neither reads nor answers"
        try:
            if readable:
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
            if writable:
                sent += connection.send(PIECE)
        except ConnectionError:
            break
    return answer, sent


@pytest.mark.parametrize("framing", [f"Content-Length: {GIGABYTE}", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(("scope", "challenge"), [(None, BARE), ("orders:read", NARROW)], ids=["no token", "no scope"])
def test_a_gigabyte_is_refused_before_it_is_read(
    served: Served, keys: KeyServer, framing: str, scope: str | None, challenge: str
) -> None:
    """T30: the decision falls before the body, and the connection ends with it."""
    credentials = [bearer(keys.mint.access_token(scope=scope))] if scope else []
    with connect(served.port) as connection:
        connection.sendall(head(framing, *credentials))
        if "chunked" in framing:
            connection.sendall(f"{GIGABYTE:x}\r\n".encode())
        data, sent = pour(connection, GIGABYTE)
    answer = parse(data)
    assert answer.status == (403 if scope else 401)
    assert answer.challenges == [challenge]
    assert answer.all("connection") == ["close"]
    assert sent < NEXT_TO_NOTHING


def test_the_answer_comes_while_the_body_is_still_awaited(served: Served) -> None:
    """T30: at once, and then the end; nothing of the body has been sent."""
    with connect(served.port) as connection:
        connection.sendall(head(f"Content-Length: {GIGABYTE}"))
        answer = parse(read(connection))
    assert (answer.status, answer.challenges, answer.all("connection")) == (401, [BARE], ["close"])


def test_what_follows_an_unread_body_is_not_taken_for_a_request(served: Served) -> None:
    """T30: a body that was refused must not come back as the connection's next request."""
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with connect(served.port) as connection:
        connection.sendall(head(f"Content-Length: {len(smuggled)}") + smuggled + smuggled)
        try:
            data = read(connection)
        except ConnectionResetError:  # the kernel's word for an unread body
            return
    assert data.count(b"HTTP/1.1 ") == 1
    assert parse(data).status == 401


def test_a_refusal_is_sent_without_100_continue(served: Served) -> None:
    """T30, RFC 9110 §10.1.1: nobody is asked for a body that will not be read."""
    with connect(served.port) as connection:
        connection.sendall(head("Content-Length: 16", "Expect: 100-continue"))
        answer = parse(read(connection))
    assert (answer.status, answer.challenges, answer.all("connection")) == (401, [BARE], ["close"])


def test_a_body_that_will_be_read_is_asked_for(served: Served, keys: KeyServer) -> None:
    """RFC 9110 §10.1.1, the good side."""
    body = b'{"item":"lamp"}'
    token = bearer(keys.mint.access_token(scope="orders:write"))
    with connect(served.port) as connection:
        fields = (token, f"Content-Length: {len(body)}", "Expect: 100-continue", "Connection: close")
        connection.sendall(head(*fields))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert parse(read(connection)).status == 201


def endless(port: int, data: bytes, piece: bytes) -> Answer:
    """Begin a head and never end it."""
    with connect(port) as connection:
        connection.sendall(data)
        sent = len(data)
        while sent < 1024 * 1024 and not select.select([connection], [], [], 0)[0]:
            try:
                sent += connection.send(piece)
            except ConnectionError:
                break
        return parse(connection.recv(65536))


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nx: ", b"a" * 1000, id="one field"),
        pytest.param(b"GET / HTTP/1.1\r\n", b"x: %s\r\n" % (b"a" * 990), id="many fields"),
        pytest.param(b"GET /", b"a" * 1000, id="the target"),
    ],
)
def test_a_head_that_never_ends_is_answered_431(served: Served, start: bytes, piece: bytes) -> None:
    """T28: 64 KiB."""
    answer = endless(served.port, start, piece)
    assert answer.status == 431
    assert answer.body == {"title": "Request Header Fields Too Large", "status": 431}
    assert answer.all("connection") == ["close"]
    assert answer.all("cache-control") == ["no-store"]


def test_128_fields_are_read_and_129_are_not(served: Served) -> None:
    """T28, at the bound and one past it; Host and Connection are two of them."""
    assert send(served.port, "GET", "/healthz", *["X: y"] * 126).status == 200
    assert send(served.port, "GET", "/healthz", *["X: y"] * 127).status == 431


def test_what_is_no_http_is_answered_400(served: Served) -> None:
    """RFC 9112 §2.2; no word about who answers."""
    with connect(served.port) as connection:
        connection.sendall(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03")
        answer = parse(read(connection))
    assert (answer.status, answer.body) == (400, {"title": "Bad Request", "status": 400})
    assert answer.all("server") == []
