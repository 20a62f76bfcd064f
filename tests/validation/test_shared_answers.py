"""Answers that processes share: two resource servers, one store."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from resource_server import ResourceServer
from resource_server.issuers.client_authentication import SecretBasic
from resource_server.stores.memory import MemoryStore
from resource_server.stores.redis import RedisStore
from resource_server.stores.store import Store, StoreUnavailable
from tests.introspecting import ENDPOINT, GOOD, Endpoint, active, issuer, kind, server
from tests.stores.conftest import _running, redis_store, shared
from tests.stores.valkey import Valkey
from tests.turnable_clock import TurnableClock

__all__ = ["_running", "redis_store", "shared"]

KEY = b"k" * 32
Make = Callable[..., ResourceServer]


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


@pytest.fixture(params=["memory", "valkey"])
def store(request: pytest.FixtureRequest, time: TurnableClock) -> Store:
    if request.param == "memory":
        return MemoryStore(clock=time.clock)
    found: Store = request.getfixturevalue("redis_store")
    return found


@pytest.fixture
def make(time: TurnableClock, endpoint: Endpoint) -> Make:
    """One process more."""
    return lambda store, key=KEY, **options: server(time, endpoint, issuer(**options), store=store, store_key=[key])


async def test_what_one_has_asked_another_does_not_ask(store: Store, make: Make, endpoint: Endpoint) -> None:
    """Pain 16: a token costs the issuer one question, however many workers there are."""
    one, other = make(store), make(store)
    assert await kind(one, GOOD, "orders:read") is None
    assert await kind(other, GOOD, "orders:read") is None
    assert await kind(other, GOOD, "orders:write") == "insufficient_scope"
    assert len(endpoint.questions) == 1
    assert await kind(other, "another") is None
    assert len(endpoint.questions) == 2


@pytest.mark.parametrize("after", [0.0, 1.0, 29.0])
async def test_an_answer_lives_from_the_first_question_on_wherever_it_is(
    store: Store, make: Make, time: TurnableClock, endpoint: Endpoint, after: float
) -> None:
    """RS-7662-4-a: asked about 29 s ago, it lives one second more with another, not another thirty."""
    endpoint.say(exp=time.wall + 3600)
    one, other = make(store), make(store)
    assert await kind(one) is None
    time.turn(after)
    assert await kind(other) is None
    endpoint.say(active=False)
    time.turn(29.75 - after)
    assert await kind(other) is None
    assert len(endpoint.questions) == 1
    time.turn(0.25)
    assert await kind(other) == "revoked"


async def test_each_judges_the_age_by_its_own_ttl(
    store: Store, make: Make, time: TurnableClock, endpoint: Endpoint
) -> None:
    """RS-7662-4-a: a process that may remember for 5 s takes no answer that another may keep for 600."""
    endpoint.say(exp=time.wall + 3600)
    patient, quick, strict = make(store, ttl=600), make(store, ttl=5), make(store, ttl=0)
    assert await kind(patient) is None
    time.turn(4.75)
    assert await kind(quick) is None
    assert len(endpoint.questions) == 1
    endpoint.say(active=False)
    assert await kind(strict) == "revoked"
    time.turn(0.25)
    assert await kind(quick) == "revoked"
    assert len(endpoint.questions) == 3


async def test_an_answer_of_a_time_to_come_is_none(
    store: Store, make: Make, time: TurnableClock, endpoint: Endpoint
) -> None:
    """T12: a clock that was set back would let what is remembered live for ever."""
    endpoint.say(exp=time.wall + 100_000, iat=time.wall - 100_000)
    assert await kind(make(store)) is None
    time.wall -= 31
    endpoint.say(active=False)
    assert await kind(make(store)) == "revoked"


async def test_a_clock_that_differs_by_less_than_the_leeway_does_no_harm(
    store: Store, make: Make, time: TurnableClock, endpoint: Endpoint
) -> None:
    """Machines' clocks differ by something."""
    assert await kind(make(store)) is None
    time.wall -= 29
    assert await kind(make(store)) is None
    assert len(endpoint.questions) == 1


async def test_expiry_is_judged_of_a_shared_answer_too(
    store: Store, make: Make, time: TurnableClock, endpoint: Endpoint
) -> None:
    """RS-7662-4-a, liboauth2 (CWE-613)."""
    endpoint.say(exp=time.wall + 5)
    assert await kind(make(store, ttl=600)) is None
    time.turn(34.99)
    assert await kind(make(store, ttl=600)) is None
    time.turn(0.01)
    assert await kind(make(store, ttl=600)) == "expired"
    assert len(endpoint.questions) == 1


@pytest.mark.parametrize("said", [{"active": False}, {"active": "true"}], ids=["inactive", "nonsense"])
async def test_no_refusal_is_shared(store: Store, make: Make, endpoint: Endpoint, said: dict[str, object]) -> None:
    """T11: a stranger fills no store, and no mistake is frozen in it."""
    endpoint.say(**said)
    await kind(make(store))
    endpoint.say()
    assert await kind(make(store)) is None
    assert len(endpoint.questions) == 2


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"endpoint": ENDPOINT + "/other"}, id="endpoint"),
        pytest.param({"client": SecretBasic("another", "secret")}, id="client"),
        pytest.param({"key": b"o" * 32}, id="key"),
    ],
)
async def test_another_endpoint_client_or_key_shares_nothing(
    store: Store, make: Make, endpoint: Endpoint, options: dict[str, object]
) -> None:
    """GHSA-4mq7-pvjg-xp2r: the key of a remembered answer lacked its endpoint, so one issuer's was another's."""
    assert await kind(make(store)) is None
    endpoint.say(active=False)
    assert await kind(make(store, **options)) == "revoked"


async def test_what_was_forged_copied_or_cut_is_a_miss_that_is_counted(
    redis_store: RedisStore, shared: Valkey, make: Make, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """T15: a neighbour who can write to the store lets nobody in."""
    await kind(make(redis_store), GOOD)
    [of_alice] = shared.known()
    sealed = shared.read(of_alice)
    await kind(make(redis_store), "of-mallory")
    [of_mallory] = [key for key in shared.known() if key != of_alice]
    endpoint.say(active=False)
    for forged in (sealed, sealed[:-1], sealed + b"x", b"", b'{"members": {"active": true}, "asked_at": 0}'):
        shared.write(of_mallory, forged)
        assert await kind(make(redis_store), "of-mallory") == "revoked"
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 5
    assert "was not sealed with STORE_KEY" in caplog.text


async def test_a_forged_value_is_replaced_by_the_issuer_s_answer(
    redis_store: RedisStore, shared: Valkey, make: Make, endpoint: Endpoint
) -> None:
    """T15: and found by the next one."""
    await kind(make(redis_store))
    [key] = shared.known()
    shared.write(key, b"nonsense")
    assert [await kind(make(redis_store)) for _ in range(3)] == [None] * 3
    assert len(endpoint.questions) == 2


async def test_nothing_in_the_store_is_in_the_clear(
    redis_store: RedisStore, shared: Valkey, make: Make, endpoint: Endpoint
) -> None:
    """T15: whoever reads the store learns neither tokens nor claims, nor whose issuer's they are."""
    endpoint.say(username="canary-of-alice", sub="canary-of-alice")
    await kind(make(redis_store), "canary-token")
    everything = shared.everything()
    for secret in (b"canary", b"hunter2", b"active", b"id.example.com", KEY):
        assert secret not in everything
    [key] = shared.known()
    assert len(key) == len("resource_server:") + 64
    assert 29_000 < shared.life(key) <= 30_000


class Broken:
    """A store that is down, and counts who asks."""

    def __init__(self) -> None:
        self.asked = 0

    async def get(self, key: bytes) -> bytes | None:
        self.asked += 1
        await asyncio.sleep(0)
        raise StoreUnavailable("ConnectionError")

    async def put(self, key: bytes, value: bytes, life: float) -> None:
        await self.get(key)

    async def add(self, key: bytes, value: bytes, life: float) -> bool:
        raise NotImplementedError

    async def remove(self, key: bytes) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        """Nothing is held."""


async def test_while_the_store_is_down_issuers_are_asked(
    make: Make, time: TurnableClock, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """Never laxer, never 5xx; one warning and a pause, however many were asking: a time-out each would add up."""
    broken = Broken()
    api = make(broken, ttl=1)
    assert await asyncio.gather(*(kind(api, f"t{number}") for number in range(50))) == [None] * 50
    assert len(caplog.records) == 1
    assert caplog.records[0].message == "the store is not asked for 5 s, issuers are instead: ConnectionError"
    asked = broken.asked
    time.turn(4.99)
    assert await kind(api, "during the pause".replace(" ", "-")) is None
    assert broken.asked == asked
    time.turn(0.01)
    assert await kind(api, "after-the-pause") is None
    assert broken.asked == asked + 1
    assert len(caplog.records) == 2
    assert len(endpoint.questions) == 52


async def test_a_killed_server_is_no_refusal(make: Make, endpoint: Endpoint) -> None:
    """DESIGN §9: with a real one."""
    api = make(RedisStore("unix:///nowhere/valkey.sock"))
    assert await kind(api) is None
    assert len(endpoint.questions) == 1


async def test_an_answer_too_large_to_be_kept_is_asked_for_by_each(
    store: Store, make: Make, time: TurnableClock, endpoint: Endpoint
) -> None:
    """A bound of the store is no fault of the token."""
    large = active(time, note="x" * (255 * 1024))
    endpoint.answer = lambda question: large
    assert [await kind(make(store)) for _ in range(2)] == [None, None]
    assert len(endpoint.questions) == 1
    larger = active(time, note="x" * (256 * 1024 - 300))
    endpoint.answer = lambda question: larger
    assert [await kind(make(store), "other") for _ in range(2)] == [None, None]
    assert len(endpoint.questions) in (2, 3)
