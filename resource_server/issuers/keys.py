"""The living key set of one issuer: fetched once for all waiters, refreshed by timer, kept while the issuer is down."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, Final

from resource_server.clock import Clock
from resource_server.issuers import jwk_set
from resource_server.issuers.discovery import discover_jwks_uri
from resource_server.issuers.fetch import Fetch, FetchError, fetch
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwk_set import JwkSet, Key
from resource_server.refusals import Kind, Refusal
from resource_server.single_flight import SingleFlight

REFRESH: Final = 600.0
"""Seconds between two refreshes: the longest that a withdrawn key lives on."""
RETRY: Final = 10.0
"""Seconds between tries while the issuer does not answer."""
MAX_STALE: Final = 12 * 3600.0
"""Seconds for which known keys are good while the issuer is down."""
FORCED_BURST: Final = 2
FORCED_SPACING: Final = 10.0
"""Seconds between two fetches that unknown kids may force, after a burst of two."""

_log = logging.getLogger("resource_server.issuers")


class IssuerKeys:
    """Whose :meth:`find` answers from memory; it waits for a fetch only where there is no key to answer with."""

    def __init__(self, issuer: Issuer, *, clock: Clock, fetch: Fetch = fetch, max_stale: float = MAX_STALE) -> None:
        self.issuer = issuer
        self._clock = clock
        self._fetch = fetch
        self._max_stale = max_stale
        self._flight: SingleFlight[None] = SingleFlight()
        self._keys: JwkSet | None = None
        self._generation = 0
        self._good: tuple[float, float] | None = None
        """Wall and monotonic time of the last good fetch."""
        self._failed: float | None = None
        """Monotonic time of the last fetch, if it failed."""
        self._budget, self._budget_at = float(FORCED_BURST), clock.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self.problem: str | None = "its keys have not been fetched yet"
        """Why there are no fresh keys, for the operator; None where all is well."""

    @property
    def generation(self) -> int:
        """Changes whenever a refresh removes, replaces or disables a key."""
        return self._generation

    @property
    def is_ready(self) -> bool:
        """Whether there are keys to judge tokens with."""
        return self._keys is not None and not self._is_stale()

    @property
    def known(self) -> JwkSet | None:
        """The keys as they were last fetched."""
        return self._keys

    @property
    def age(self) -> float | None:
        """Seconds since they were fetched."""
        return None if self._good is None else self._clock.monotonic() - self._good[1]

    def is_current(self, generation: int) -> bool:
        """Whether what was verified in that generation still stands."""
        return generation == self._generation and not self._is_stale()

    async def find(self, kid: str | None, algorithm: str, *, may_force: Callable[[], bool]) -> Key:
        """The key for a token's header.

        ``may_force`` says whether the token is good in all but its signature, so that it may cost the issuer a
        request. Raises :class:`Refusal`: UNKNOWN_KEY, or ISSUER_UNAVAILABLE where nobody can tell.
        """
        if self._keys is None or self._is_stale():
            await self._fetch_first()
        elif self._age() >= REFRESH and not self._has_just_failed():
            self._refresh_behind()
        assert self._keys is not None  # noqa: S101 - or else the fetch has raised
        key = self._keys.find(kid, algorithm)
        if key is not None:
            return key
        if may_force():
            key = await self._find_by_force(kid, algorithm)
            if key is not None:
                return key
        if self._failed is not None:
            raise self._unavailable()
        raise Refusal(Kind.UNKNOWN_KEY, "no key of the issuer has the token's kid and algorithm")

    async def _find_by_force(self, kid: str | None, algorithm: str) -> Key | None:
        """Look again after a fetch: one that is under way costs nothing, but may have been answered too early."""
        key = None
        if self._flight.is_running:
            await self._join()
            key = self._known(kid, algorithm)
        if key is None and (self._flight.is_running or self._take_forced()):
            await self._join()
            key = self._known(kid, algorithm)
        return key

    def _known(self, kid: str | None, algorithm: str) -> Key | None:
        return self._keys.find(kid, algorithm) if self._keys else None

    async def refresh(self) -> None:
        """Fetch the keys now. Never raises for the issuer's faults: the known keys stay, the problem is noted."""
        await self._join()

    async def run(self) -> None:
        """Refresh for ever, by timer and not by misses: a withdrawn key is noticed without a single miss."""
        while True:
            await self.refresh()
            await asyncio.sleep(RETRY if self._failed is not None else REFRESH)

    async def _join(self) -> None:
        await self._flight.join(self._fetch_keys)

    async def _fetch_first(self) -> None:
        if not self._has_just_failed():
            await self._join()
        if self._keys is None or self._is_stale():
            raise self._unavailable()

    def _unavailable(self) -> Refusal:
        return Refusal(Kind.ISSUER_UNAVAILABLE, f"{self.issuer.url}: {self.problem}")

    def _refresh_behind(self) -> None:
        if not self._tasks:
            task = asyncio.get_running_loop().create_task(self._join())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _fetch_keys(self) -> None:
        try:
            keys = jwk_set.read(await self._document(), self.issuer.algorithms)
        except Exception as error:  # noqa: BLE001 - one answer must not end the refreshing, or withdrawn keys live on
            self._failed = self._clock.monotonic()
            self.problem = str(error) if isinstance(error, FetchError | ValueError) else type(error).__name__
            _log.warning("keys of %s could not be fetched: %s", self.issuer.url, self.problem)
            return
        before = self._keys
        if before is not None and before.identity - keys.identity:
            self._generation += 1
        self._keys, self._failed, self.problem = keys, None, None
        self._good = (self._clock.wall(), self._clock.monotonic())
        if before is None or before.skipped != keys.skipped:
            for skipped in keys.skipped:
                _log.warning("key %a of %s is not used: %s", skipped.kid, self.issuer.url, skipped.reason)

    async def _document(self) -> dict[str, Any]:
        if self.issuer.jwks_file is not None:
            try:
                document = json.loads(self.issuer.jwks_file.read_text("utf-8"))
            except (OSError, ValueError, RecursionError) as error:
                raise FetchError(f"{self.issuer.jwks_file}: {type(error).__name__}") from error
            return document if isinstance(document, dict) else {}
        jwks_uri = self.issuer.jwks_uri or await discover_jwks_uri(self.issuer, self._fetch)
        return await self._fetch(jwks_uri)

    def _age(self) -> float:
        """Seconds since the last good fetch, by whichever clock says more; infinite if the wall clock was set back."""
        if self._good is None:
            return float("inf")
        wall, monotonic = self._clock.wall() - self._good[0], self._clock.monotonic() - self._good[1]
        return float("inf") if wall < -60.0 else max(wall, monotonic)

    def _is_stale(self) -> bool:
        if self._good is None:
            return True
        wall, monotonic = self._clock.wall() - self._good[0], self._clock.monotonic() - self._good[1]
        return max(wall, monotonic) >= self._max_stale

    def _has_just_failed(self) -> bool:
        return self._failed is not None and self._clock.monotonic() - self._failed < RETRY

    def _take_forced(self) -> bool:
        """Take one forced fetch from the budget. Only forced ones count, so strangers can't delay a regular one."""
        now = self._clock.monotonic()
        self._budget = min(FORCED_BURST, self._budget + (now - self._budget_at) / FORCED_SPACING)
        self._budget_at = now
        if self._budget < 1:
            return False
        self._budget -= 1
        return True
