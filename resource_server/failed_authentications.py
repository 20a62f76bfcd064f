"""A limit of failed authentications for each client address, which no stranger can turn against others (T33).

Stands where a token is unknown to the memory of verified ones, in front of what verifies it: so a remembered token is
never refused, nor is another address. A good token that is new from an address over its limit is: what tells it from a
guess is the very work that is limited.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from resource_server.clock import Clock
from resource_server.credentials import Credentials
from resource_server.forwarding import Address, caller_number
from resource_server.rate_limit import Counts, RateLimit
from resource_server.refusals import Kind, Refusal
from resource_server.validation.validator import TokenValidator
from resource_server.verified import VerifiedToken

COUNTED: Final = frozenset(
    {
        Kind.MALFORMED_TOKEN,
        Kind.INVALID_CLAIM,
        Kind.WRONG_TOKEN_TYPE,
        Kind.WRONG_ALGORITHM,
        Kind.BAD_SIGNATURE,
        Kind.UNKNOWN_KEY,
        Kind.WRONG_ISSUER,
        Kind.WRONG_AUDIENCE,
        Kind.REVOKED,
    }
)
"""What a guess is refused with. A token that is good but for the time (expired, not yet valid) or for its sender is no
guess; and that we can't tell, as in an outage, is nobody's failure."""
MAX_WAITING: Final = 1024
"""Attempts of one caller that wait for their turn at one time; each holds a request, whoever has hung up (T24)."""
MAX_KNOWN: Final = 16_384
"""Digests of tokens that were good once, of some 150 bytes each."""

TOO_MANY: Final = "too many tokens from this address were no good"
"""The reason."""

_log = logging.getLogger("resource_server")


class _Attempt:
    """One caller's attempt with one token. All who come with the same token meanwhile take part in it."""

    __slots__ = ("asked", "failed", "heard", "requests", "turn", "wait")

    def __init__(self) -> None:
        self.requests = 0
        self.turn = asyncio.Event()
        """Set when it is known whether the token may be judged."""
        self.wait = 0
        """Seconds, where it may not."""
        self.asked = self.heard = self.failed = False
        """Whether the token was given to the validator, whether somebody was there for the outcome, and what it was."""


class _Caller:
    """What one caller is trying, and what it may try only when it is known how that ends; by the token's digest."""

    __slots__ = ("queued", "trying")

    def __init__(self) -> None:
        self.trying: dict[bytes, _Attempt] = {}
        self.queued: dict[bytes, _Attempt] = {}


class FailedAuthentications:
    """A validator in front of which the failures of each address are counted; one process's own.

    An attempt that is under way counts as a failure until its outcome is known: others that would pass the limit if it
    fails wait for it, so a thousand guesses at once cause no more questions than one after the other. A token that was
    good once is no guess: it is always judged, also where its issuer has to be asked anew. ``is_proxy`` says of which
    addresses many callers are behind, who were not named: they are not limited, nor is an unknown address. It is None
    where no proxy is known.
    """

    def __init__(
        self,
        validator: TokenValidator,
        rate: RateLimit,
        clock: Clock,
        *,
        is_proxy: Callable[[Address], bool] | None = None,
    ) -> None:
        self._validator = validator
        self._is_proxy = is_proxy
        self._failures = Counts(rate, clock)
        self._callers: dict[int, _Caller] = {}
        self._known: dict[bytes, None] = {}
        self._number_of = lru_cache(maxsize=4096)(self._read_number)
        self._warned: set[str] = set()

    async def validate(self, credentials: Credentials, client: str | None = None) -> VerifiedToken:
        """Verify a token. Raises :class:`Refusal`, RATE_LIMITED where the address has failed too often.

        ISSUER_UNAVAILABLE where as many of its attempts wait as may, which is nobody's failure.
        """
        number, digest = self._number_of(client), credentials.digest
        if number is None:
            return await self._validator.validate(credentials, client)
        if digest in self._known:
            return await self._validate_known(credentials, client)
        caller = self._callers.get(number)
        if caller is None:
            caller = self._callers[number] = _Caller()
        attempt = self._join(number, caller, digest)
        try:
            await attempt.turn.wait()
            if attempt.wait:
                self._warn_of_one_for_many(client)
                raise Refusal(Kind.RATE_LIMITED, TOO_MANY, retry_after=attempt.wait)
            attempt.asked = True
            verified = await self._validator.validate(credentials, client)
        except Exception as error:
            attempt.heard = True
            attempt.failed |= isinstance(error, Refusal) and error.kind in COUNTED
            raise
        else:
            attempt.heard = True
            self._know(digest)
            return verified
        finally:
            self._leave(number, caller, digest, attempt)

    async def _validate_known(self, credentials: Credentials, client: str | None) -> VerifiedToken:
        """Once it fails it is known no longer; but that it was withdrawn is not its bearer's failure."""
        try:
            verified = await self._validator.validate(credentials, client)
        except Refusal as refusal:
            if refusal.kind in COUNTED:
                self._known.pop(credentials.digest, None)
            raise
        self._know(credentials.digest)
        return verified

    def _know(self, digest: bytes) -> None:
        self._known.pop(digest, None)
        self._known[digest] = None
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]

    def _join(self, number: int, caller: _Caller, digest: bytes) -> _Attempt:
        attempt = caller.trying.get(digest) or caller.queued.get(digest)
        if attempt is None:
            if len(caller.queued) >= MAX_WAITING:
                raise Refusal(Kind.ISSUER_UNAVAILABLE, "too many attempts of this address are waiting", retry_after=1)
            attempt = caller.queued[digest] = _Attempt()
            self._go_on(number, caller)
        attempt.requests += 1
        return attempt

    def _leave(self, number: int, caller: _Caller, digest: bytes, attempt: _Attempt) -> None:
        """An attempt is over when all its requests are. One whose requests were all given up has failed, too.

        Or else who hangs up in time could guess on: the question has been asked all the same.
        """
        attempt.requests -= 1
        if attempt.requests:
            return
        for attempts in (caller.trying, caller.queued):
            if attempts.get(digest) is attempt:
                del attempts[digest]
        if attempt.asked and (attempt.failed or not attempt.heard):
            self._failures.add(number)
        self._go_on(number, caller)

    def _go_on(self, number: int, caller: _Caller) -> None:
        """Let as many attempts begin as may, in their order; where none may for some time, refuse them."""
        while caller.queued and len(caller.trying) < max(1, self._failures.left(number)):
            digest = next(iter(caller.queued))
            attempt = caller.queued.pop(digest)
            attempt.wait = self._failures.wait(number)
            if not attempt.wait:
                caller.trying[digest] = attempt
            attempt.turn.set()
        if not caller.trying and not caller.queued and self._callers.get(number) is caller:
            del self._callers[number]

    def _read_number(self, client: str | None) -> int | None:
        """The number of whom an address stands for; None where it stands for nobody in particular."""
        try:
            address = ipaddress.ip_address(client or "")
        except ValueError:
            return None
        if self._is_proxy is not None and self._is_proxy(address):
            self._warn("a trusted proxy, %s, does not say who calls: those behind it have no limit of failed "
                       "authentications until it writes its forwarding header", address)  # fmt: skip
            return None
        return caller_number(address)

    def _warn_of_one_for_many(self, client: str | None) -> None:
        if self._is_proxy is None and _is_private(client or ""):
            self._warn("%s has reached the limit of failed authentications: if it is a proxy, all who come through it "
                       "share that limit until trusted_proxies names it", client)  # fmt: skip

    def _warn(self, sentence: str, address: object) -> None:
        """Once in a process: it is about how things are set up, not about who calls."""
        if sentence not in self._warned:
            self._warned.add(sentence)
            _log.warning(sentence, address)


@lru_cache(maxsize=4096)  # to read an address takes as long as to refuse it
def _is_private(text: str) -> bool:
    return ipaddress.ip_address(text).is_private
