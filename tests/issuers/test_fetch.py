import asyncio
import gzip
import json

import pytest

from resource_server.issuers.fetch import MAX_DOCUMENT, TIMEOUT, FetchError, HttpFetch
from tests.issuers.loopback import Script, answers, says, serve

GOOD = b'{"keys": []}'


async def failure(script: Script, *, within: float = TIMEOUT) -> str:
    """What fetching from such a server fails with, without the address."""
    async with serve(script) as served:
        with pytest.raises(FetchError) as caught:
            await HttpFetch(within=within)(served.url)
        prefix = f"{served.url}: "
    assert str(caught.value).startswith(prefix)
    return str(caught.value).removeprefix(prefix)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_json_object_is_answered(host: str) -> None:
    """RS-8414-2-a."""
    async with serve(answers(GOOD), host=host) as served:
        assert (await HttpFetch()(served.url)).document == {"keys": []}


async def test_a_chunked_answer_is_read() -> None:
    """RFC 9112 §7.1."""
    async with serve(
        says(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{"a": \r\n2\r\n1}\r\n0\r\n\r\n')
    ) as served:
        assert (await HttpFetch()(served.url)).document == {"a": 1}


async def test_the_request_is_plain_and_wants_no_compression() -> None:
    """Design §3: the only outgoing HTTP; no cookie, no credentials, no compression that a bomb could use."""
    async with serve(answers(GOOD)) as served:
        await HttpFetch()(served.url)
    [request] = served.requests
    line, *fields = request.decode().strip().split("\r\n")
    assert line == "GET /doc HTTP/1.1"
    headers = dict(header.lower().split(": ", 1) for header in fields)
    assert headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["host"] == served.url.split("/")[2]
    assert not {"cookie", "authorization", "content-length"} & headers.keys()
    assert len(headers) == len(fields)


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 T", "308 P"])
async def test_a_redirect_is_not_followed(status: str) -> None:
    """RS-8414-2-a: neither to another scheme nor to another host, nor anywhere."""
    async with serve(answers(GOOD)) as target:
        said = await failure(answers(b"", status=status, headers=f"location: {target.url}\r\n"))
        assert target.connections == 0
    assert said == f"status {status[:3]}"


@pytest.mark.parametrize(
    "status", ["204 No Content", "201 Created", "206 Partial", "400 X", "401 X", "404 X", "500 X", "503 X"]
)
async def test_any_status_but_200_is_a_failure(status: str) -> None:
    """D26: even with a good document as the body."""
    body = b"" if status.startswith("204") else GOOD
    assert await failure(answers(body, status=status)) == f"status {status[:3]}"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<!doctype html><title>Login</title>", id="html"),
        pytest.param(b'{"keys": [', id="half-a-document"),
        pytest.param(b"\xff\xfe{}", id="no-utf-8"),
        pytest.param('{"keys": []}'.encode("utf-16"), id="utf-16"),
        pytest.param(b"\xef\xbb\xbf{}", id="bom"),
        pytest.param(b"[" * 100_000, id="nested-without-end"),
        pytest.param(b'{"a":' * 50_000 + b"1" + b"}" * 50_000, id="nested-and-closed"),
        pytest.param(b'{"a": ' + b"1" * 10_000 + b"}", id="big-integer"),
    ],
)
async def test_an_answer_that_is_no_json_is_a_failure(body: bytes) -> None:
    """T28: RecursionError is none of the caller's business."""
    assert await failure(answers(body)) == "the answer is no JSON"


@pytest.mark.parametrize("body", [b"[]", b'[{"keys": []}]', b'"keys"', b"1", b"null", b"true", b"NaN"])
async def test_json_that_is_no_object_is_a_failure(body: bytes) -> None:
    """RFC 7517 §5, RFC 8414 §3.2."""
    assert await failure(answers(body)) == "the answer is no JSON object"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"])
async def test_a_compressed_answer_is_a_failure(encoding: str) -> None:
    """Design §9: a small answer could become a huge one."""
    bomb = gzip.compress(b'{"a": "' + b"x" * 10_000_000 + b'"}')
    assert await failure(answers(bomb, headers=f"content-encoding: {encoding}\r\n")) == "the answer is compressed"


def document(size: int) -> bytes:
    return b'{"a": "' + b"x" * (size - 9) + b'"}'


async def test_an_answer_of_1_mib_is_read_and_one_byte_more_is_not() -> None:
    """T28, RS-8414-2-a: tested at the bound and one past it."""
    assert MAX_DOCUMENT == 1024 * 1024
    async with serve(answers(document(MAX_DOCUMENT))) as served:
        assert json.dumps((await HttpFetch()(served.url)).document).encode() == document(MAX_DOCUMENT)
    assert await failure(answers(document(MAX_DOCUMENT + 1))) == "the answer is larger than 1048576 bytes"


async def test_an_endless_answer_is_given_up_at_the_bound() -> None:
    """RS-8414-2-a: a length that the server does not tell is bounded all the same."""

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    assert await failure(endless) == "the answer is larger than 1048576 bytes"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(answers(GOOD, length=100), id="shorter-than-its-length"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nc\r\n" + GOOD), id="unfinished-chunk"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n"), id="bad-chunk"),
        pytest.param(says(b""), id="nothing"),
        pytest.param(says(b"HTTP/1.1 200"), id="half-a-status-line"),
        pytest.param(says(b"SSH-2.0-OpenSSH\r\n\r\n"), id="another-protocol"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000 + b"\r\n\r\n"), id="endless-header"),
    ],
)
async def test_a_truncated_or_broken_answer_is_a_failure(script: Script) -> None:
    """Design §9: half-broken key sets; the reason names the kind of failure alone."""
    assert await failure(script) == "RemoteProtocolError"


async def test_a_server_that_drips_cannot_hold_the_exchange_open() -> None:
    """Design §9, RS-8414-2-a: the time-out spans the whole exchange, not one read."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.002)

    assert await failure(drip, within=0.1) == "TimeoutError"


async def test_a_server_that_says_nothing_is_given_up() -> None:
    """RS-8414-2-a; five seconds by default."""
    assert TIMEOUT == 5.0
    gone = asyncio.Event()

    async def silent(writer: asyncio.StreamWriter) -> None:
        await gone.wait()

    async with serve(silent) as served:
        with pytest.raises(FetchError) as caught:
            await HttpFetch(within=0.05)(served.url)
        gone.set()
    assert str(caught.value) == f"{served.url}: TimeoutError"


async def test_nobody_at_the_address_is_a_failure() -> None:
    """D26."""
    async with serve(answers(GOOD)) as served:
        url = served.url
    with pytest.raises(FetchError, match="ConnectError"):
        await HttpFetch()(url)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://id.example.com/" + "x" * 70_000, id="longer-than-the-client-takes"),
        pytest.param("https://" + "a" * 64 + ".example/", id="label-too-long"),
        pytest.param("https://a..b/", id="empty-label"),
        pytest.param("https://xn--/", id="broken-idna"),
        pytest.param("http://localhost:99999/", id="impossible-port"),
        pytest.param("ftp://127.0.0.1/", id="another-scheme"),
        pytest.param("https:///", id="no-host"),
    ],
)
async def test_a_url_that_leads_nowhere_is_a_failure_and_nothing_else(url: str) -> None:
    """RS-8414-2-a: a jwks_uri comes from the issuer; whatever it says, the refresh must live on."""
    with pytest.raises(FetchError):
        await HttpFetch(within=0.5)(url)


async def test_localhost_is_connected_to_by_its_address() -> None:
    """T23: a name server that lies must not lead plain http elsewhere; the server is still told its name."""
    async with serve(answers(GOOD)) as served:
        url = served.url.replace("127.0.0.1", "localhost")
        assert (await HttpFetch()(url)).document == {"keys": []}
    assert f"host: {url.split('/')[2]}\r\n".encode() in served.requests[0].lower()


async def test_the_environment_is_not_asked_for_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Design §3: no proxy settings from the environment."""
    async with serve(answers(GOOD)) as served, serve(answers(b'{"proxied": 1}')) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await HttpFetch()(served.url)).document == {"keys": []}
        assert proxy.connections == 0
