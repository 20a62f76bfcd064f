"""Time as a parameter: the wall clock judges tokens, the monotonic clock ages what we remember."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Two clocks, both in seconds, and the waiting for them. Tests turn them by hand."""

    wall: Callable[[], float] = time.time
    """Since the epoch; may be set back or forth by an administrator."""
    monotonic: Callable[[], float] = time.monotonic
    """Never runs back; may stand still while the machine sleeps."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Wait for so many seconds of the monotonic clock."""
