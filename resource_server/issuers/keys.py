"""The living key set of one issuer: fetched once for all waiters, refreshed by timer, kept while the issuer is down."""

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from resource_server.clock import Clock
from resource_server.issuers import jwk_set
from resource_server.issuers.discovery import Metadata, discover
from resource_server.issuers.fetch import Fetch, Fetched, FetchError, HttpFetch
from resource_server.issuers.forced import ForcedFetches
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwk_set import JwkSet, Key
from resource_server.issuers.jwks_file import read_file
from resource_server.issuers.patience import PATIENCE, PatientFlight, Work, is_being_cancelled
from resource_server.refusals import Kind, Refusal

LONGEST: Final = 600.0
"""Seconds between two refreshes at the most: the longest that a withdrawn key lives on, whatever Cache-Control says."""
SHORTEST: Final = 10.0
"""Seconds between two refreshes at the least, whatever Cache-Control says."""
AHEAD: Final = 0.2
"""The part of a lifetime by which a refresh comes before its end at the earliest; chance says when, so that many
workers don't come together."""
FIRST_RETRY: Final = 1.0
"""Seconds until a failed fetch is tried again; twice as long after each further failure."""
LAST_RETRY: Final = 10.0
"""Seconds between two tries at the most."""

_log = logging.getLogger("resource_server.issuers")


def kept_for(lifetime: float | None) -> float:
    """Seconds for which keys are kept that an issuer allows to be kept so long; None where it does not say."""
    return LONGEST if lifetime is None else min(LONGEST, max(SHORTEST, lifetime))


class IssuerKeys:
    """Whose :meth:`find` answers from memory; it waits for a fetch only where there is no key to answer with.

    ``workers`` are the processes that ask the same issuer, this one among them. ``chance`` answers a number from 0 to
    1, and spreads refreshes and tries.
    """

    def __init__(
        self,
        issuer: Issuer,
        *,
        clock: Clock,
        fetch: Fetch | None = None,
        workers: int = 1,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.issuer = issuer
        self._clock = clock
        self._fetch = fetch or HttpFetch(ca_file=issuer.ca_file, proxy=issuer.proxy)
        self._chance = chance
        self._flight = PatientFlight(clock)
        self._workers = workers
        self._forced = ForcedFetches(clock, workers)
        self._keys: JwkSet | None = None
        self._jwks_uri = issuer.jwks_uri
        self._generation = 0
        self._good: tuple[float, float] | None = None
        """Wall and monotonic time of the last good fetch."""
        self._lifetime = LONGEST
        """Seconds, of what it answered."""
        self._failures = 0
        """Since the last good fetch."""
        self._next_try = 0.0
        """Monotonic time before which a failed fetch is not repeated."""
        self._stand_in: Callable[[], dict[str, Any]] | None = None
        self.metadata: Metadata | None = None
        """What the issuer said of itself the last time; None where it was not asked."""
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

    @contextlib.contextmanager
    def supplied_by(self, document: Callable[[], dict[str, Any]]) -> Iterator[None]:
        """Let a test supply the key set, in the place of the issuer, which is not asked meanwhile.

        Neither keys nor verified tokens are good on both sides of the beginning, or of the end.
        """
        before, self._stand_in = self._stand_in, document
        self._forget()
        try:
            yield
        finally:
            self._stand_in = before
            self._forget()

    def _forget(self) -> None:
        self._generation += 1
        self._keys = self._good = None
        self._failures = 0
        self._flight = PatientFlight(self._clock)  # a fetch that is under way is another's
        self._forced = ForcedFetches(self._clock, self._workers)

    def at_hand(self, kid: str | None, algorithm: str) -> Key | None:
        """What :meth:`find` would answer, where it would neither wait nor fetch; else None."""
        if self._keys is None or self._failures or self._age() >= min(self._lifetime, self.issuer.max_stale):
            return None
        return self._keys.find(kid, algorithm)

    async def find(self, kid: str | None, algorithm: str, *, may_force: Callable[[], bool]) -> Key:
        """The key for a token's header.

        ``may_force`` says whether the token is good in all but its signature, so that it may cost the issuer a
        request. Raises :class:`Refusal`: UNKNOWN_KEY, or ISSUER_UNAVAILABLE where nobody can tell.
        """
        if self._keys is None or self._is_stale():
            await self._fetch_first()
        elif self._is_due() or (self._age() >= self._lifetime and not self._failures):
            self._flight.start(self._fetch_all)
        key = self._known(kid, algorithm)
        if key is None and self._may_look(kid, algorithm) and may_force():
            key = await self._find_by_force(kid, algorithm)
        if key is not None:
            return key
        if self._failures:
            raise self._unavailable(self.problem)
        raise Refusal(Kind.UNKNOWN_KEY, "no key of the issuer has the token's kid and algorithm")

    def may_be_replaced(self, kid: str | None, algorithm: str) -> bool:
        """Whether it may be looked if another key has taken a known one's place: cheap, since each forgery asks."""
        return not self._failures and self._may_look(kid, algorithm)

    def _may_look(self, kid: str | None, algorithm: str) -> bool:
        if self._forced.is_known_in_vain(kid, algorithm):
            return False
        return self._flight.is_running or self._is_due() or (not self._failures and self._forced.has_left)

    async def find_replacing(self, refused: Key, kid: str | None, algorithm: str) -> Key | None:
        """The key that has taken the place of one whose signature a token has not, if there is another by now.

        An issuer may start anew with new keys under the same kid. Costs what an unknown kid does, and is never 503: a
        signature that no known key has made is a bad one. For tokens that may force.
        """
        try:
            return await self._find_by_force(kid, algorithm, refused.thumbprint)
        except Refusal:
            return None

    async def _find_by_force(self, kid: str | None, algorithm: str, refused: str | None = None) -> Key | None:
        """Look again after a fetch: one that is under way costs nothing, but may have been answered too early."""
        if self._forced.is_known_in_vain(kid, algorithm):
            return None
        key = None
        if self._flight.is_running or self._is_due():
            await self._wait(self._fetch_all)
            key = self._known(kid, algorithm, refused)
        if key is None and (self._flight.is_running or (not self._failures and self._forced.take())):
            await self._wait(self._fetch_keys_alone)
            key = self._known(kid, algorithm, refused)
            if key is None and not self._failures:  # or else nobody has looked
                self._forced.note_in_vain(kid, algorithm)
        return key

    def _known(self, kid: str | None, algorithm: str, refused: str | None = None) -> Key | None:
        key = self._keys.find(kid, algorithm) if self._keys else None
        return key if key is not None and key.thumbprint != refused else None

    async def refresh(self) -> None:
        """Fetch the keys now. Never raises for the issuer's faults: the known keys stay, the problem is noted."""
        await self._flight.finish(self._fetch_all)

    async def run(self, slot: AbstractAsyncContextManager[object]) -> None:
        """Refresh for ever, by timer and not by misses: a withdrawn key is noticed without a single miss.

        ``slot`` is entered for each fetch, so that many issuers don't fetch all at once.
        """
        due = self._next_try
        while True:
            if not self._failures or self._next_try <= due:  # or else a request has tried meanwhile
                async with slot:
                    await self.refresh()
            due = self._next_try
            await self._clock.sleep(self._until_next())

    def _until_next(self) -> float:
        """Seconds until the next refresh: ahead of the end of the keys' lifetime."""
        if self._failures:
            return max(0.0, self._next_try - self._clock.monotonic())
        return max(SHORTEST, self._lifetime * (1 - AHEAD * self._chance()))

    async def _wait(self, work: Work) -> None:
        """Let a request wait for a fetch. Raises :class:`Refusal` where it takes longer than a client can be kept."""
        if not await self._flight.wait(work):
            raise self._unavailable(self.problem if self._failures else f"no answer within {PATIENCE:.0f} s")

    async def _fetch_first(self) -> None:
        if not self._failures or self._is_due():
            await self._wait(self._fetch_all)
        if self._keys is None or self._is_stale():
            raise self._unavailable(self.problem)

    def _unavailable(self, problem: str | None) -> Refusal:
        wait = max(1, math.ceil(self._next_try - self._clock.monotonic()))
        return Refusal(Kind.ISSUER_UNAVAILABLE, f"{self.issuer.url}: {problem}", retry_after=wait)

    async def _fetch_all(self) -> None:
        """The metadata and the keys."""
        if self.issuer.jwks_uri is None:
            self._jwks_uri = None
        await self._fetch_keys_alone()

    async def _fetch_keys_alone(self) -> None:
        """The keys, at the address that the last metadata gave: what an unknown kid may force."""
        asked = self._stand_in
        try:
            fetched = await self._fetch_set()
            keys = jwk_set.read(fetched.document, self.issuer.algorithms)
        except (Exception, asyncio.CancelledError) as error:  # none may end the refreshing, or withdrawn keys live on
            if isinstance(error, asyncio.CancelledError) and is_being_cancelled():
                raise
            if asked is self._stand_in:
                self._note_failure(str(error) if isinstance(error, FetchError | ValueError) else type(error).__name__)
            return
        if asked is self._stand_in:  # or else a test has begun or ended meanwhile
            self._note_success(keys, fetched.lifetime)

    async def _fetch_set(self) -> Fetched:
        if self._stand_in is not None:
            return Fetched(self._stand_in())
        if self.issuer.jwks_file is not None:
            return read_file(self.issuer.jwks_file)
        if self._jwks_uri is None:
            self.metadata = await discover(self.issuer, self._fetch)
            self._jwks_uri = self.metadata.jwks_uri
        return await self._fetch(self._jwks_uri)

    def _note_failure(self, problem: str) -> None:
        if problem != self.problem or not self._failures:
            _log.warning("keys of %s could not be fetched: %s", self.issuer.url, problem)
        self.problem = problem
        wait = min(LAST_RETRY, FIRST_RETRY * 2 ** min(self._failures, 10))
        self._failures += 1
        self._next_try = self._clock.monotonic() + wait * (1 - self._chance() / 2)

    def _note_success(self, keys: JwkSet, lifetime: float | None) -> None:
        before = self._keys
        if before is not None and before.identity - keys.identity:
            self._generation += 1
        if self._failures:
            _log.warning("keys of %s are fetched again, after %d failures", self.issuer.url, self._failures)
        self._keys, self._failures, self.problem = keys, 0, None
        self._good = (self._clock.wall(), self._clock.monotonic())
        self._lifetime = kept_for(lifetime)
        self._flight.succeeded()
        self._forced.forget_in_vain()
        if before is None or before.skipped != keys.skipped:
            for skipped in keys.skipped:
                _log.warning("key %a of %s is not used: %s", skipped.kid, self.issuer.url, skipped.reason)

    def _age(self) -> float:
        """Seconds since the last good fetch, by whichever clock says more; infinite if they jumped apart (T12)."""
        if self._good is None:
            return float("inf")
        wall, monotonic = self._clock.wall() - self._good[0], self._clock.monotonic() - self._good[1]
        return float("inf") if abs(wall - monotonic) > max(1.0, self.issuer.leeway) else max(wall, monotonic)

    def _is_stale(self) -> bool:
        if self._good is None:
            return True
        limit = self.issuer.max_stale
        return self._clock.wall() - self._good[0] >= limit or self._clock.monotonic() - self._good[1] >= limit

    def _is_due(self) -> bool:
        """Whether a fetch that failed is to be tried again, by whoever comes first: the timer or a request."""
        return self._failures > 0 and self._clock.monotonic() >= self._next_try
