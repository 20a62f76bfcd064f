"""A clock that stands still until a test turns it."""

from resource_server.clock import Clock

START = 1_800_000_000.0


class TurnableClock:
    """Two clocks. ``turn`` is time that passes; setting ``wall`` alone is an administrator or a suspended machine."""

    def __init__(self) -> None:
        self.wall = START
        self.monotonic = 1000.0
        self.clock = Clock(wall=lambda: self.wall, monotonic=lambda: self.monotonic)

    def turn(self, seconds: float) -> None:
        """Let time pass for both clocks."""
        self.wall += seconds
        self.monotonic += seconds
