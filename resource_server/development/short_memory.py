"""Values that are not good for long: codes, forms, opaque tokens, and what a user has granted."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class ShortMemory(Generic[T]):
    """Remembers a value under a key until it is taken, too old, or pushed out by newer ones.

    The bound answers a flood, such as login pages that nobody sends in: it costs the oldest entries, not the process.
    """

    def __init__(self, *, lifetime: float, bound: int, now: Callable[[], float]) -> None:
        self._lifetime = lifetime
        self._bound = bound
        self._now = now
        self._entries: dict[str, tuple[float, T]] = {}  # in the order of their birth

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: str, value: T) -> None:
        """Remember a value under a key that nobody can guess: that is for the caller to see to."""
        while len(self._entries) >= self._bound:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (self._now() + self._lifetime, value)

    def get(self, key: str) -> T | None:
        """Look, without taking."""
        ends, value = self._entries.get(key, (0.0, None))
        return value if self._now() < ends else None

    def take(self, key: str) -> T | None:
        """Look, and forget: a second one gets nothing."""
        value = self.get(key)
        self._entries.pop(key, None)
        return value
