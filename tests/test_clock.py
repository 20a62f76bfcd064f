import dataclasses
import time as system_time

import pytest

from resource_server.clock import Clock
from tests.turnable_clock import START, TurnableClock


def test_the_clock_is_the_systems_unless_a_test_turns_it(time: TurnableClock) -> None:
    """Design §3: time is a parameter; the wall clock judges, the monotonic clock ages (T12)."""
    assert Clock() == Clock(wall=system_time.time, monotonic=system_time.monotonic)
    time.turn(5)
    time.wall -= 60
    assert (time.clock.wall(), time.clock.monotonic()) == (START - 55, 1005.0)


def test_a_clock_is_frozen() -> None:
    """T38."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Clock().wall = lambda: 0.0  # type: ignore[misc]
