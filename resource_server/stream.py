"""Open streams are judged again: a WebSocket, or a response in pieces, must not outlive the token that opened it.

T32 of the threat model.
"""

import asyncio
from typing import Final, Protocol

INTERVAL: Final = 30.0
"""Seconds between two judgements, or fewer where the token expires earlier."""


class Rejudged(Protocol):
    """What can be judged again."""

    def seconds_left(self) -> float:
        """Until the token expires."""
        ...

    async def judge_again(self) -> bool:
        """Whether the request would still be granted."""
        ...


class Watch:
    """Cancels the task that serves a stream, once the stream would be refused: the one that made the watch."""

    def __init__(self, stream: Rejudged, interval: float = INTERVAL) -> None:
        self._stream = stream
        self._interval = interval
        self._served_by = asyncio.current_task()  # not the one that sends: frameworks send from tasks of their own
        self._watcher: asyncio.Task[None] | None = None
        self._refused = False

    def start(self) -> None:
        """Begin to watch. Does nothing the second time."""
        if self._watcher is None:
            self._watcher = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """The stream has ended by itself."""
        if self._watcher is not None:
            self._watcher.cancel()

    def was_refused(self) -> bool:
        """Whether a cancellation that just arrived was this watch's; takes it back if so."""
        return self._refused and self._served_by is not None and self._served_by.uncancel() == 0

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(max(0.0, min(self._interval, self._stream.seconds_left())))
            if not await self._stream.judge_again():
                self._refused = True
                if self._served_by is not None:
                    self._served_by.cancel()
                return
