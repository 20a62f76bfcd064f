"""What tells refusals where nobody chose otherwise: a warning of the standard library's logging for each."""

import json
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from resource_server.events import Decision
from resource_server.observers.bounded_writer import BoundedWriter
from resource_server.observers.record import is_worth_writing, likeness, record

LOGGER: Final = "resource_server.refusals"

_log = logging.getLogger(LOGGER)
_SAID_FIRST: Final = ("time", "event", "status", "kind", "reason", "count")


class RefusalLog:
    """Warns of the refusals that the audit writes, under the logger ``resource_server.refusals``.

    A program that configures no logging sees them on standard error. They are handed to logging from a thread of its
    own: a handler that blocks holds up no request. Of identical refusals of one address ten a second are told, and the
    others are counted. ``key`` keys the digests of tokens; by default it is random, and good for this object.
    """

    refusals_only: Final = True

    def __init__(self, key: bytes | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32) if key is None else key
        self._writer = BoundedWriter(_warn, clock)

    def __call__(self, decision: Decision) -> None:
        """Note a refusal."""
        if is_worth_writing(decision) and _log.isEnabledFor(logging.WARNING):
            self._writer.put(likeness(decision), lambda: record(decision, self._key))

    def close(self) -> None:
        """Tell what is waiting. Waits a second at most for a handler that blocks."""
        self._writer.close()


def _warn(told: dict[str, Any]) -> None:
    _log.warning("%s", sentence(told))


def sentence(told: dict[str, Any]) -> str:
    """A record as one line of ASCII; what a token or a request said is quoted, so it can't pass for anything else."""
    facts = " ".join(f"{name}={json.dumps(value)}" for name, value in told.items() if name not in _SAID_FIRST)
    if told["event"] == "refused":
        reason = f": {json.dumps(told['reason'])}" if "reason" in told else ""
        return f"refused {told['status']} {told['kind']}{reason} {facts}"
    if told["event"] == "refused_more":
        return f"refused {told['count']} more like it: {told['kind']} {facts}".rstrip()
    return f"refusals that could not be told, in time or at all: {told['count']}"


DEFAULT: Final = RefusalLog()
"""One for the whole process, so that it has one thread however many resource servers it has."""
