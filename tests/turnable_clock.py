"""A clock that stands still until a test turns it."""

import asyncio

from resource_server.clock import Clock

START = 1_800_000_000.0


class TurnableClock:
    """Two clocks. ``turn`` is time that passes; setting ``wall`` alone is an administrator or a suspended machine."""

    def __init__(self) -> None:
        self.wall = START
        self.monotonic = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.clock = Clock(wall=lambda: self.wall, monotonic=lambda: self.monotonic, sleep=self._sleep)

    def turn(self, seconds: float) -> None:
        """Let time pass for both clocks, and wake whoever has slept long enough."""
        self.wall += seconds
        self.monotonic += seconds
        for ends, sleeper in self._sleepers:
            if ends <= self.monotonic and not sleeper.done():
                sleeper.set_result(None)
        self._sleepers = [(ends, sleeper) for ends, sleeper in self._sleepers if not sleeper.done()]

    @property
    def sleeping(self) -> list[float]:
        """How many seconds those who sleep have left, the first to wake first."""
        return sorted(ends - self.monotonic for ends, sleeper in self._sleepers if not sleeper.done())

    async def _sleep(self, seconds: float) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.monotonic + seconds, sleeper))
        await sleeper
