"""The access log: what is written down about a request, and what never is."""

import logging

import pytest

from resource_server.asgi import Message, Receive, Scope, Send
from resource_server.serving.access_log import AccessLog


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/raises":
        raise RuntimeError("a fault of the application")
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def receive() -> Message:
    return {"type": "http.request"}


async def log_of(caplog: pytest.LogCaptureFixture, path: str, query: bytes = b"", kind: str = "http") -> list[str]:
    async def send(message: Message) -> None:
        del message

    caplog.set_level(logging.INFO, "resource_server.access")
    scope = {"type": kind, "method": "GET", "path": path, "query_string": query, "headers": []}
    await AccessLog(app)(scope, receive, send)
    return caplog.messages


async def test_a_request_is_one_line_of_method_path_status_and_time(caplog: pytest.LogCaptureFixture) -> None:
    """T37: `serve` writes its own access log."""
    [line] = await log_of(caplog, "/orders")
    assert line.rpartition(" ")[0].rpartition(" ")[0] == "GET /orders 401"
    number, unit = line.split(" ")[3:]
    assert unit == "ms"
    assert 0 <= float(number) < 1000


async def test_the_query_is_not_written_down(caplog: pytest.LogCaptureFixture) -> None:
    """T37, RS-6750-2.3-a: a token that somebody puts into the query."""
    [line] = await log_of(caplog, "/orders", b"access_token=canary")
    assert "canary" not in line
    assert "?" not in line


@pytest.mark.parametrize(
    ("path", "written"),
    [
        pytest.param("/a\r\nGET /forged 200", r"/a\r\nGET /forged 200", id="line ends"),
        pytest.param("/\x1b[31mred", r"/\x1b[31mred", id="a terminal's escape"),
        pytest.param("/\u202egnp", r"/\u202egnp", id="right to left override"),
        pytest.param("/\x7f\x9b", r"/\x7f\x9b", id="DEL and CSI"),
        pytest.param("/é", r"/\xe9", id="not ASCII"),
        pytest.param("/\\", r"/\\", id="the backslash itself"),
        pytest.param("/%s%d", "/%s%d", id="a format"),
        pytest.param("/it's", "/it's", id="a quote"),
    ],
)
async def test_a_path_is_written_in_printable_ascii(caplog: pytest.LogCaptureFixture, path: str, written: str) -> None:
    """T35: one line is one request, and no terminal obeys it."""
    [line] = await log_of(caplog, path)
    assert line.startswith(f"GET {written} 401 ")
    assert line.isascii()
    assert line.isprintable()


async def test_a_long_path_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """T35: 256 characters."""
    [line] = await log_of(caplog, "/" + "p" * 300)
    assert line.startswith("GET /" + "p" * 255 + " 401 ")


async def test_a_request_that_fails_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    """A line for each request, above all for those that went wrong."""
    with pytest.raises(RuntimeError, match="a fault of the application"):
        await log_of(caplog, "/raises")
    assert [line[: len("GET /raises 0 ")] for line in caplog.messages] == ["GET /raises 0 "]


async def test_the_lifespan_is_no_request(caplog: pytest.LogCaptureFixture) -> None:
    assert await log_of(caplog, "/orders", kind="lifespan") == []
