"""What every store promises, of the one in memory and of a real server."""

import asyncio
import os

import pytest

from resource_server.stores.memory import MemoryStore
from resource_server.stores.redis import RedisStore
from resource_server.stores.store import MAX_VALUE, Store
from tests.stores.valkey import Valkey
from tests.turnable_clock import TurnableClock

BINARY = bytes(range(256))


async def test_what_is_put_is_got(store: Store) -> None:
    """DESIGN §3: bytes under a key of bytes."""
    await store.put(b"a", b"1", 60)
    await store.put(b"b", b"2", 60)
    assert (await store.get(b"a"), await store.get(b"b"), await store.get(b"c")) == (b"1", b"2", None)


@pytest.mark.parametrize("value", [b"", b"\x00", b"\r\n$-1\r\n", BINARY], ids=["empty", "nul", "protocol", "all"])
@pytest.mark.parametrize("key", [b"\x00", b" *?[", b"a\r\nFLUSHALL\r\n", BINARY], ids=["nul", "glob", "command", "all"])
async def test_keys_and_values_are_any_bytes(store: Store, key: bytes, value: bytes) -> None:
    """T15: what is kept is sealed, so it is any bytes; none of them is a command."""
    await store.put(b"other", b"stays", 60)
    await store.put(key, value, 60)
    assert await store.get(key) == value
    await store.remove(key)
    assert (await store.get(key), await store.get(b"other")) == (None, b"stays")


async def test_what_is_put_again_is_replaced(store: Store) -> None:
    """The later one stands, with its own life."""
    await store.put(b"a", b"1", 60)
    await store.put(b"a", b"2", 120)
    assert await store.get(b"a") == b"2"


async def test_what_is_removed_is_gone(store: Store) -> None:
    """And what never was can be removed, too."""
    await store.put(b"a", b"1", 60)
    await store.remove(b"a")
    await store.remove(b"a")
    assert await store.get(b"a") is None


async def test_what_was_added_is_not_added_again(store: Store) -> None:
    """T25: set if absent."""
    assert await store.add(b"a", b"1", 60) is True
    assert await store.add(b"a", b"2", 60) is False
    assert await store.get(b"a") == b"1"
    await store.remove(b"a")
    assert await store.add(b"a", b"3", 60) is True


async def test_what_was_put_is_not_added(store: Store) -> None:
    """One place for both."""
    await store.put(b"a", b"1", 60)
    assert await store.add(b"a", b"2", 60) is False
    assert await store.get(b"a") == b"1"


async def test_of_fifty_who_add_at_once_one_is_told_that_it_was_kept(store: Store) -> None:
    """T25: recording is one atomic set-if-absent."""
    values = [str(number).encode() for number in range(50)]
    kept = await asyncio.gather(*(store.add(b"a", value, 60) for value in values))
    assert kept.count(True) == 1
    assert await store.get(b"a") == values[kept.index(True)]


@pytest.mark.parametrize("life", [0.0, -1.0])
async def test_what_has_no_life_is_not_kept(store: Store, life: float) -> None:
    """A token that has expired meanwhile; what stood there is gone, too."""
    assert await store.add(b"a", b"1", life) is False
    assert await store.get(b"a") is None
    await store.put(b"a", b"1", 60)
    await store.put(b"a", b"2", life)
    assert await store.get(b"a") is None


async def test_a_value_of_256_kib_is_kept_and_one_byte_more_is_not(store: Store) -> None:
    """Design §9: bounds are tested at the bound and one past it; whoever adds is told that it was not kept."""
    assert MAX_VALUE == 256 * 1024
    largest, larger = os.urandom(MAX_VALUE), os.urandom(MAX_VALUE + 1)
    await store.put(b"a", largest, 60)
    assert await store.get(b"a") == largest
    await store.put(b"a", larger, 60)
    assert await store.get(b"a") is None
    assert await store.add(b"a", larger, 60) is False
    assert await store.get(b"a") is None
    assert await store.add(b"a", largest, 60) is True
    assert await store.get(b"a") == largest


async def test_two_hundred_at_once_are_all_answered(store: Store) -> None:
    """More than there are connections: a store that is busy is not down."""
    await asyncio.gather(*(store.put(str(number).encode(), str(number).encode(), 60) for number in range(200)))
    found = await asyncio.gather(*(store.get(str(number).encode()) for number in range(200)))
    assert found == [str(number).encode() for number in range(200)]


async def test_a_store_can_be_used_after_its_connections_were_given_back(store: Store) -> None:
    """A second start of the application in one process."""
    await store.put(b"a", b"1", 60)
    await store.aclose()
    await store.put(b"b", b"2", 60)
    assert await store.get(b"b") == b"2"
    await store.aclose()
    await store.aclose()


def test_a_store_may_be_used_by_one_event_loop_after_another(shared: Valkey) -> None:
    """Connections belong to the loop that made them."""
    store = RedisStore(shared.url, within=10)

    async def put() -> None:
        await store.put(b"a", b"1", 60)
        await store.aclose()

    async def get() -> bytes | None:
        value = await store.get(b"a")
        await store.aclose()
        return value

    asyncio.run(put())
    assert asyncio.run(get()) == b"1"


@pytest.mark.parametrize(("life", "least", "most"), [(30.0, 29_000, 30_000), (0.5, 1, 500), (600.0, 599_000, 600_000)])
async def test_the_server_is_told_the_life_in_milliseconds(
    redis_store: Store, shared: Valkey, life: float, least: int, most: int
) -> None:
    """RS-7662-4-a: half a second is not rounded to a whole one, nor to none, which would be for ever."""
    await redis_store.put(b"put", b"1", life)
    await redis_store.add(b"add", b"1", life)
    lives = [shared.life(key) for key in shared.known()]
    assert len(lives) == 2
    assert all(least <= left <= most for left in lives)


async def test_the_shortest_life_is_a_millisecond_and_not_for_ever(redis_store: Store, shared: Valkey) -> None:
    """A life of no milliseconds is an error to the server."""
    await redis_store.put(b"a", b"1", 0.0001)
    assert all(shared.life(key) <= 1 for key in shared.known())


async def test_keys_begin_with_the_prefix(redis_store: Store, shared: Valkey) -> None:
    """A server that others use, too."""
    await redis_store.put(b"a", b"1", 60)
    assert shared.known() == [b"resource_server:a"]


async def test_the_memory_forgets_at_the_very_end_of_a_life(time: TurnableClock) -> None:
    """At its last millisecond it is there."""
    store = MemoryStore(clock=time.clock)
    await store.put(b"a", b"1", 30)
    time.turn(29.999)
    assert await store.get(b"a") == b"1"
    time.turn(0.001)
    assert await store.get(b"a") is None
    assert await store.add(b"a", b"2", 30) is True


SIZE = 1000
"""Of the memory, in bytes. Each entry takes 200 beside its key and its value."""


async def test_an_entry_as_large_as_the_memory_is_kept_and_one_byte_more_is_not() -> None:
    """T14: the bound is in bytes."""
    store = MemoryStore(SIZE)
    await store.put(b"a", b"x" * 799, 60)
    assert await store.get(b"a") is not None
    await store.put(b"b", b"x" * 800, 60)
    assert await store.get(b"b") is None
    assert await store.add(b"b", b"x" * 800, 60) is False
    assert await store.get(b"a") is not None


async def test_the_oldest_goes_first_and_no_more_than_has_to() -> None:
    """T14: five entries of 200 bytes fit, and not one byte more."""
    store = MemoryStore(SIZE)
    for key in (b"", b"1", b"2", b"3"):
        await store.put(key, b"", 60)
    assert await store.get(b"") == b""
    await store.put(b"4", b"x" * 196, 60)  # 200 + 3 * 201 + 397 = 1,200
    assert [await store.get(key) for key in (b"", b"1", b"2", b"3")] == [None, b"", b"", b""]
    await store.put(b"5", b"", 60)
    assert [await store.get(key) for key in (b"1", b"2", b"3")] == [None, b"", b""]


async def test_what_is_replaced_or_removed_takes_no_room() -> None:
    """T14: or a memory would be full of what is not there."""
    store = MemoryStore(SIZE)
    await store.put(b"stays", b"", 60)
    for _ in range(100):
        await store.put(b"a", b"x" * 300, 60)
        await store.add(b"b", b"", 60)
        await store.remove(b"b")
    assert await store.get(b"stays") == b""
