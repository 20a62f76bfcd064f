"""A store within one process: for one worker, and for tests."""

from resource_server.clock import Clock
from resource_server.stores.store import MAX_VALUE

_OVERHEAD = 200
"""Bytes that an entry takes beside its key and value, about."""


class MemoryStore:
    """Bounded in bytes: the oldest goes first, ended or not. A restart forgets everything."""

    def __init__(self, size: int = 16 * 1024 * 1024, *, clock: Clock = Clock()) -> None:  # noqa: B008 - immutable
        self._size = size
        self._clock = clock
        self._entries: dict[bytes, tuple[bytes, float]] = {}
        self._used = 0

    async def get(self, key: bytes) -> bytes | None:
        """The value, unless it has ended."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self._clock.monotonic() >= entry[1]:
            await self.remove(key)
            return None
        return entry[0]

    async def put(self, key: bytes, value: bytes, life: float) -> None:
        """Keep a value."""
        await self.remove(key)
        size = _OVERHEAD + len(key) + len(value)
        if life <= 0 or len(value) > MAX_VALUE or size > self._size:
            return
        while self._used + size > self._size:
            await self.remove(next(iter(self._entries)))
        self._entries[key] = value, self._clock.monotonic() + life
        self._used += size

    async def add(self, key: bytes, value: bytes, life: float) -> bool:
        """Keep a value unless there is one."""
        if await self.get(key) is not None:
            return False
        await self.put(key, value, life)
        return key in self._entries

    async def remove(self, key: bytes) -> None:
        """Forget a value."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used -= _OVERHEAD + len(key) + len(entry[0])

    async def aclose(self) -> None:
        """Nothing is held."""
