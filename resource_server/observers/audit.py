"""The audit: one JSON line for each refusal that an operator has to know of, by its status."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import IO, Any, Final

from resource_server.events import Decision
from resource_server.observers.bounded_writer import BoundedWriter
from resource_server.observers.record import audit_keys, is_worth_writing, likeness, record


class Audit:
    """Writes refusals as JSON lines, from a thread of its own: a reader that stops reading blocks no request.

    Lines that find the queue full are dropped and counted. ``key`` keys the digests of tokens, so that nobody who reads
    the log can test a guess; of two, the first replaces the second, and lines bear the digests by both, ``token`` and
    ``token_before``. ``stream`` is standard output by default. Raises :class:`ConfigurationError`.
    """

    refusals_only: Final = True

    def __init__(
        self,
        key: bytes | Sequence[bytes],
        stream: IO[str] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = audit_keys(key)
        self._stream = stream
        self._writer = BoundedWriter(self._write, clock)

    def __call__(self, decision: Decision) -> None:
        """Note a refusal."""
        if is_worth_writing(decision):
            self._writer.put(likeness(decision), lambda: self.line(decision))

    def line(self, decision: Decision) -> dict[str, Any]:
        """What is written about a decision."""
        return record(decision, *self._keys)

    def close(self) -> None:
        """Write what is waiting. Waits a second at most for a reader that has stopped."""
        self._writer.close()

    def _write(self, line: dict[str, Any]) -> None:
        stream = self._stream or sys.stdout
        stream.write(json.dumps(line) + "\n")
        stream.flush()
