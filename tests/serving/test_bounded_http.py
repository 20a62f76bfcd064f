"""The limits of a request's head (threats T28), on the protocol itself."""

import asyncio

import pytest

from resource_server.asgi import Receive, Scope, Send
from tests.serving.wire import Connection

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


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def connection(app: App) -> Connection:
    return Connection(app)


def head(size: int, *, count: int = 2, target: str = "/") -> bytes:
    """A request whose target and fields add up to ``size`` bytes in ``count`` fields, of which one is its host."""
    names = [f"x{number:04}".encode() for number in range(count - 1)]
    room = size - len(target) - len(b"hosta") - sum(map(len, names))
    values = [b"v" * (room // len(names))] * (len(names) - 1)
    values.append(b"v" * (room - sum(map(len, values))))
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in zip(names, values, strict=True))
    return f"GET {target} HTTP/1.1\r\nhost: a\r\n".encode() + fields + b"\r\n"


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


async def test_a_head_of_64_kib_is_read(connection: Connection, app: App) -> None:
    """T28, at the bound."""
    assert await connection.send(head(MAX_HEAD, count=8)) == OK
    assert sum(len(name) + len(value) for name, value in app.seen[0]["headers"]) == MAX_HEAD - 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(head(MAX_HEAD + 1, count=8), id="one byte more in fields"),
        pytest.param(head(MAX_HEAD + 1, target="/" + "p" * (MAX_HEAD - 100)), id="one byte more in the target"),
        pytest.param(head(MAX_HEAD + 1, count=2), id="one field alone"),
    ],
)
async def test_a_head_above_64_kib_is_answered_431_and_the_connection_ends(
    connection: Connection, app: App, data: bytes
) -> None:
    """T28, one past the bound; RFC 6585 §5."""
    assert await connection.send(data) == TOO_LARGE
    assert connection.wire.closed
    assert app.seen == []


@pytest.mark.parametrize("size", [1024, 8192, 65536])
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\nx: ", id="a field"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\n", id="a field's name"),
        pytest.param(b"GET /", id="a target"),
    ],
)
async def test_a_part_of_a_head_that_never_ends_is_answered_431_after_64_kib_and_one_read(
    connection: Connection, start: bytes, size: int
) -> None:
    """T28: the parser holds a single field back until it is complete."""
    sent = len(start)
    answer = await connection.send(start)
    while not answer and sent < 10 * MAX_HEAD:
        answer = await connection.send(b"a" * size)
        sent += size
    assert answer == TOO_LARGE
    assert connection.wire.closed
    assert sent <= MAX_HEAD + 2 * size


async def test_128_fields_are_read(connection: Connection, app: App) -> None:
    """T28, at the bound."""
    assert await connection.send(head(4096, count=128)) == OK
    assert len(app.seen[0]["headers"]) == 128


async def test_129_fields_are_answered_431(connection: Connection, app: App) -> None:
    """T28, one past the bound."""
    assert await connection.send(head(4096, count=129)) == TOO_LARGE
    assert connection.wire.closed
    assert app.seen == []


async def test_the_counts_begin_anew_with_each_request_of_a_connection(connection: Connection) -> None:
    """T28: the bound is one head's, not a connection's."""
    for _ in range(3):
        assert await connection.send(head(MAX_HEAD, count=128)) == OK


async def test_a_head_in_small_pieces_is_read(connection: Connection) -> None:
    """T28: counting what arrives must not count twice."""
    answers = [await connection.send(piece) for piece in pieces(head(MAX_HEAD - 2048, count=100), 500)]
    assert b"".join(answers) == OK


async def test_a_head_that_takes_ten_seconds_is_hung_up_on(connection: Connection) -> None:
    """T28, header time."""
    await connection.send(b"GET / HTTP/1.1\r\nhost: a\r\n")
    for _ in range(9):
        connection.loop.turn(1)
        await connection.send(b"x: y\r\n")
    assert not connection.wire.closed
    connection.loop.turn(1)
    assert connection.wire.closed
    assert connection.wire.sent == b""


async def test_a_connection_that_says_nothing_for_ten_seconds_is_hung_up_on(connection: Connection) -> None:
    """T28, header time."""
    connection.loop.turn(9.9)
    assert not connection.wire.closed
    connection.loop.turn(0.1)
    assert connection.wire.closed


async def test_the_second_heads_ten_seconds_begin_with_its_first_byte(connection: Connection) -> None:
    """T28, header time on a connection that is kept."""
    assert await connection.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n") == OK
    connection.loop.turn(4)
    await connection.send(b"G")
    connection.loop.turn(9.9)
    assert not connection.wire.closed
    connection.loop.turn(0.1)
    assert connection.wire.closed


async def test_a_body_may_take_longer_than_a_head(connection: Connection, app: App) -> None:
    """T28 bounds the head; a slow upload is the application's to judge."""
    await connection.send(b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\na")
    connection.loop.turn(60)
    assert await connection.send(b"b") == OK
    assert app.bodies == [b"ab"]


async def test_a_body_may_be_larger_than_a_head(connection: Connection, app: App) -> None:
    """T28: only a head's bytes are counted."""
    await connection.send(b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % (8 * READ))
    answers = [await connection.send(b"b" * READ) for _ in range(8)]
    assert answers == [b""] * 7 + [OK]
    assert app.bodies == [b"b" * 8 * READ]


async def test_a_lost_connection_leaves_no_clock_running(connection: Connection) -> None:
    """T28: a timer that outlives its connection would keep it in memory."""
    connection.lose()
    connection.wire.closed = False
    connection.loop.turn(60)
    assert not connection.wire.closed


async def test_requests_in_one_packet_are_answered_in_their_order(connection: Connection, app: App) -> None:
    """RFC 9112 §9.3.2: pipelining works."""
    requests = [b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % number for number in range(5)]
    assert await connection.send(b"".join(requests)) == OK * 5
    assert [scope["path"] for scope in app.seen] == ["/0", "/1", "/2", "/3", "/4"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\nbad name: x\r\n\r\n", id="a space in a name"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", id="two lengths"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n folded\r\n\r\n", id="a folded field"),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", id="two framings"
        ),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", id="two hosts"),
        pytest.param(b"GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", id="two hosts in HTTP/1.0"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a, b\r\n\r\n", id="a list of hosts"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a/b\r\n\r\n", id="a host with a path"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: user@a\r\n\r\n", id="a host with a user"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: \xe9\r\n\r\n", id="a host that is not ASCII"),
    ],
)
async def test_what_is_no_http_is_answered_400_without_the_application(
    connection: Connection, app: App, data: bytes
) -> None:
    """RFC 9112 §2.2, §3.2, §5.1, §6.3: requests that two parsers may read in two ways."""
    assert await connection.send(data) == BAD
    assert connection.wire.closed
    assert app.seen == []


@pytest.mark.parametrize(
    "request_head",
    [
        pytest.param(b"GET / HTTP/1.1\r\nhost: a.example:8000\r\n\r\n", id="name"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", id="IPv4"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: [::1]:8000\r\n\r\n", id="IPv6"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a_b-%41\r\n\r\n", id="any name of RFC 3986"),
        pytest.param(b"GET / HTTP/1.1\r\nhost:\r\n\r\n", id="empty"),
    ],
)
async def test_a_host_of_any_proper_form_is_read(connection: Connection, request_head: bytes) -> None:
    """RFC 9112 §3.2, RFC 3986 §3.2.2; an empty one stands for a target without an authority."""
    assert await connection.send(request_head) == OK


async def test_http_1_0_needs_no_host(connection: Connection) -> None:
    """RFC 9112 §3.2 demands it of HTTP/1.1."""
    assert (await connection.send(b"GET / HTTP/1.0\r\n\r\n")).endswith(b"ok")


TRAILER = b"1\r\na\r\n0\r\nAuthorization: Bearer token\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n"


async def test_trailer_fields_do_not_become_header_fields(connection: Connection, app: App) -> None:
    """RFC 9110 §6.5.1: no credentials, no forwarding, from behind the body where no proxy has looked."""
    request = b"POST %s HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    assert await connection.send(request % b"/" + TRAILER) == OK
    assert await connection.send(request % b"/body" + TRAILER) == OK
    for scope in app.seen:
        assert scope["headers"] == [(b"host", b"a"), (b"transfer-encoding", b"chunked")]
    assert app.bodies == [b"a"]


@pytest.mark.parametrize("path", [b"/", b"/body"])
@pytest.mark.parametrize(
    "field", [pytest.param(b"a" * READ, id="one field"), pytest.param(b"a: b\r\n" * 9000, id="many")]
)
async def test_a_trailer_that_never_ends_is_hung_up_on(connection: Connection, path: bytes, field: bytes) -> None:
    """T28: what the parser holds back of a trailer is memory, too."""
    await connection.send(b"POST %s HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: " % path)
    for _ in range(3):
        if not connection.wire.closed:
            await connection.send(field)
    assert connection.wire.closed


async def test_an_answer_that_is_owed_to_an_earlier_request_is_not_given_for_a_later_ones_fault(
    connection: Connection, app: App
) -> None:
    """T30: whoever reads the connection takes the next answer for the first request's."""
    assert await connection.send(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n" + head(MAX_HEAD + 1)) == b""
    assert connection.wire.closed
    app.go_on.set()
    assert await connection.send(b"") == b""


async def test_a_fault_in_a_later_requests_body_is_not_answered_before_the_first_request(
    connection: Connection,
) -> None:
    """T30: likewise."""
    slow = b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n"
    await connection.send(slow + b"POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
    assert await connection.send(b"no chunk size\r\n") == b""
    assert connection.wire.closed


async def test_a_fault_after_the_answer_gets_no_second_answer(connection: Connection) -> None:
    """T30: an answer that nobody asked for would be taken for the next request's."""
    answer = await connection.send(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
    assert answer == OK
    assert await connection.send(b"no chunk size\r\n") == b""
    assert connection.wire.closed


async def test_a_fault_in_a_body_that_is_still_awaited_is_answered_400(connection: Connection, app: App) -> None:
    """RFC 9112 §7.1: the request that is at fault is the one to be answered."""
    await connection.send(b"POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
    assert await connection.send(b"no chunk size\r\n") == BAD
    assert connection.wire.closed
