"""Requests that begin or end elsewhere for one reader than for another (RFC 9112 §11.2)."""

import pytest

from resource_server.development.minting import Mint
from tests.hostile.process import Server
from tests.hostile.raw import BAD, MISSING, ask, bearer, request

UNREAD = b"GET /orders HTTP/1.1\r\nHost: api.example.com\r\n"
GOOD = b"Authorization: Bearer %TOKEN%\r\n"
GARBLED = {
    "obs-fold": UNREAD + b"Authorization:\r\n Bearer %TOKEN%\r\n\r\n",
    "obs-fold-tab": UNREAD + b"X: a\r\n\tAuthorization: Bearer %TOKEN%\r\n\r\n",
    "nul-in-value": UNREAD + b"X: a\0b\r\n" + GOOD + b"\r\n",
    "nul-in-name": UNREAD + b"X\0: a\r\n" + GOOD + b"\r\n",
    "nul-in-token": UNREAD + b"Authorization: Bearer %TOKEN%\0\r\n\r\n",
    "bare-lf": b"GET /orders HTTP/1.1\nHost: a\n" + GOOD.replace(b"\r", b"") + b"\n",
    "one-bare-lf": UNREAD + b"X: a\n" + GOOD + b"\r\n",
    "bare-cr": UNREAD + b"X: a\r" + GOOD + b"\r\n",
    "space-before-colon": UNREAD + b"Authorization : Bearer %TOKEN%\r\n\r\n",
    "space-before-name": UNREAD + b" Authorization: Bearer %TOKEN%\r\n\r\n",
    "no-colon": UNREAD + b"Authorization\r\n" + GOOD + b"\r\n",
    "empty-name": UNREAD + b": a\r\n" + GOOD + b"\r\n",
    "two-hosts": UNREAD + b"Host: evil.example\r\n" + GOOD + b"\r\n",
    "two-lengths": UNREAD + GOOD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "same-length-twice": UNREAD + GOOD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "list-of-lengths": UNREAD + GOOD + b"Content-Length: 2, 2\r\n\r\n{}",
    "negative-length": UNREAD + GOOD + b"Content-Length: -1\r\n\r\n",
    "signed-length": UNREAD + GOOD + b"Content-Length: +2\r\n\r\n{}",
    "hexadecimal-length": UNREAD + GOOD + b"Content-Length: 0x2\r\n\r\n{}",
    "endless-length": UNREAD + GOOD + b"Content-Length: 99999999999999999999\r\n\r\n",
    "empty-length": UNREAD + GOOD + b"Content-Length: \r\n\r\n",
    "length-and-chunked": UNREAD + GOOD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked-and-length": UNREAD + GOOD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "xchunked": UNREAD + GOOD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked-then-identity": UNREAD + GOOD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked-twice": UNREAD + GOOD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "identity": UNREAD + GOOD + b"Transfer-Encoding: identity\r\n\r\n",
    "http-0.9": b"GET /orders\r\n\r\n",
    "http-1.2": b"GET /orders HTTP/1.2\r\nHost: a\r\n" + GOOD + b"\r\n",
    "http-2": b"GET /orders HTTP/2.0\r\nHost: a\r\n" + GOOD + b"Connection: keep-alive\r\n\r\n",
    "http-2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http-9": b"GET /orders HTTP/9.9\r\nHost: a\r\n\r\n",
    "no-http": b"GET /orders XTTP/1.1\r\nHost: a\r\n" + GOOD + b"\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "proxy-protocol": b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + UNREAD + GOOD + b"\r\n",
    "tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n" + GOOD + b"\r\n",
}


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in GARBLED.items()])
def test_what_has_no_one_reading_is_a_bad_request_and_the_connections_end(
    served: Server, user_token: str, data: bytes
) -> None:
    """T28, T30, RFC 9112 §2.2, §3.2, §5, §6: even with a good token; nothing after it is answered."""
    assert ask(served.port, data.replace(b"%TOKEN%", user_token.encode())) == [BAD]


HANDSHAKE = (
    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip
BODIES = {
    "length": b"Content-Length: 28\r\n\r\nGET /healthz HTTP/1.1\r\nX: y\r\n",
    "length-unsent": b"Content-Length: 500\r\n\r\n",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunked-unended": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "expecting": b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
}


@pytest.mark.parametrize("app", ["served", "routes"])
@pytest.mark.parametrize("claims", [None, {}], ids=["anonymous", "lacking-scope"])
@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BODIES.items()])
def test_nothing_is_answered_after_a_refusal_whose_body_nobody_read(
    served: Server, routes: Server, mint: Mint, app: str, body: bytes, claims: dict[str, str] | None
) -> None:
    """T30: what follows might be the body's own text, taken for a request of another user of the connection."""
    line = b"" if claims is None else f"{bearer(mint.access_token())}\r\n".encode()
    port = {"served": served, "routes": routes}[app].port
    answers = ask(port, b"POST /orders HTTP/1.1\r\nHost: a\r\n" + line + body, patient=True)
    assert [answer.status for answer in answers] == [401 if claims is None else 403]
    assert "connection: close" in answers[0].fields


@pytest.mark.parametrize("body", [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
def test_an_upgrade_with_a_body_is_an_ordinary_request(served: Server, body: bytes) -> None:
    """RFC 9110 §7.8, T28: as a handshake it would get no answer and hold the connection for ever."""
    head = request("/orders/socket", *HANDSHAKE, method="POST")[:-2]
    (answer,) = ask(served.port, head + body)
    assert (answer.status, answer.body) == (401, MISSING)


def test_pipelined_requests_are_judged_each_by_its_own_credentials(served: Server, user_token: str) -> None:
    """T9: no outcome outlives its request."""
    good, none = request("/orders", bearer(user_token)), request("/orders")
    bad = request("/orders", "Authorization: Bearer x.y.z")
    answers = ask(served.port, good + none + bad + good + none)
    assert [answer.status for answer in answers] == [200, 401, 401, 200, 401, 200]


def test_a_request_that_stands_in_a_body_is_never_answered(served: Server, user_token: str) -> None:
    """T30: the body is read by its length, with a good token, too."""
    inner = request("/admin/settings", bearer(user_token))
    outer = request("/orders", bearer(user_token), f"Content-Length: {len(inner)}", method="POST", body=inner)
    answers = ask(served.port, outer)
    assert [answer.status for answer in answers] == [422, 200]


@pytest.mark.parametrize("target", ["/orders/socket", "/orders", "/healthz/../orders/socket", "//orders/socket"])
def test_a_handshake_without_a_token_is_refused_like_a_request(served: Server, target: str) -> None:
    """T32, D01."""
    (answer,) = ask(served.port, request(target, *HANDSHAKE), last=False)
    assert (answer.status, answer.body) == (401, MISSING)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([*HANDSHAKE[:3], "Sec-WebSocket-Key: <canary>"], id="key"),
        pytest.param([*HANDSHAKE[:2], "Sec-WebSocket-Version: canary", HANDSHAKE[3]], id="version"),
        pytest.param([*HANDSHAKE, "Sec-WebSocket-Extensions: <canary>"], id="extensions"),
        pytest.param([*HANDSHAKE, "Sec-WebSocket-Protocol: <canary>"], id="protocol"),
        pytest.param([*HANDSHAKE, HANDSHAKE[3]], id="two-keys"),
        pytest.param(HANDSHAKE[:2], id="no-key"),
    ],
)
def test_a_handshake_that_is_none_is_a_bad_request_that_quotes_nothing(
    served: Server, user_token: str, lines: list[str]
) -> None:
    """T30: the library beneath would quote it, or give no answer at all and hold the connection."""
    assert ask(served.port, request("/orders/socket", bearer(user_token), *lines), last=False) == [BAD]
