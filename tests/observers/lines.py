"""What an observer writes to, and the reader at its other end."""

import io
import json
import threading
from typing import Any


class Lines(io.StringIO):
    """A stream whose reader can be waited for, and can stop reading."""

    def __init__(self) -> None:
        super().__init__()
        self.read_on = threading.Event()
        self.read_on.set()
        self.reached = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.read_on.wait(10)
        return super().write(text)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]
