"""Interleaved rounds, and what may be said of them: medians of the ratios within one round.

A machine that slows down slows all rows of a round, and what counts is CPU time: two neighbours on the same cores make
a wall clock lie, a ratio of CPU times much less so.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
"""Where the processes that are measured start: the package is imported from there."""
Batch = Callable[[int], None]
"""Does something so many times."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a measurement takes: the number of rounds, and the seconds that a row takes in each."""

    rounds: int
    seconds: float


TINY: Final = Pace(rounds=1, seconds=0.0)
"""Shows that a benchmark works; measures nothing."""


class Times:
    """CPU microseconds a call, by row and round."""

    def __init__(self, rounds: Mapping[str, list[float]]) -> None:
        self._rounds = rounds

    def __contains__(self, row: str) -> bool:
        return row in self._rounds

    def __iter__(self) -> Any:
        return iter(self._rounds)

    def microseconds(self, row: str) -> float:
        """The median."""
        return statistics.median(self._rounds[row])

    def ratio(self, row: str, to: str) -> float:
        """How many times as much as another row: the median over the rounds."""
        return statistics.median(a / b for a, b in zip(self._rounds[row], self._rounds[to], strict=True))


def interleave(rows: Mapping[str, Batch], pace: Pace) -> Times:
    """Measure all rows in turn, again and again."""
    counts = {name: _count(batch, pace.seconds) for name, batch in rows.items()}
    rounds: dict[str, list[float]] = {name: [] for name in rows}
    for number in range(pace.rounds):
        for name, batch in list(rows.items())[:: 1 if number % 2 else -1]:
            began = time.process_time()
            batch(counts[name])
            rounds[name].append((time.process_time() - began) / counts[name] * 1e6)
    return Times(rounds)


def _count(batch: Batch, seconds: float) -> int:
    """How many calls take so long; warms the row up on the way."""
    batch(1)
    if not seconds:
        return 1
    batch(20)
    began = time.process_time()
    batch(20)
    return max(1, round(seconds / max(time.process_time() - began, 1e-5) * 20))


def repeat(call: Callable[[], object]) -> Batch:
    """Call it so many times."""

    def batch(count: int) -> None:
        for _ in range(count):
            call()

    return batch


def repeat_async(loop: asyncio.AbstractEventLoop, call: Callable[[], Awaitable[object]]) -> Batch:
    """Await it so many times, in one task of a running loop."""

    async def calls(count: int) -> None:
        for _ in range(count):
            await call()

    return lambda count: loop.run_until_complete(calls(count))


def drive(work: Any) -> Any:
    """Run a coroutine that never waits, without the cost of an event loop."""
    try:
        work.send(None)
    except StopIteration as finished:
        return finished.value
    raise RuntimeError("the work waits for something")
