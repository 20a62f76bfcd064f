"""Both stores, under one name."""

from collections.abc import AsyncIterator, Iterator

import pytest

from resource_server.stores.memory import MemoryStore
from resource_server.stores.redis import RedisStore
from resource_server.stores.store import Store
from tests.stores.valkey import Valkey, valkey


@pytest.fixture(scope="session")
def _running() -> Iterator[Valkey]:
    with valkey() as server:
        yield server


@pytest.fixture
def shared(_running: Valkey) -> Valkey:
    """A Valkey server that holds nothing."""
    _running.forget()
    return _running


@pytest.fixture
async def redis_store(shared: Valkey) -> AsyncIterator[RedisStore]:
    store = RedisStore(shared.url, within=10)  # a machine under load must not fail a test
    yield store
    await store.aclose()


@pytest.fixture(params=["memory", "valkey"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    found: Store = request.getfixturevalue("redis_store")
    return found
