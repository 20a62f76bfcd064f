"""How much of something each caller may do: so many within any so many seconds (RFC 6585 §4).

One number for each caller, in whole ticks, so nothing drifts: when all that it has done will be forgotten (the generic
cell rate algorithm). Who is a caller, and what counts, is somebody else's business.
"""

import re
from dataclasses import dataclass, field
from heapq import heappop, heappush, heapreplace
from typing import Final, Self

from resource_server.clock import Clock
from resource_server.configuration_error import ConfigurationError

MAX_CALLERS: Final = 16_384
"""Callers that are counted at one time, of some 200 bytes each: 3 MiB."""
MOST: Final = 1_000_000
LONGEST: Final = 86_400
"""Seconds: a day."""

_WRITTEN: Final = re.compile(r"([0-9]{1,7})/([0-9]{1,5})(s|m|h)")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
_SECOND: Final = 1_000_000_000
"""Nanoseconds."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """``RateLimit(20, per=60)``: at most 20 within any 60 seconds, whichever 60 seconds one looks at.

    That is 11 at once and then one every six seconds: who may do all 20 at once and gets them back one by one has done
    39 within a minute. Raises :class:`ConfigurationError`.
    """

    limit: int
    """From 1 to a million."""
    per: int = field(kw_only=True)
    """Seconds, from 1 to those of a day."""

    def __post_init__(self) -> None:
        for name, most in (("limit", MOST), ("per", LONGEST)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ConfigurationError("RateLimit", f"needs a whole number from 1 to {most} as {name}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``20/60s``, ``20/1m`` or ``100/1h``. Raises :class:`ConfigurationError`, which does not quote it."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ConfigurationError("RateLimit", "must be written as 20/60s, 20/1m or 100/1h")
        return cls(int(found[1]), per=int(found[2]) * _UNITS[found[3]])

    def __str__(self) -> str:
        return f"{self.limit}/{self.per}s"

    def shared_by(self, workers: int) -> "RateLimit":
        """What each of so many processes may allow, so that all together keep the limit. There must be one for each."""
        return RateLimit(self.limit // workers, per=self.per)

    @property
    def at_once(self) -> int:
        """How many are allowed after a silence: with one more each :attr:`longest_wait`, never more than the limit."""
        return self.limit // 2 + 1

    @property
    def steps(self) -> int:
        """How many are given back within ``per`` seconds."""
        return (self.limit + 1) // 2

    @property
    def longest_wait(self) -> int:
        """Whole seconds after which at least one more is allowed."""
        return -(-self.per // self.steps)


class Counts:
    """What each caller has done, by any whole number that stands for it. One event loop's; not for several threads.

    Bounded: where there is no room for another caller, the one that would be forgotten first is forgotten at once. So
    who has used up its limit is not freed before that many others have used up theirs, and more lately.
    """

    def __init__(self, rate: RateLimit, clock: Clock, *, max_callers: int = MAX_CALLERS) -> None:
        self._clock = clock
        self._max_callers = max_callers
        # A tick is so small a part of a nanosecond that the time in which one is given back is a whole number of them.
        self._ticks = rate.steps
        self._cost = rate.per * _SECOND
        self._capacity = self._cost * rate.at_once
        self._ends: dict[int, int] = {}
        """When all that a caller has done is given back, in ticks."""
        self._first: list[tuple[int, int]] = []
        """A heap of the same, each pair perhaps out of date: then the caller's end is later."""

    def __len__(self) -> int:
        return len(self._ends)

    def left(self, caller: int) -> int:
        """How many more are allowed now."""
        now = self._now()
        return (self._capacity - max(0, self._ends.get(caller, 0) - now)) // self._cost

    def wait(self, caller: int) -> int:
        """After how many seconds one more is allowed, rounded up; 0 where it is now."""
        early = self._ends.get(caller, 0) + self._cost - self._capacity - self._now()
        return -(-max(0, early) // (self._ticks * _SECOND))

    def add(self, caller: int) -> None:
        """Count one."""
        now = self._now()
        known = self._ends.get(caller)
        if known is None:
            for _ in range(2):  # more than come, so that a flood's callers go when it is over
                self._make_room(now)
        self._ends[caller] = end = max(now, known or now) + self._cost
        if known is None:
            heappush(self._first, (end, caller))

    def _make_room(self, now: int) -> None:
        """Forget the caller that ends first, where it has ended, or there are too many."""
        if not self._first:
            return
        end, caller = self._first[0]
        while (current := self._ends[caller]) != end:  # as often as it was counted since, so all in all it costs little
            heapreplace(self._first, (current, caller))
            end, caller = self._first[0]
        if end <= now or len(self._ends) >= self._max_callers:
            heappop(self._first)
            del self._ends[caller]

    def _now(self) -> int:
        return int(self._clock.monotonic() * _SECOND) * self._ticks
