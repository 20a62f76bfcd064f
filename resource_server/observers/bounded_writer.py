"""Writes records from a thread of its own, bounded against floods: what is not written is counted (T35)."""

import atexit
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final

Record = dict[str, Any]
Like = tuple[str | None, str | None, str | None, str | None]
"""What makes records identical: the address, the kind, the method and the route."""

MAX_QUEUE: Final = 10_000
MAX_RATE: Final = 10
"""Records a second for identical refusals of one address; more are counted and written as one."""
MAX_TALLIES: Final = 1024


class BoundedWriter:
    """Hands records to ``write``, which may block or raise: no request waits for it, or fails by it.

    A record that is one too many of its like is counted and not even made: that is what a flood costs. Records that
    find the queue full are dropped and counted, and so are those that ``write`` raises for. The thread is started by
    the first record. ``clock`` counts seconds.
    """

    def __init__(self, write: Callable[[Record], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._queue: queue.Queue[Record | None] = queue.Queue(MAX_QUEUE)
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._tallies: dict[Like, int] = {}
        self._second = 0
        self._complained = -1
        """The second in which it was last tried to tell what was dropped."""

    def put(self, like: Like, make: Callable[[], Record]) -> None:
        """Take a record, made only if it is to be written. Does not wait."""
        second = int(self._clock())
        with self._lock:
            if second != self._second:
                self._settle(second)
            if like not in self._tallies and len(self._tallies) >= MAX_TALLIES:
                like = ("(others)", like[1], None, None)
            count = self._tallies[like] = self._tallies.get(like, 0) + 1
        if count > MAX_RATE:
            return
        if self._thread is None or not self._thread.is_alive():  # a process that was forked has no threads but one
            self._start()
        try:
            self._queue.put_nowait(make())
        except queue.Full:
            self._drop(1)

    def close(self) -> None:
        """Write what is waiting. Waits a second at most for a reader that has stopped."""
        if self._thread is not None and self._thread.is_alive():
            try:
                self._queue.put(None, timeout=1)
            except queue.Full:
                return
            self._thread.join(timeout=1)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                atexit.register(self.close)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                record = self._queue.get(timeout=1 if self._tallies or self._dropped else None)
            except queue.Empty:
                record = {}
            if record:
                self._tell_dropped(int(self._clock()))
                self._emit(record)
                continue
            with self._lock:
                self._settle(self._second + 1 if record is None else int(self._clock()))
            self._tell_dropped(self._complained + 1)
            if record is None:
                while not self._queue.empty():
                    self._emit(self._queue.get_nowait() or {})
                self._tell_dropped(self._complained + 1)
                return

    def _settle(self, second: int) -> None:
        """At the end of a second, with the lock held: say how many records were left out."""
        if second == self._second:
            return
        for (client, kind, method, route), count in self._tallies.items():
            if count > MAX_RATE:
                members = {"client": client, "kind": kind, "method": method, "route": route}
                more = {name: value for name, value in members.items() if value is not None}
                try:
                    self._queue.put_nowait({"event": "refused_more", "count": count - MAX_RATE, **more})
                except queue.Full:
                    self._dropped += count - MAX_RATE
        self._tallies.clear()
        self._second = second

    def _emit(self, record: Record) -> None:
        """Write a record, or count it: a pipe may be closed, a handler be the application's own and fail."""
        try:
            self._write(record)
        except Exception:  # noqa: BLE001 - whatever it was, count on and serve on
            self._drop(record.get("count", 1))

    def _tell_dropped(self, second: int) -> None:
        """Say how many records were lost, once a second at most: what takes nothing must not be tried all the time."""
        dropped = self._dropped
        if not dropped or second == self._complained:
            return
        self._complained = second
        try:
            self._write({"event": "audit_dropped", "count": dropped})
        except Exception:  # noqa: BLE001 - likewise
            return
        self._drop(-dropped)

    def _drop(self, count: int) -> None:
        with self._lock:
            self._dropped += count
