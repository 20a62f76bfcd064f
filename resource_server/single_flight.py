"""One piece of work, many waiters."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Shares one running piece of work between all who ask for it meanwhile.

    A cancelled waiter hurts nobody, not even if it was the one who came first: the work is a task of its own. What it
    raises is raised in every waiter. Finished work is not remembered, once its waiters have heard of it: who comes
    before they did, and so before they can have remembered anything, shares it, unless ``shares_finished`` is off: then
    nobody is answered who came after the work's end. A second event loop gets work of its own.
    """

    def __init__(self, *, shares_finished: bool = True) -> None:
        self._shares_finished = shares_finished
        self._task: asyncio.Task[T] | None = None
        self._waiting = 0

    @property
    def is_running(self) -> bool:
        """Whether there is work that :meth:`join` would share."""
        task = self._task
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            return False
        return not task.done() or (self._shares_finished and self._waiting > 0 and not task.cancelled())

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for the work, or has yet to hear of its end."""
        return self._waiting > 0

    def start(self, work: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        """Start the work unless it is running. Nobody has to wait for it; a waiter must not cancel it."""
        task = self._task
        if task is None or not self.is_running:
            task = self._task = asyncio.get_running_loop().create_task(_run(work))
            task.add_done_callback(_retrieve)
            self._waiting = 0
        return task

    async def join(self, work: Callable[[], Awaitable[T]]) -> T:
        """Wait for the running work, or start it."""
        task = self.start(work)
        self._waiting += 1
        try:
            return await asyncio.shield(task)
        finally:
            if task is self._task:
                self._waiting -= 1


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def _retrieve(task: "asyncio.Task[T]") -> None:
    """Look at the outcome, so that work whose waiters have all gone is not reported as never retrieved."""
    if not task.cancelled():
        task.exception()
