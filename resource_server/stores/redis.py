"""A store in Redis or Valkey, shared by workers and machines (needs the extra ``redis``)."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from resource_server.configuration_error import ConfigurationError
from resource_server.stores.store import MAX_VALUE, WITHIN, StoreUnavailable

MAX_CONNECTIONS: Final = 64

T = TypeVar("T")


class RedisStore:
    """Keys begin with ``prefix``. The URL (``redis://``, ``rediss://`` for TLS, ``unix://``) may hold a password.

    Raises :class:`ConfigurationError`. Opens no connection before the first use, nor a second try: a store that is slow
    is down.
    """

    def __init__(self, url: str, *, prefix: str = "resource_server:", within: float = WITHIN) -> None:
        self._url = url
        self._prefix = prefix.encode()
        self._within = within
        self._kept: tuple[asyncio.AbstractEventLoop, Any] | None = None
        try:
            self._check_url()
        except ModuleNotFoundError:
            raise ConfigurationError("redis_url", "needs an extra: pip install 'resource_server[redis]'") from None
        except (ValueError, TypeError):
            raise ConfigurationError(
                "redis_url", "must be the URL of a Redis or Valkey server, as in redis://127.0.0.1:6379"
            ) from None

    async def get(self, key: bytes) -> bytes | None:
        """The value."""
        value: bytes | None = await self._do(self._client().get(self._prefix + key))
        return value

    async def put(self, key: bytes, value: bytes, life: float) -> None:
        """Keep a value."""
        if life > 0 and len(value) <= MAX_VALUE:
            await self._do(self._client().set(self._prefix + key, value, px=_milliseconds(life)))
        else:
            await self.remove(key)

    async def add(self, key: bytes, value: bytes, life: float) -> bool:
        """Keep a value unless there is one: one command, so no other can come between."""
        if life <= 0 or len(value) > MAX_VALUE:
            return False
        kept = await self._do(self._client().set(self._prefix + key, value, px=_milliseconds(life), nx=True))
        return bool(kept)

    async def remove(self, key: bytes) -> None:
        """Forget a value."""
        await self._do(self._client().delete(self._prefix + key))

    async def aclose(self) -> None:
        """Give the connections back."""
        kept, self._kept = self._kept, None
        if kept is not None and kept[0] is asyncio.get_running_loop():
            await kept[1].aclose()

    async def _do(self, command: Awaitable[T]) -> T:
        from redis.exceptions import RedisError

        try:
            async with asyncio.timeout(self._within):
                return await command
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(type(error).__name__) from None  # its text may hold the URL

    def _client(self) -> Any:
        """The client of the running event loop: connections can't outlive theirs."""
        loop = asyncio.get_running_loop()
        if self._kept is None or self._kept[0] is not loop:
            self._kept = loop, self._connect()
        return self._kept[1]

    def _check_url(self) -> None:
        """What is wrong with the URL, or with an option in its query, ends the start, not a request."""
        pool = self._connect().connection_pool
        pool.make_connection()  # opens none
        if pool.connection_kwargs.get("decode_responses"):
            raise ValueError("values are bytes")

    def _connect(self) -> Any:
        """A client that waits for a free connection, and gives up in time.

        By default a refused port takes seconds, a server that says nothing is waited for without end, and whoever
        finds all connections busy is told that there is none.
        """
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        pool = BlockingConnectionPool.from_url(
            self._url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=self._within,
            socket_connect_timeout=self._within,
            max_connections=MAX_CONNECTIONS,
            timeout=self._within,
        )
        return Redis.from_pool(pool)

    def __repr__(self) -> str:
        return "RedisStore()"


def _milliseconds(life: float) -> int:
    return max(1, int(life * 1000))
