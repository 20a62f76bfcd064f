"""One piece of work, many waiters."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Shares one running piece of work between all who ask for it meanwhile.

    A cancelled waiter hurts nobody, not even if it was the one who came first: the work is a task of its own. What it
    raises is raised in every waiter. Finished work is not remembered. A second event loop gets work of its own.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    @property
    def is_running(self) -> bool:
        """Whether work is under way that :meth:`join` would share."""
        return self._task is not None and not self._task.done() and self._task.get_loop() is asyncio.get_running_loop()

    async def join(self, work: Callable[[], Awaitable[T]]) -> T:
        """Wait for the running work, or start it."""
        task = self._task
        if task is None or not self.is_running:
            task = self._task = asyncio.get_running_loop().create_task(_run(work))
            task.add_done_callback(_retrieve)
        return await asyncio.shield(task)


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def _retrieve(task: "asyncio.Task[T]") -> None:
    """Look at the outcome, so that work whose waiters have all gone is not reported as never retrieved."""
    if not task.cancelled():
        task.exception()
