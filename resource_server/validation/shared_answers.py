"""Introspection answers that processes share: a token that one has asked about is not asked about again by another."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from resource_server.clock import Clock
from resource_server.issuers.introspection import Introspection
from resource_server.stores.seal import Seal, context_of, key_of
from resource_server.stores.store import Store, StoreUnavailable
from resource_server.validation import strict_json

PAUSE: Final = 5.0
"""Seconds for which a store that did not answer is not asked: each question would cost its time-out."""

_log = logging.getLogger("resource_server.stores")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an issuer has said of an active token. Its repr shows nothing of it."""

    members: Mapping[str, Any] = field(repr=False)
    asked_at: float
    """Seconds since the epoch."""


class SharedAnswers:
    """The answers of one endpoint to one client, in a store, sealed (T15).

    A store that is down is a memory that remembers nothing: the issuer itself is asked, which is never laxer.
    """

    def __init__(self, store: Store, seal: Seal, introspection: Introspection, clock: Clock) -> None:
        self._store = store
        self._seal = seal
        self._place = (introspection.endpoint.encode(), introspection.client.client_id.encode())
        self._clock = clock
        self._paused_until = 0.0
        self.unsealed = 0
        """How many values were found that we have not sealed: somebody else writes to the store."""

    async def find(self, digest: bytes) -> Answer | None:
        """What was answered, unless it has ended."""
        context = context_of(*self._place, digest)
        sealed = await self._get(key_of(context))
        if sealed is None:
            return None
        opened = self._seal.open(sealed, context)
        if opened is None:
            self.unsealed += 1
            _log.error("the store holds a value that was not sealed with STORE_KEY; it counts as none")
            return None
        try:
            value = strict_json.parse_object(opened)
            return Answer(value["members"], float(value["asked_at"]))
        except (ValueError, KeyError, TypeError):
            return None

    async def keep(self, digest: bytes, answer: Answer, life: float) -> None:
        """Let others know an answer for so many seconds."""
        if self._clock.monotonic() < self._paused_until:
            return
        context = context_of(*self._place, digest)
        value = json.dumps({"members": answer.members, "asked_at": answer.asked_at}).encode()
        try:
            await self._store.put(key_of(context), self._seal.seal(value, context), life)
        except StoreUnavailable as problem:
            self._pause(problem)

    async def _get(self, key: bytes) -> bytes | None:
        if self._clock.monotonic() < self._paused_until:
            return None
        try:
            return await self._store.get(key)
        except StoreUnavailable as problem:
            self._pause(problem)
            return None

    def _pause(self, problem: StoreUnavailable) -> None:
        """Told once, however many were asking."""
        now = self._clock.monotonic()
        if now >= self._paused_until:
            _log.warning("the store is not asked for %d s, issuers are instead: %s", PAUSE, problem)
        self._paused_until = now + PAUSE
