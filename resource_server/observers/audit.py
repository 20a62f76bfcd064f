"""The audit: one JSON line for each refusal that an operator has to know of, by its status.

Never a token. Text that came with a request is in it only where a signature vouches for it, escaped to ASCII and cut.
"""

import atexit
import hashlib
import hmac
import json
import queue
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Any, Final

from resource_server.events import Decision

STATUSES: Final = frozenset({400, 401, 403, 404, 429, 431, 500, 503})
"""404 is the answer for a resource that is hidden from a caller, 500 for a requirement that failed."""
MAX_TEXT: Final = 256
MAX_QUEUE: Final = 10_000
MAX_RATE: Final = 10
"""Lines a second for identical refusals of one address; more are counted and written as one."""
MAX_TALLIES: Final = 1024


class Audit:
    """Writes refusals as JSON lines, from a thread of its own: a reader that stops reading blocks no request.

    Lines that find the queue full are dropped and counted. ``key`` keys the digests of tokens, so that nobody who reads
    the log can test a guess; ``stream`` is standard output by default.
    """

    def __init__(
        self, key: bytes, stream: IO[str] | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._key = key
        self._stream = stream
        self._clock = clock
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(MAX_QUEUE)
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._tallies: dict[tuple[Any, ...], int] = {}
        self._second = 0

    def __call__(self, decision: Decision) -> None:
        """Note a refusal."""
        if decision.status not in STATUSES:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
            self._thread.start()
            atexit.register(self.close)
        try:
            self._queue.put_nowait(self.line(decision))
        except queue.Full:
            self._dropped += 1

    def line(self, decision: Decision) -> dict[str, Any]:
        """What is written about a decision."""
        token = decision.token
        members = {
            "time": datetime.fromtimestamp(decision.time, UTC).isoformat(timespec="milliseconds"),
            "event": "refused",
            "status": decision.status,
            "kind": decision.kind,
            "reason": decision.refusal.reason if decision.refusal else None,
            "method": decision.method,
            "route": decision.route,
            "client": decision.client,
            "issuer": token.issuer if token else None,
            "subject": token.subject if token else None,
            "client_id": token.client_id if token else None,
            "token": self._fingerprint(decision.digest),
        }
        return {name: _cut(value) for name, value in members.items() if value not in (None, "")}

    def close(self) -> None:
        """Write what is waiting. Waits a second at most for a reader that has stopped."""
        if self._thread is not None and self._thread.is_alive():
            try:
                self._queue.put(None, timeout=1)
            except queue.Full:
                return
            self._thread.join(timeout=1)

    def _fingerprint(self, digest: bytes | None) -> str | None:
        return hmac.new(self._key, digest, hashlib.sha256).hexdigest()[:16] if digest else None

    def _write(self) -> None:
        while True:
            try:
                line = self._queue.get(timeout=1)
            except queue.Empty:
                self._flush(int(self._clock()))
                continue
            if line is None:
                self._flush(self._second + 1)
                return
            self._flush(int(self._clock()))
            self._tally(line)

    def _tally(self, line: dict[str, Any]) -> None:
        """Write a line, unless its like has been written often enough in this second."""
        like = tuple(line.get(name) for name in ("client", "kind", "method", "route"))
        if like not in self._tallies and len(self._tallies) >= MAX_TALLIES:
            like = ("(others)", line["kind"], None, None)
        self._tallies[like] = self._tallies.get(like, 0) + 1
        if self._tallies[like] <= MAX_RATE:
            self._emit(line)

    def _flush(self, second: int) -> None:
        """At the end of a second: say how many lines were left out."""
        if second == self._second:
            return
        for (client, kind, method, route), count in self._tallies.items():
            if count > MAX_RATE:
                members = {"client": client, "kind": kind, "method": method, "route": route}
                more = {name: value for name, value in members.items() if value is not None}
                self._emit({"event": "refused_more", "count": count - MAX_RATE, **more})
        self._tallies.clear()
        self._second = second
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._emit({"event": "audit_dropped", "count": dropped})

    def _emit(self, line: dict[str, Any]) -> None:
        stream = self._stream or sys.stdout
        try:
            stream.write(json.dumps(line) + "\n")
            stream.flush()
        except (OSError, ValueError):
            self._dropped += 1  # a closed pipe: count on, and serve on


def _cut(value: Any) -> Any:
    return value[:MAX_TEXT] if isinstance(value, str) else value
