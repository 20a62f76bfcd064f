"""◆ The memory of verified tokens: facts, never decisions, so that a good token costs almost nothing again.

Scope, role, audience of the route, confirmation, revocation and expiry are judged on every request; a cache of
decisions is what CVE-2021-32701 and its siblings were. Only acceptances are remembered, so a stranger fills nothing.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from resource_server.access_token import AccessToken, weight
from resource_server.clock import Clock

MAX_LIFE: Final = 600.0
"""Seconds after which even an unexpired token is verified anew."""

_OVERHEAD: Final = 640
"""Bytes of an entry beside the facts of its token, and a place in the dictionary; measured with tracemalloc."""


class KeySource(Protocol):
    """Whose keys a token was verified with."""

    def is_current(self, generation: int) -> bool:
        """Whether no key was removed, replaced or disabled since that generation, and the keys are not stale."""
        ...


class _AlwaysCurrent:
    """What rests on no key: an issuer's own word, which its life ends."""

    def is_current(self, generation: int) -> bool:
        """No key can be withdrawn."""
        return True


ALWAYS_CURRENT: Final[KeySource] = _AlwaysCurrent()


@dataclass(slots=True)
class VerifiedToken:
    """An access token and what its being verified rests on."""

    token: AccessToken
    leeway: float
    """Seconds, of the token's issuer."""
    source: KeySource = field(repr=False)
    generation: int
    """Of the key set, when its key was looked up."""
    thumbprint: str
    """Of that key (RFC 7638)."""
    life: float = MAX_LIFE
    """Seconds for which it may be remembered."""

    def living(self, life: float) -> "VerifiedToken":
        """The same, remembered for so many seconds at the most."""
        return replace(self, life=min(life, self.life))

    def is_current(self) -> bool:
        """Whether its key is still good. A withdrawn key's tokens become misses; nothing has to be purged."""
        return self.source.is_current(self.generation)


@dataclass(slots=True)
class _Entry:
    verified: VerifiedToken
    size: int
    ends_wall: float
    ends_monotonic: float


class VerifiedTokens:
    """Verified tokens by the SHA-256 of their text; bounded in bytes, oldest out first; one per protector.

    Not for use by several threads at once. A size of 0 remembers nothing.
    """

    def __init__(self, size: int, clock: Clock, *, max_jump: float = 60.0) -> None:
        self._size = size
        self._clock = clock
        self._max_jump = max_jump
        self._entries: dict[bytes, _Entry] = {}
        self._used = 0
        self._offset = clock.wall() - clock.monotonic()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def used(self) -> int:
        """Bytes of the remembered tokens."""
        return self._used

    def get(self, digest: bytes) -> VerifiedToken | None:
        """Recall a token. What has ended by either clock, or whose key was withdrawn, is a miss."""
        entry = self._entries.get(digest)
        if entry is None:
            return None
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        if abs(wall - monotonic - self._offset) > self._max_jump:
            self._forget_all(wall - monotonic)
            return None
        if wall >= entry.ends_wall or monotonic >= entry.ends_monotonic or not entry.verified.is_current():
            del self._entries[digest]
            self._used -= entry.size
            return None
        return entry.verified

    def put(self, digest: bytes, verified: VerifiedToken, length: int) -> None:
        """Remember a token of so many characters, unless it has expired."""
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        if abs(wall - monotonic - self._offset) > self._max_jump:
            self._forget_all(wall - monotonic)
        size = _OVERHEAD + max(weight(verified.token), length)
        life = min(verified.token.expires_at + verified.leeway - wall, verified.life)
        if life <= 0 or size > self._size:
            return
        if old := self._entries.pop(digest, None):
            self._used -= old.size
        while self._used + size > self._size:
            oldest = self._entries.pop(next(iter(self._entries)))
            self._used -= oldest.size
        self._entries[digest] = _Entry(verified, size, wall + life, monotonic + life)
        self._used += size

    def _forget_all(self, offset: float) -> None:
        """The clocks moved against each other: a set-back clock would revive expired tokens."""
        self._entries.clear()
        self._used = 0
        self._offset = offset
