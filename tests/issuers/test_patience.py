"""An issuer that accepts connections and never answers: what a request waits for, and what goes on behind it."""

import asyncio

import pytest

from resource_server.issuers.fetch import FetchError
from resource_server.issuers.jwk_set import Key
from resource_server.issuers.keys import FIRST_RETRY, LONGEST, IssuerKeys
from resource_server.issuers.patience import PATIENCE
from resource_server.refusals import Kind, Refusal
from tests.issuers.key_kinds import signing_key
from tests.issuers.publisher import URL, Publisher, issuer_keys, known_keys
from tests.turnable_clock import TurnableClock

OLD, NEW = signing_key("ES256", 0), signing_key("ES256", 1)


@pytest.fixture
def hanging() -> Publisher:
    """Nothing is answered until ``open`` is set."""
    publisher = Publisher(OLD)
    publisher.open.clear()
    return publisher


def asking(keys: IssuerKeys, kid: str = OLD.kid) -> "asyncio.Task[Key | Refusal]":
    """A request that runs beside the test."""

    async def find() -> Key | Refusal:
        try:
            return await keys.find(kid, "ES256", may_force=lambda: True)
        except Refusal as refusal:
            return refusal

    return asyncio.create_task(find())


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def at_once(keys: IssuerKeys, kid: str = OLD.kid) -> Key | Refusal:
    """What is answered without any waiting for time or network."""
    request = asking(keys, kid)
    await settle()
    assert request.done()
    return request.result()


def unavailable(found: Key | Refusal, *, problem: str = "no answer within 2 s") -> bool:
    assert isinstance(found, Refusal)
    assert (found.kind, found.reason) == (Kind.ISSUER_UNAVAILABLE, f"{URL}: {problem}")
    return found.retry_after == 1


async def test_the_first_requests_wait_for_two_seconds_and_the_next_for_nothing(
    time: TurnableClock, hanging: Publisher
) -> None:
    """Design §1, §9: an outage is never the client's fault, nor a fetch's time-out its waiting; one fetch for all."""
    assert PATIENCE == 2.0
    keys = issuer_keys(hanging, time)
    first = [asking(keys) for _ in range(1000)]
    await settle()
    assert time.sleeping == [PATIENCE], "one timer for all"
    time.turn(PATIENCE - 0.001)
    await settle()
    assert not any(request.done() for request in first)
    time.turn(0.001)
    await settle()
    assert all(unavailable(request.result()) for request in first)
    for _ in range(100):
        assert unavailable(await at_once(keys))
    assert hanging.fetches == 1
    assert time.sleeping == []


async def test_the_fetch_goes_on_behind_and_its_keys_are_good(time: TurnableClock, hanging: Publisher) -> None:
    """Design §9: 503 until it answers, however late that is."""
    keys = issuer_keys(hanging, time)
    request = asking(keys)
    await settle()
    time.turn(PATIENCE)
    await settle()
    assert unavailable(request.result())
    hanging.open.set()
    await settle()
    assert isinstance(await at_once(keys), Key)
    assert hanging.fetches == 1


async def test_a_slowish_issuer_serves_its_first_requests(time: TurnableClock, hanging: Publisher) -> None:
    """Design §9: no 503 for an issuer that is well."""
    keys = issuer_keys(hanging, time)
    requests = [asking(keys) for _ in range(10)]
    await settle()
    time.turn(PATIENCE - 0.001)
    hanging.open.set()
    assert {getattr(found, "kid", found) for found in await asyncio.gather(*requests)} == {OLD.kid}
    assert time.sleeping == []


async def test_who_comes_late_waits_for_what_is_left(time: TurnableClock, hanging: Publisher) -> None:
    """Whoever has begun the fetch, a timer here: it has been pending for so long."""
    keys = issuer_keys(hanging, time)
    timer = asyncio.create_task(keys.refresh())
    await settle()
    time.turn(PATIENCE - 0.5)
    late = asking(keys)
    await settle()
    assert time.sleeping == [0.5]
    time.turn(0.5)
    await settle()
    assert unavailable(late.result())
    assert not timer.done(), "a timer has nobody who waits"
    hanging.open.set()
    await timer


async def test_a_fetch_that_has_been_pending_for_long_is_waited_for_by_nobody(
    time: TurnableClock, hanging: Publisher
) -> None:
    """The first request of all comes when the timer's fetch hangs already."""
    keys = issuer_keys(hanging, time)
    timer = asyncio.create_task(keys.refresh())
    await settle()
    time.turn(PATIENCE)
    assert unavailable(await at_once(keys))
    hanging.open.set()
    await timer


async def test_after_a_fetch_that_took_too_long_no_try_is_waited_for_until_one_succeeds(
    time: TurnableClock, hanging: Publisher
) -> None:
    """An issuer that hangs costs nobody two seconds again with each try; tries go on behind, at their own pace."""
    keys = issuer_keys(hanging, time)
    hanging.answer = FetchError("TimeoutError")
    request = asking(keys)
    await settle()
    time.turn(PATIENCE)
    await settle()
    hanging.open.set()
    await settle()
    assert unavailable(request.result())
    hanging.open.clear()
    hanging.publish(OLD)
    assert unavailable(await at_once(keys), problem="TimeoutError")
    assert hanging.fetches == 1, "not before it is due"
    time.turn(FIRST_RETRY)
    for _ in range(10):
        assert unavailable(await at_once(keys), problem="TimeoutError")
    assert hanging.fetches == 2
    hanging.open.set()
    await settle()
    assert isinstance(await at_once(keys), Key)


async def test_once_it_has_answered_an_issuer_is_waited_for_again(time: TurnableClock, hanging: Publisher) -> None:
    """The keys are stale: a request begins as the very first one did."""
    keys = issuer_keys(hanging, time, max_stale=60.0)
    request = asking(keys)
    await settle()
    time.turn(PATIENCE)
    hanging.open.set()
    await request
    await settle()
    time.turn(60)
    hanging.open.clear()
    again = asking(keys)
    await settle()
    assert not again.done()
    hanging.open.set()
    assert isinstance(await again, Key)


async def test_a_token_of_an_unknown_key_waits_no_longer_and_is_503(time: TurnableClock, hanging: Publisher) -> None:
    """Ruling 16: while a fetch hangs nobody can tell whether there is such a key; known keys go on."""
    hanging.open.set()
    keys = await known_keys(hanging, time)
    hanging.open.clear()
    requests = [asking(keys, NEW.kid) for _ in range(100)]
    await settle()
    assert isinstance(await at_once(keys), Key)
    time.turn(PATIENCE)
    await settle()
    assert all(unavailable(request.result()) for request in requests)
    assert unavailable(await at_once(keys, "another"))
    assert hanging.fetches == 2
    hanging.publish(OLD, NEW)
    hanging.open.set()
    await settle()
    assert isinstance(await at_once(keys, NEW.kid), Key), "the fetch was answered too early, so there is one more"


async def test_a_regular_refresh_that_hangs_keeps_nobody_waiting(time: TurnableClock, hanging: Publisher) -> None:
    """Known pain 1: it is behind the requests anyway."""
    hanging.open.set()
    keys = await known_keys(hanging, time)
    hanging.open.clear()
    time.turn(LONGEST)
    for _ in range(10):
        assert isinstance(await at_once(keys), Key)
        time.turn(PATIENCE)
    assert hanging.fetches == 2
    hanging.open.set()
    await settle()


async def test_requests_that_are_cancelled_leave_the_others_their_time(time: TurnableClock, hanging: Publisher) -> None:
    """threats.md, How it is shown: single flight whose leader is cancelled."""
    keys = issuer_keys(hanging, time)
    requests = [asking(keys) for _ in range(10)]
    await settle()
    for request in requests[:5]:
        request.cancel()
    await settle()
    time.turn(PATIENCE)
    await settle()
    assert all(request.cancelled() for request in requests[:5])
    assert all(unavailable(request.result()) for request in requests[5:])
    hanging.open.set()
    await settle()
