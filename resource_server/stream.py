"""Open streams are judged again: a WebSocket, or a response in pieces, must not outlive the token that opened it.

T32 of the threat model.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from enum import Enum
from typing import Final, Protocol

from resource_server.asgi import Message, Send

INTERVAL: Final = 30.0
"""Seconds between two judgements, or fewer where the token expires earlier."""


class StreamEndedError(OSError):
    """Raised to who still sends on a stream that was refused: as by ASGI, where nobody is left to be sent to."""


class Judgement(Enum):
    """What has become of an open stream's right to be open."""

    GRANTED = "granted"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    """Nobody can tell at the moment, and for long enough that it may not stay open."""


class Rejudged(Protocol):
    """What can be judged again."""

    def seconds_left(self) -> float:
        """Until the token expires."""
        ...

    async def judge_again(self) -> Judgement:
        """Judge whether the request would still be granted."""
        ...


class Watch:
    """Ends a stream once it would be refused: sends a closing message, and cancels the task that serves it.

    ``closing`` has the message for each judgement that ends it.
    That task is the one that the application runs in, not the one that sends: frameworks send from tasks of their own.
    """

    def __init__(
        self,
        stream: Rejudged,
        send: Send,
        closing: Mapping[Judgement, Message],
        *,
        interval: float,
        served_by: "asyncio.Task[None] | None",
    ) -> None:
        self._stream = stream
        self._send = send
        self._closing = closing
        self._interval = interval
        self._served_by = served_by
        self._timer: asyncio.TimerHandle | None = None
        self._judging: asyncio.Task[None] | None = None
        self._stopped = self._refused = False
        self._others: int | None = None
        """How often the task was cancelled by others; None while our own cancellation was not taken back."""

    def start(self) -> None:
        """Begin to watch."""
        seconds = max(0.0, min(self._interval, self._stream.seconds_left()))
        self._timer = asyncio.get_running_loop().call_later(seconds, self._wake)

    def stop(self) -> None:
        """The stream is complete: what its task does from now on is no longer our concern."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._judging is not None and not self._refused:
            self._judging.cancel()

    def admit(self) -> None:
        """Demand that the stream goes on. Raises :class:`StreamEndedError` to who would not be cancelled."""
        if self._refused:
            raise StreamEndedError("the stream was ended, because its token would be refused by now")

    def has_caused(self, error: BaseException) -> bool:
        """Whether what the task ended with is the stream's end, and nothing else."""
        if not self._refused:
            return False
        if isinstance(error, asyncio.CancelledError):
            return self._take_back() == 0
        return _comes_of_the_end(error)

    async def finish(self) -> None:
        """The task has served the stream."""
        self.stop()
        if self._refused and self._judging is not None:
            self._take_back()
            await asyncio.wait([self._judging])

    def _take_back(self) -> int:
        if self._others is None:
            self._others = self._served_by.uncancel() if self._served_by is not None else 0
        return self._others

    def _wake(self) -> None:
        self._judging = asyncio.get_running_loop().create_task(self._judge())

    async def _judge(self) -> None:
        judgement = await self._stream.judge_again()
        if self._stopped:
            return  # a requirement may have swallowed the cancellation of what it was asked for
        if judgement is Judgement.GRANTED:
            self.start()
            return
        self._refused = True
        if self._served_by is not None:
            self._served_by.cancel()
        with contextlib.suppress(Exception):  # the other side may have gone by itself
            await self._send(dict(self._closing[judgement]))  # by us, since the task may swallow its cancellation


def _comes_of_the_end(error: BaseException | None) -> bool:
    """Whether an exception was raised because of our own, which frameworks turn into theirs of a client that left."""
    while error is not None and not isinstance(error, StreamEndedError):
        if isinstance(error, BaseExceptionGroup):
            return all(map(_comes_of_the_end, error.exceptions))
        error = error.__cause__ or error.__context__
    return error is not None
