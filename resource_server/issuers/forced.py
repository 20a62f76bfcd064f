"""The fetches that tokens with unknown kids may force, and the bound that keeps strangers from forcing more (T22)."""

from typing import Final

from resource_server.clock import Clock

BURST: Final = 2
SPACING: Final = 10.0
"""Seconds between two forced fetches, after a burst of two."""
MAX_IN_VAIN: Final = 256
"""Headers that were looked for in vain; above it the oldest is forgotten."""

_PER_SECOND: Final = 1_000_000_000
"""Of whole nanoseconds: sums of fractions drift."""


class ForcedFetches:
    """A budget that only forced fetches spend, so strangers can't delay a regular one.

    It is a spacing and no count, so what strangers have spent is back after ten seconds. A kid that was just looked for
    in vain forces nothing meanwhile; it is forgotten with every good fetch, so that a future kid that was guessed is
    not kept out.

    ``workers`` are the processes that have such a budget each: the spacing is so many times as long, so that together
    they ask the issuer as often as one would.
    """

    def __init__(self, clock: Clock, workers: int = 1) -> None:
        self._clock = clock
        self._spacing = round(SPACING * workers * _PER_SECOND)
        self._full_from = self._now()
        """When all of the burst is back, in nanoseconds of the monotonic clock."""
        self._in_vain: dict[tuple[str | None, str], float] = {}

    @property
    def has_left(self) -> bool:
        """Whether there is one in the budget."""
        return self._full_from <= self._now() + (BURST - 1) * self._spacing

    def take(self) -> bool:
        """Take one fetch from the budget, if there is one."""
        if not self.has_left:
            return False
        self._full_from = max(self._now(), self._full_from) + self._spacing
        return True

    def _now(self) -> int:
        return round(self._clock.monotonic() * _PER_SECOND)

    def is_known_in_vain(self, kid: str | None, algorithm: str) -> bool:
        """Whether a key was looked for in vain since the last good fetch, and less than a spacing ago."""
        at = self._in_vain.get((kid, algorithm))
        return at is not None and self._clock.monotonic() - at < SPACING

    def note_in_vain(self, kid: str | None, algorithm: str) -> None:
        """Note that no key was found, by a fetch that was made for it."""
        while len(self._in_vain) >= MAX_IN_VAIN:
            del self._in_vain[next(iter(self._in_vain))]
        self._in_vain[kid, algorithm] = self._clock.monotonic()

    def forget_in_vain(self) -> None:
        """A good fetch begins anew."""
        self._in_vain.clear()
