"""The last refusals, and how many there were of each kind: what the page of refusals shows.

All in memory, and bounded: so many refusals, and for each ten seconds of an hour one number a kind.
"""

import secrets
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, Final

from resource_server.clock import Clock
from resource_server.events import Decision
from resource_server.observers.record import record
from resource_server.printable import printable
from resource_server.refusals import Kind

MAX_REFUSALS: Final = 500
WINDOWS: Final = (1, 15, 60)
"""Minutes over which decisions are counted."""
SLICE: Final = 10
"""Seconds that are counted as one: a window is longer than its minutes by less than that."""

_KEPT: Final = WINDOWS[-1] * 60 // SLICE
_SHOWN: Final = ("time", "status", "kind", "reason", "method", "route", "client", "issuer", "client_id", "token")


class RecentRefusals:
    """An observer that keeps the last refusals and counts all decisions, grants too. Writes nothing down.

    Never keeps a token, a path or a user's name. ``key`` keys the digests of tokens: give it the audit's, and a line
    there can be found here; by default it is random. Is one process's own; not for use by several threads at once.
    """

    def __init__(self, key: bytes | None = None, *, clock: Clock = Clock()) -> None:  # noqa: B008 - immutable
        self.clock = clock
        self.total = 0
        """Decisions so far: another number means that there is news."""
        self._key = secrets.token_bytes(32) if key is None else key
        self._refused = 0
        self._refusals: deque[dict[str, Any]] = deque(maxlen=MAX_REFUSALS)
        self._slices: deque[tuple[int, Counter[Kind | None]]] = deque(maxlen=_KEPT + 1)
        """Each with its number since the epoch; a grant is counted as the kind None."""

    def __call__(self, decision: Decision) -> None:
        """Note a decision."""
        self.total += 1
        self._slice(int(decision.time // SLICE))[decision.kind] += 1
        if decision.refusal is not None:
            self._refused += 1
            told = record(decision, self._key)
            shown: dict[str, Any] = {name: _harmless(told[name]) for name in _SHOWN if name in told}
            self._refusals.append({"number": self._refused} | shown)

    def since(self, number: int = 0) -> list[dict[str, Any]]:
        """The refusals after one, newest first, of those that are kept."""
        return [one for one in reversed(self._refusals) if one["number"] > number]

    def counts(self) -> list[dict[str, Any]]:
        """For each window, how many requests were granted, and how many refused of each kind, most frequent first."""
        now = int(self.clock.wall() // SLICE)
        return [
            {"minutes": minutes, **_sum(counted for at, counted in self._slices if at >= now - minutes * 60 // SLICE)}
            for minutes in WINDOWS
        ]

    def _slice(self, number: int) -> Counter[Kind | None]:
        """The count of a slice of time. A clock that was set back counts on in the newest."""
        if not self._slices or self._slices[-1][0] < number:
            self._slices.append((number, Counter()))
        return self._slices[-1][1]


def _sum(counts: Iterable[Counter[Kind | None]]) -> dict[str, Any]:
    total: Counter[Kind | None] = Counter()
    for counted in counts:
        total.update(counted)
    granted = total.pop(None, 0)
    return {"granted": granted, "refused": {kind.value: count for kind, count in total.most_common() if kind}}


def _harmless(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value
