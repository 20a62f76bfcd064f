"""For how long a request waits for keys: whoever is slow, it is not the client who has to pay for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from resource_server.clock import Clock
from resource_server.single_flight import SingleFlight

PATIENCE: Final = 2.0
"""Seconds that a fetch may take until those who wait for it are told to come again."""

Work = Callable[[], Awaitable[None]]


class PatientFlight:
    """One fetch, many waiters, and none of them waits for more than :data:`PATIENCE` from its beginning.

    The fetch goes on behind them. Once one has taken longer, nobody waits any more until one has succeeded: an issuer
    that hangs costs the first requests two seconds, and the others nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._flight: SingleFlight[None] = SingleFlight(shares_finished=False)  # a key may be newer than the answer
        self._wait: SingleFlight[bool] = SingleFlight()
        self._began = 0.0
        self._lost = False

    @property
    def is_running(self) -> bool:
        """Whether a fetch is under way."""
        return self._flight.is_running

    def start(self, work: Work) -> "asyncio.Task[None]":
        """Fetch behind the requests, unless that is done already."""
        if not self._flight.is_running:
            self._began = self._clock.monotonic()
            self._wait = SingleFlight()  # that for an earlier fetch may have yet to be heard of
        return self._flight.start(work)

    async def finish(self, work: Work) -> None:
        """Fetch, or share the fetch that is under way, however long it takes."""
        self.start(work)
        await self._flight.join(work)

    async def wait(self, work: Work) -> bool:
        """Fetch, or share the fetch that is under way. False where it takes too long, or an earlier one did."""
        fetching = self.start(work)
        left = self._began + PATIENCE - self._clock.monotonic()
        self._lost = self._lost or left <= 0
        return not self._lost and await self._wait.join(lambda: self._wait_for(fetching, left))

    def succeeded(self) -> None:
        """The issuer answers: it may be waited for again."""
        self._lost = False

    async def _wait_for(self, fetching: "asyncio.Task[None]", seconds: float) -> bool:
        """One wait for all, so that a thousand requests need one timer."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((fetching, sleeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
        if not fetching.done():
            self._lost = True
            return False
        fetching.result()  # raises where the end of the program has cancelled it
        return True


def is_being_cancelled() -> bool:
    """Whether this task is, by whoever ends the program, and not by what it has waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
