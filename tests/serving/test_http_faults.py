"""What is no HTTP, and whom a fault is answered to (threats T28, T30), on the protocol itself."""

import pytest

from tests.serving.app import BAD, MAX_HEAD, OK, READ, App, head
from tests.serving.wire import Connection


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
