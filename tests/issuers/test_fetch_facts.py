"""What a fetch tells beside the document, and at what it failed: for whoever examines an issuer."""

import asyncio
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from resource_server.issuers.fetch import Fault, FetchError, HttpFetch
from tests.issuers.certificates import self_signed
from tests.issuers.loopback import Script, answers, says, serve

GOOD = b'{"keys": []}'
START = 1_800_000_000


async def failed(url: str, fetch: HttpFetch) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetch(url)
    return caught.value


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        pytest.param(answers(GOOD, status="404 Not Found"), Fault.STATUS, id="status"),
        pytest.param(answers(b"<html>"), Fault.DOCUMENT, id="html"),
        pytest.param(answers(b"[]"), Fault.DOCUMENT, id="no-object"),
        pytest.param(answers(GOOD, headers="content-encoding: gzip\r\n"), Fault.DOCUMENT, id="compressed"),
        pytest.param(answers(GOOD, length=100), Fault.BROKEN, id="truncated"),
        pytest.param(says(b"SSH-2.0-OpenSSH\r\n\r\n"), Fault.BROKEN, id="another-protocol"),
        pytest.param(says(b""), Fault.BROKEN, id="hangs-up"),
    ],
)
async def test_a_failure_says_at_what_it_failed(script: Script, fault: Fault) -> None:
    """DESIGN §6: an operator has to know whom to ask."""
    async with serve(script) as served:
        assert (await failed(served.url, HttpFetch())).fault is fault


async def test_a_network_s_failures_are_told_apart() -> None:
    """DESIGN §6: no name, nobody there, no address, no TLS."""
    async with serve(answers(GOOD)) as served:
        nobody = served.url
    assert (await failed(nobody, HttpFetch())).fault is Fault.CONNECTION
    assert (await failed("https://nobody.invalid/", HttpFetch())).fault is Fault.NAME
    assert (await failed("ftp://127.0.0.1/", HttpFetch())).fault is Fault.URL


async def test_a_server_that_speaks_no_tls_is_told_apart() -> None:
    """DESIGN §6: the port of plain http, asked by https."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await failed(f"https://127.0.0.1:{port}/", HttpFetch())).fault is Fault.TLS


async def test_an_answer_that_does_not_come_in_time_is_told_apart() -> None:
    """RS-8414-2-a: the headers come, the rest never does."""
    gone = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")
        await gone.wait()

    async with serve(stall) as served:
        assert (await failed(served.url, HttpFetch(within=0.05))).fault is Fault.TIMEOUT
        gone.set()


async def test_a_proxy_that_refuses_is_told_apart() -> None:
    """RFC 9110 §9.3.6: CONNECT."""
    async with serve(answers(b"", status="403 Forbidden")) as proxy:
        fetch = HttpFetch(proxy=proxy.url)
        assert (await failed("https://id.example.com/", fetch)).fault is Fault.PROXY
    assert proxy.requests[0].startswith(b"CONNECT id.example.com:443 ")


@pytest.mark.parametrize(
    ("location", "told"),
    [
        pytest.param("https://u:p@b.example/x?token=1#f", "https://b.example/x", id="no-secret-of-it"),
        pytest.param("/y", "{origin}/y", id="relative"),
        pytest.param("http://[", "", id="no-url"),
        pytest.param("", "", id="none"),
    ],
)
async def test_a_redirect_is_told_without_what_may_be_secret(location: str, told: str) -> None:
    """T37."""
    async with serve(answers(b"", status="302 Found", headers=f"location: {location}\r\n")) as served:
        error = await failed(served.url, HttpFetch())
        origin = served.url.removesuffix("/doc")
    assert (error.fault, error.status, error.location) == (Fault.STATUS, 302, told.format(origin=origin))


@pytest.mark.parametrize(
    ("headers", "date"),
    [
        pytest.param(f"date: {formatdate(START)}\r\n", START, id="said"),
        pytest.param(f"date: {formatdate(START)}\r\nage: 600\r\n", START + 600, id="out-of-a-cache"),
        pytest.param("date: yesterday\r\n", None, id="no-date"),
        pytest.param("", None, id="missing"),
    ],
)
async def test_the_server_s_clock_is_told_as_it_stands_now(headers: str, date: float | None) -> None:
    """RFC 9110 §6.6.1, RFC 9111 §5.1: a cache's answer is as old as it says."""
    async with serve(answers(GOOD, headers=headers)) as served:
        fetched = await HttpFetch()(served.url)
    assert (fetched.date, fetched.size, fetched.certificate_ends) == (date, len(GOOD), None)


async def test_over_tls_the_certificate_s_end_is_told(tmp_path: Path) -> None:
    """DESIGN §6: and one that is not trusted is told apart."""
    certificate = self_signed(tmp_path, days=30.4)
    async with serve(answers(GOOD), tls=certificate.tls) as served:
        ends = (await HttpFetch(ca_file=certificate.file)(served.url)).certificate_ends
        error = await failed(served.url, HttpFetch())
    assert ends is not None
    assert round((ends - time.time()) / 86_400) == 30
    assert error.fault is Fault.CERTIFICATE
    assert str(error).endswith(": ConnectError: self-signed certificate")
