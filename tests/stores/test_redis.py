"""A store that is a server: what it costs when that is down, and what is told of it."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.stores.redis import RedisStore
from resource_server.stores.store import WITHIN, StoreUnavailable
from tests.stores.valkey import Valkey, valkey

CANARY = "correct-horse-battery-staple"
AT_ONCE = 50
LONGEST = 2.0
"""Seconds. A call ends within 0.3; a machine under load is given more."""


@pytest.fixture
def server() -> Iterator[Valkey]:
    """One that may be killed."""
    with valkey() as started:
        yield started


async def say(store: RedisStore, number: int) -> bytes | str | None:
    """Put and get one value; how that ends, within the bound."""
    key = f"key {number}".encode()
    try:
        async with asyncio.timeout(LONGEST):
            await store.put(key, key, 60)
            return await store.get(key)
    except StoreUnavailable:
        return "unavailable"


async def many(store: RedisStore) -> list[bytes | str | None]:
    return await asyncio.gather(*(say(store, number) for number in range(AT_ONCE)))


RIGHT = [f"key {number}".encode() for number in range(AT_ONCE)]


async def recovered(store: RedisStore) -> None:
    """Wait until the store is asked with success again, and then find nothing of one key under another."""
    async with asyncio.timeout(20):
        while await many(store) != RIGHT:
            pass


async def test_a_server_that_was_killed_under_load_is_unavailable_and_then_used_again(server: Valkey) -> None:
    """D29, DESIGN §9: a Redis killed in mid-load costs no request more than the bound."""
    store = RedisStore(server.url)
    await recovered(store)
    under_way = asyncio.create_task(many(store))
    await asyncio.sleep(0)
    server.kill()
    said = await under_way
    assert all(one in (right, "unavailable", None) for one, right in zip(said, RIGHT, strict=True))
    assert await many(store) == ["unavailable"] * AT_ONCE
    server.start()
    await recovered(store)
    await store.aclose()


async def test_a_server_that_says_nothing_is_unavailable_and_its_late_answers_are_nobody_s(server: Valkey) -> None:
    """D29: paused, not dead. An answer that comes late must not be taken for the answer to another question."""
    store = RedisStore(server.url)
    await recovered(store)
    with server.held():
        assert await many(store) == ["unavailable"] * AT_ONCE
        assert await many(store) == ["unavailable"] * AT_ONCE
    await recovered(store)
    await store.aclose()


async def test_whoever_gives_up_leaves_no_answer_to_another(server: Valkey) -> None:
    """A cancelled call's connection is not used again: its answer would be read by the next one."""
    store = RedisStore(server.url)
    await recovered(store)
    with server.held():
        waiting = [asyncio.create_task(store.get(right)) for right in RIGHT]
        for _ in range(20):
            await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    await recovered(store)
    await store.aclose()


CALLS: list[Callable[[RedisStore], Awaitable[object]]] = [
    lambda store: store.get(b"a"),
    lambda store: store.put(b"a", b"1", 60),
    lambda store: store.put(b"a", b"1", 0),
    lambda store: store.add(b"a", b"1", 60),
    lambda store: store.remove(b"a"),
]


@pytest.mark.parametrize("call", CALLS, ids=["get", "put", "put-nothing", "add", "remove"])
@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "unix:///nowhere/valkey.sock"], ids=["tcp", "unix"])
async def test_each_call_raises_where_nobody_listens(call: Callable[[RedisStore], Awaitable[object]], url: str) -> None:
    """D29: one exception, whatever the library makes of it."""
    store = RedisStore(url)
    with pytest.raises(StoreUnavailable):
        await call(store)
    await store.aclose()


def test_a_store_that_has_not_answered_for_a_third_of_a_second_is_down() -> None:
    """Design §9."""
    assert WITHIN == 0.3


async def test_a_wrong_password_is_unavailable_and_shown_nowhere(
    server: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    """T37."""
    server.demand("another")
    caplog.set_level(logging.DEBUG)
    store = RedisStore(server.url.replace("unix://", f"unix://:{CANARY}@"))
    with pytest.raises(StoreUnavailable) as caught:
        await store.get(b"a")
    assert caught.value.__cause__ is None
    assert CANARY not in f"{caught.value!s}{caught.value!r}{store!r}{caplog.text}"
    await store.aclose()


async def test_the_right_password_opens(server: Valkey) -> None:
    """The control of the one above."""
    server.demand(CANARY)
    store = RedisStore(server.url.replace("unix://", f"unix://:{CANARY}@"), within=10)
    await store.put(b"a", b"1", 60)
    assert await store.get(b"a") == b"1"
    await store.aclose()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param(f"https://:{CANARY}@store.example.com", id="another-scheme"),
        pytest.param(f":{CANARY}@store.example.com:6379", id="no-scheme"),
        pytest.param(f"redis://:{CANARY}@store.example.com:port", id="no-port"),
        pytest.param(f"redis://:{CANARY}@store.example.com:99999", id="impossible-port"),
        pytest.param(f"redis://:{CANARY}@store.example.com?db=first", id="no-number"),
        pytest.param(f"redis://:{CANARY}@store.example.com?nonsense=1", id="unknown-option"),
        pytest.param(f"redis://:{CANARY}@store.example.com?decode_responses=true", id="texts"),
    ],
)
def test_a_url_that_is_none_ends_the_start_unquoted(url: str) -> None:
    """DESIGN §3, T37: one sentence, and no password in it."""
    with pytest.raises(ConfigurationError) as caught:
        RedisStore(url)
    assert str(caught.value) == "redis_url must be the URL of a Redis or Valkey server, as in redis://127.0.0.1:6379"
    assert caught.value.__cause__ is None


def test_without_the_extra_the_start_ends_with_what_to_install() -> None:
    """DESIGN §3: a missing package must not be noticed by the first request."""
    script = """
import importlib.abc, json, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] == "redis":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from resource_server.configuration_error import ConfigurationError
from resource_server.stores.redis import RedisStore
try:
    RedisStore("redis://127.0.0.1")
except ConfigurationError as error:
    print(json.dumps(str(error)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == "redis_url needs an extra: pip install 'resource_server[redis]'"
