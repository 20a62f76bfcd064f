"""The bundled API in process, and the issuers that it trusts on real sockets; all the time is turned by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from resource_server import Decision, Issuer, ResourceServer
from resource_server.demo.api import create_api
from resource_server.issuers.fetch import Fetched, HttpFetch
from resource_server.issuers.issuer import MAX_STALE
from tests.calls import UNAVAILABLE, Exchange
from tests.faults.scripted_issuer import ScriptedIssuer
from tests.turnable_clock import TurnableClock

API = "https://api.example.com"
PATIENCE = 20.0
"""Seconds of real time after which what a test waits for will not come."""


class Scene:
    """An API that trusts some issuers; nothing is fetched before it lives, or is asked."""

    def __init__(self, time: TurnableClock, *issuers: ScriptedIssuer, max_stale: float = MAX_STALE) -> None:
        self.time = time
        self.within: dict[str, float] = {}
        """Seconds of real time for an exchange with an issuer, by path, where it is not the usual time."""
        self.fetched: list[str] = []
        """The URLs that were tried, whether anybody was there or not."""
        self.decisions: list[Decision] = []
        self.server = ResourceServer(
            *(Issuer(url=issuer.url, audience=API, grants="everything", max_stale=max_stale) for issuer in issuers),
            clock=time.clock,
            fetch=self._fetch,
            observers=[self.decisions.append],
        )
        self.app = create_api(self.server)
        self._issuers = len(issuers)

    async def _fetch(self, url: str) -> Fetched:
        self.fetched.append(url)
        within = next((seconds for path, seconds in self.within.items() if url.endswith(path)), PATIENCE)
        return await HttpFetch(within=within)(url)

    async def ask(self, token: str | None, path: str = "/api/v1/me") -> Exchange:
        """One request, by default to what any good token opens."""
        headers = [("authorization", f"Bearer {token}")] if token else []
        return await Exchange(self.app, "GET", path, headers=headers).run()

    async def status(self, token: str) -> int:
        """What a token is answered."""
        exchange = await self.ask(token)
        if exchange.status == 503:
            check_unavailable(exchange)
        return exchange.status

    async def statuses(self, tokens: list[str]) -> set[int]:
        """What tokens are answered that come all at once."""
        return set(await asyncio.gather(*map(self.status, tokens)))

    def answering(self, token: str) -> "asyncio.Task[int]":
        """A request that runs beside the test."""
        return asyncio.create_task(self.status(token))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what others bring about."""
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - what it waits for has no event
                await asyncio.sleep(0.001)  # others have the processor meanwhile

    async def rest(self) -> None:
        """Wait until no timer is fetching, and what runs behind the requests has come to its end."""
        await self.until(lambda: len(self.time.sleeping) >= self._issuers)
        await settle()

    async def turn(self, seconds: float) -> None:
        """Let time pass, and the timers fetch that are due."""
        self.time.turn(seconds)
        await settle()
        await self.rest()

    async def turn_to_the_next_try(self) -> float:
        """Let pass the time that the first timer sleeps for, and answer how long it was."""
        seconds = self.time.sleeping[0]
        await self.turn(seconds)
        return seconds

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """The application's life: its start, after the first fetches, until its end."""
        to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        from_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        scope = {"type": "lifespan", "state": {}}
        life = asyncio.create_task(self.app(scope, to_app.get, from_app.put))  # type: ignore[arg-type]
        await to_app.put({"type": "lifespan.startup"})
        assert (await from_app.get())["type"] == "lifespan.startup.complete"
        await settle()
        try:
            yield
        finally:
            await to_app.put({"type": "lifespan.shutdown"})
            await life


async def settle() -> None:
    """Let what is ready to run come to its end."""
    for _ in range(20):
        await asyncio.sleep(0)


def check_unavailable(exchange: Exchange) -> None:
    """D26: a fault of the issuer is no fault of the caller's: no challenge, and when to come again."""
    assert (exchange.status, exchange.body) == (503, UNAVAILABLE)
    assert exchange.field("www-authenticate") == []
    assert exchange.field("cache-control") == ["no-store"]
    [seconds] = exchange.field("retry-after")
    assert 1 <= int(seconds) <= 10
