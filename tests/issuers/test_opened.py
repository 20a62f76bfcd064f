"""A server that takes connections and is silent in the TLS handshake: no exchange leaves its socket behind."""

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from resource_server.issuers.fetch import Fault, FetchError, HttpFetch
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.introspection_endpoint import HttpPost
from resource_server.issuers.issuer import Issuer
from tests.introspecting import API, CLIENT
from tests.issuers.asked import asking, endpoint, says
from tests.issuers.certificates import self_signed
from tests.issuers.test_fetch_proxy import tunnel

SOON = 0.05
"""Seconds of real time after which the silence is given up here."""


@pytest.fixture
def silent() -> Iterator[str]:
    """Its address. The connections are taken by the system, so they are no descriptors of this process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _uncollected() -> Iterator[None]:
    """A socket that is lost would be closed by the collector, some time."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def open_descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


async def left_open(exchange: Callable[[], Awaitable[None]]) -> int:
    """How many descriptors five exchanges leave open, after a first one that loads what it needs."""
    await exchange()
    before = open_descriptors()
    for _ in range(5):
        await exchange()
    return open_descriptors() - before


async def test_a_fetch_that_is_given_up_closes_its_connection(silent: str) -> None:
    """Design §9: an issuer that hangs for a day is asked thousands of times."""
    fetch = HttpFetch(within=SOON)

    async def exchange() -> None:
        with pytest.raises(FetchError) as caught:
            await fetch(f"https://{silent}/")
        assert caught.value.fault is Fault.TIMEOUT

    assert await left_open(exchange) == 0


async def test_a_fetch_through_a_proxy_does_so_too(silent: str) -> None:
    """RFC 9110 §9.3.6: the handshake is with the issuer, through the tunnel, which ends with it."""

    async with asyncio.timeout(20), tunnel() as proxy:
        fetch = HttpFetch(within=4 * SOON, proxy=proxy.url)
        for _ in range(3):
            with pytest.raises(FetchError):
                await fetch(f"https://{silent}/")
        assert proxy.connections > 0
    # Here the tunnels have ended, which they would not have with a client that is still there.


async def test_a_fetch_that_is_cancelled_closes_its_connection(silent: str) -> None:
    """Design §9: the program ends while an issuer hangs, or whoever asked for the document has gone."""
    fetch = HttpFetch()

    async def exchange() -> None:
        before = open_descriptors()
        task = asyncio.create_task(fetch(f"https://{silent}/"))
        async with asyncio.timeout(20):
            while open_descriptors() == before:  # noqa: ASYNC110 - what it waits for has no event
                await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await left_open(exchange) == 0


async def test_a_question_that_is_given_up_closes_its_connection(silent: str) -> None:
    """T24: an introspection endpoint that hangs, too."""
    url = f"https://{silent}/introspect"
    introspection = Introspection(endpoint=url, client=CLIENT)
    issuer = Issuer(url="https://id.example.com", audience=API, introspection=introspection)
    post = HttpPost(issuer, introspection, within=SOON)

    async def exchange() -> None:
        with pytest.raises(OSError, match="TimeoutError"):
            await post(url, {"token": "t"}, {})

    assert await left_open(exchange) == 0
    await post.aclose()


async def test_a_question_that_is_answered_keeps_its_connection(tmp_path: Path) -> None:
    """Design §8: the next one is asked on the same."""
    certificate = self_signed(tmp_path)
    async with endpoint(says(), tls=certificate.tls) as address:
        asks = asking(address.url, ca_file=certificate.file)
        for _ in range(3):
            assert await asks.ask("t") is not None
        assert address.connections == 1
        await asks.aclose()
