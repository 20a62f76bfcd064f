"""The one protocol of stores; `tests/stores/test_contract.py` holds every one of them to it."""

from typing import Final, Protocol

WITHIN: Final = 0.3
"""Seconds after which a store that has not answered counts as down."""
MAX_VALUE: Final = 256 * 1024
"""Bytes."""


class StoreUnavailable(Exception):  # noqa: N818 - a state of the store
    """The store can't be asked. Its text is for the operator; each who uses a store decides what that means."""


class Store(Protocol):
    """Keeps bytes under a key of bytes, until they end.

    Neither keys nor values hold anything secret in the clear: who reads the store learns nothing, and who writes to it
    is believed nothing (T15). Every method answers within :data:`WITHIN` seconds or raises
    :class:`StoreUnavailable`.
    """

    async def get(self, key: bytes) -> bytes | None:
        """The value; None where there is none, or where it has ended."""
        ...

    async def put(self, key: bytes, value: bytes, life: float) -> None:
        """Keep a value for so many seconds, in the place of an older one.

        One that is larger than :data:`MAX_VALUE`, or has no life, is not kept, and the older one is gone, too.
        """
        ...

    async def add(self, key: bytes, value: bytes, life: float) -> bool:
        """Keep a value unless there is one: atomic, and whether it was kept.

        One that is too large, or has no life, is not.
        """
        ...

    async def remove(self, key: bytes) -> None:
        """Forget a value before its end."""
        ...

    async def aclose(self) -> None:
        """Give the connections back."""
        ...
