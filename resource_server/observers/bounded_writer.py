"""Writes records from a thread of its own, bounded against floods: what is not written is counted (T35)."""

import atexit
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final

Record = dict[str, Any]

MAX_QUEUE: Final = 10_000
MAX_RATE: Final = 10
"""Records a second for identical refusals of one address; more are counted and written as one."""
MAX_TALLIES: Final = 1024


class BoundedWriter:
    """Hands records to ``write``, which may block or raise: no request waits for it, or fails by it.

    Records that find the queue full are dropped and counted, and so are those that ``write`` raises for. The thread is
    started by the first record. ``clock`` counts seconds.
    """

    def __init__(self, write: Callable[[Record], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._queue: queue.Queue[Record | None] = queue.Queue(MAX_QUEUE)
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._tallies: dict[tuple[Any, ...], int] = {}
        self._second = 0

    def put(self, record: Record) -> None:
        """Take a record. Does not wait."""
        if self._thread is None or not self._thread.is_alive():  # a process that was forked has no threads but one
            self._start()
        try:
            self._queue.put_nowait(record)
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
                self._flush(int(self._clock()))
                continue
            if record is None:
                self._flush(self._second + 1)
                return
            self._flush(int(self._clock()))
            self._tally(record)

    def _tally(self, record: Record) -> None:
        """Write a record, unless its like has been written often enough in this second."""
        like = tuple(record.get(name) for name in ("client", "kind", "method", "route"))
        if like not in self._tallies and len(self._tallies) >= MAX_TALLIES:
            like = ("(others)", record["kind"], None, None)
        self._tallies[like] = self._tallies.get(like, 0) + 1
        if self._tallies[like] <= MAX_RATE and not self._emit(record):
            self._drop(1)

    def _flush(self, second: int) -> None:
        """At the end of a second: say how many records were left out."""
        if second == self._second:
            return
        for (client, kind, method, route), count in self._tallies.items():
            if count > MAX_RATE:
                members = {"client": client, "kind": kind, "method": method, "route": route}
                more = {name: value for name, value in members.items() if value is not None}
                if not self._emit({"event": "refused_more", "count": count - MAX_RATE, **more}):
                    self._drop(count - MAX_RATE)
        self._tallies.clear()
        self._second = second
        dropped = self._dropped
        if dropped and self._emit({"event": "audit_dropped", "count": dropped}):
            self._drop(-dropped)

    def _emit(self, record: Record) -> bool:
        """Whether it could be written: a pipe may be closed, a handler be the application's own and fail."""
        try:
            self._write(record)
        except Exception:  # noqa: BLE001 - whatever it was, count on and serve on
            return False
        return True

    def _drop(self, count: int) -> None:
        with self._lock:
            self._dropped += count
