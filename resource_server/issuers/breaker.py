"""A circuit breaker: an endpoint that is dead costs milliseconds, not a time-out for each request (T24)."""

import math
from typing import Final

from resource_server.clock import Clock

FAILURES: Final = 5
"""In a row, after which nobody is asked for a while."""
PAUSE: Final = 5.0
"""Seconds until one request may try again."""


class Breaker:
    """Counts failures in a row; a success begins anew.

    The caller says what a failure is: only what a stranger can't cause, or strangers would trip it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_from = 0.0

    @property
    def wait(self) -> int:
        """Whole seconds until the next try; 0 where one may be made now."""
        if self._failures < FAILURES:
            return 0
        return max(0, math.ceil(self._closed_from - self._clock.monotonic()))

    def try_now(self) -> bool:
        """Whether a request may be made. While it is open, one is let through after each pause."""
        if self._failures < FAILURES:
            return True
        if self._clock.monotonic() < self._closed_from:
            return False
        self._closed_from = self._clock.monotonic() + PAUSE
        return True

    def succeeded(self) -> None:
        """The endpoint answered."""
        self._failures = 0

    def failed(self) -> bool:
        """The endpoint is at fault. Answers whether that has opened the circuit just now."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._closed_from = self._clock.monotonic() + PAUSE
        return self._failures == FAILURES
