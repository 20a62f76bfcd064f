"""The limits of a request's head (threats T28), on the protocol itself."""

import pytest

from tests.serving.app import MAX_HEAD, OK, READ, TOO_LARGE, App, head
from tests.serving.wire import Connection


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
