"""An outgoing proxy: real ones on loopback, by absolute address and by CONNECT; its password is shown nowhere."""

import asyncio
import base64
import contextlib
import logging
import re
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.fetch import FetchError, HttpFetch
from resource_server.issuers.issuer import Issuer
from tests.issuers.certificates import self_signed
from tests.issuers.loopback import Served, answers, serve

GOOD = b'{"keys": []}'
SECRET = "correct-horse"
BASIC = base64.b64encode(f"operator:{SECRET}".encode())


@asynccontextmanager
async def tunnel() -> AsyncIterator[Served]:
    """A proxy that connects to wherever it is told (RFC 9110 §9.3.6)."""
    served = Served()
    tasks: list[asyncio.Task[None] | None] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65_536):
                writer.write(piece)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        served.connections += 1
        try:
            served.requests.append(await reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):  # who has given up already asks for nothing
            writer.close()
            return
        host, port = served.requests[-1].split(b" ")[1].decode().split(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(relay(reader, far_writer), relay(far_reader, writer))

    async with await asyncio.start_server(connect, "127.0.0.1", 0) as server:
        served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield served
        await asyncio.gather(*(task for task in tasks if task is not None))


def with_password(url: str) -> str:
    """The proxy's address, with its credentials."""
    return url.replace("//", f"//operator:{SECRET}@").removesuffix("/doc")


async def test_a_proxy_is_asked_for_an_https_document_by_connect(tmp_path: Path) -> None:
    """Known pain 24: TLS is with the issuer, through the proxy, which sees neither path nor document."""
    certificate = self_signed(tmp_path)
    async with serve(answers(GOOD), tls=certificate.tls) as issuer, tunnel() as proxy:
        fetch = HttpFetch(ca_file=certificate.file, proxy=with_password(proxy.url))
        assert (await fetch(issuer.url)).document == {"keys": []}
        address = issuer.url.split("/")[2]
    [asked] = proxy.requests
    assert asked.startswith(f"CONNECT {address} HTTP/1.1\r\n".encode())
    assert b"proxy-authorization: basic " + BASIC.lower() in asked.lower()
    [received] = issuer.requests
    assert received.startswith(b"GET /doc HTTP/1.1\r\n")
    assert b"proxy-authorization" not in received.lower()


async def test_a_proxy_is_asked_for_a_loopback_document_by_its_whole_address() -> None:
    """RFC 9112 §3.2.2: nobody but the proxy gets a connection."""
    async with serve(answers(b"{}")) as issuer, serve(answers(GOOD)) as proxy:
        assert (await HttpFetch(proxy=with_password(proxy.url))(issuer.url)).document == {"keys": []}
        assert issuer.connections == 0
        assert proxy.requests[0].startswith(f"GET {issuer.url} HTTP/1.1\r\n".encode())


async def test_a_certificate_is_checked_through_the_proxy_too(tmp_path: Path) -> None:
    """Known pain 24: a proxy that breaks TLS open is not trusted unless its authority is."""
    certificate = self_signed(tmp_path)
    async with serve(answers(GOOD), tls=certificate.tls) as issuer, tunnel() as proxy:
        with pytest.raises(FetchError, match="self-signed certificate"):
            await HttpFetch(proxy=with_password(proxy.url))(issuer.url)
        assert issuer.requests == []


@pytest.mark.parametrize(
    "status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway", "302 Found", "nonsense"]
)
@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_proxy_that_refuses_is_a_failure_that_shows_no_password(
    caplog: pytest.LogCaptureFixture, scheme: str, status: str
) -> None:
    """T37: neither in the error, its causes and their reprs, nor in any log, down to the client's own."""
    caplog.set_level(logging.DEBUG)
    url = "https://id.example.com/keys" if scheme == "https" else "http://127.0.0.1:9/keys"
    async with serve(answers(b"", status=status, headers="location: /elsewhere\r\n")) as proxy:
        fetch = HttpFetch(proxy=with_password(proxy.url))
        with pytest.raises(FetchError) as caught:
            await fetch(url)
    assert str(caught.value).startswith(f"{url}: ")
    shown = "".join([*traceback.format_exception(caught.value), repr(caught.value), repr(fetch), caplog.text])
    shown += "".join(repr(cause) for cause in (caught.value.__cause__, caught.value.__context__))
    assert SECRET not in shown
    assert BASIC.decode() not in shown


async def test_a_proxy_that_is_not_there_is_a_failure_that_shows_no_password(caplog: pytest.LogCaptureFixture) -> None:
    """T37."""
    caplog.set_level(logging.DEBUG)
    async with serve(answers(GOOD)) as proxy:
        gone = with_password(proxy.url)
    with pytest.raises(FetchError) as caught:
        await HttpFetch(proxy=gone)("https://id.example.com/keys")
    assert str(caught.value) == "https://id.example.com/keys: ConnectError"
    assert SECRET not in "".join([*traceback.format_exception(caught.value), caplog.text])


@pytest.mark.parametrize(
    "proxy",
    [
        "", "proxy.example.com:3128", "//proxy.example.com", "http://", "http://:3128", "http://proxy:0x50",
        "http://proxy:99999", "http://[::1", "socks5://proxy.example.com", "ftp://proxy.example.com",
        f"socks5://operator:{SECRET}@proxy.example.com", f"http://operator:{SECRET}@", f"operator:{SECRET}@proxy:3128",
    ],
)  # fmt: skip
def test_what_is_no_proxy_ends_the_start_and_is_not_quoted(proxy: str) -> None:
    """Design §5, T37: it may hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        HttpFetch(proxy=proxy)
    assert str(caught.value) == "proxy must be the URL of an HTTP proxy, as in http://proxy.example.com:3128"
    assert caught.value.__cause__ is None


def test_an_issuer_does_not_show_its_proxy() -> None:
    """T37: a repr ends up in logs."""
    proxy = f"http://operator:{SECRET}@proxy.example.com:3128"
    issuer = Issuer(url="https://id.example.com", audience="https://api.example.com", proxy=proxy)
    assert not re.search(r"operator|horse|proxy\.example", repr(issuer))
