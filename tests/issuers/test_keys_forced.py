"""Fetches that an unknown kid may force, and the budget that keeps strangers from forcing more (T22)."""

import asyncio

import pytest

from resource_server.issuers.forced import BURST, MAX_IN_VAIN, SPACING, ForcedFetches
from resource_server.issuers.jwk_set import Key
from resource_server.issuers.keys import LONGEST, IssuerKeys
from resource_server.refusals import Kind, Refusal
from tests.issuers.key_kinds import signing_key
from tests.issuers.publisher import Publisher, known_keys
from tests.turnable_clock import TurnableClock

OLD, NEW, NEWER = (signing_key("ES256", number) for number in range(3))


async def find(keys: IssuerKeys, kid: str | None, *, may_force: bool = True) -> Key:
    return await keys.find(kid, "ES256", may_force=lambda: may_force)


async def kind_of(keys: IssuerKeys, kid: str | None, *, may_force: bool = True) -> Kind | None:
    try:
        await find(keys, kid, may_force=may_force)
    except Refusal as refusal:
        return refusal.kind
    return None


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_rotated_key_is_accepted_after_one_fetch(time: TurnableClock) -> None:
    """Design §9, known pain 2: no good token is refused, and one fetch is enough."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.publish(OLD, NEW)
    assert (await find(keys, NEW.kid)).kid == NEW.kid
    assert (await find(keys, NEW.kid)).kid == NEW.kid
    assert (await find(keys, OLD.kid)).kid == OLD.kid
    assert publisher.fetches == 2


async def test_the_ordinary_first_fetch_does_not_count_against_a_rotation(time: TurnableClock) -> None:
    """Known mistakes, rotation test: a cool-down counted from the ordinary fetch refused good tokens for 30 s."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    for _ in range(20):
        await keys.refresh()
    publisher.publish(NEW)
    assert (await find(keys, NEW.kid)).kid == NEW.kid


async def test_1000_concurrent_tokens_of_a_rotated_key_cost_one_fetch_and_all_are_good(time: TurnableClock) -> None:
    """Design §9: key rotation refuses no good token; known pain 5: no stampede."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.publish(OLD, NEW)
    publisher.open.clear()
    waiting = [asyncio.create_task(kind_of(keys, NEW.kid)) for _ in range(1000)]
    await settle()
    publisher.open.set()
    assert set(await asyncio.gather(*waiting)) == {None}
    assert publisher.fetches == 2


async def test_a_fetch_that_was_under_way_before_the_rotation_is_followed_by_another(time: TurnableClock) -> None:
    """Design §9: it may have been answered too early for the new key."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.open.clear()
    regular = asyncio.create_task(keys.refresh())
    await settle()
    publisher.publish(OLD, NEW)
    waiting = [asyncio.create_task(kind_of(keys, NEW.kid)) for _ in range(1000)]
    await settle()
    publisher.open.set()
    assert set(await asyncio.gather(*waiting)) == {None}
    await regular
    assert publisher.fetches == 3


async def test_a_flood_of_unknown_kids_costs_two_fetches(time: TurnableClock) -> None:
    """T22, RS-7517-4.5-a, CVE-2026-48524: burst 2, then refused; the issuer is well, so 401."""
    assert (BURST, SPACING) == (2, 10.0)
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    for number in range(1000):
        assert await kind_of(keys, f"random-{number}") is Kind.UNKNOWN_KEY
    assert publisher.fetches == 1 + 2


async def test_a_concurrent_flood_of_unknown_kids_costs_two_fetches(time: TurnableClock) -> None:
    """T22: waiting together is no way around the budget."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    kinds = await asyncio.gather(*(kind_of(keys, f"random-{number}") for number in range(1000)))
    assert set(kinds) == {Kind.UNKNOWN_KEY}
    assert publisher.fetches <= 1 + 2


async def test_then_one_fetch_in_ten_seconds_is_forced(time: TurnableClock) -> None:
    """T22: a spacing, tested at the bound and just before it."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    for number in range(10):
        await kind_of(keys, f"burst-{number}")
    for round_ in range(1, 6):
        time.turn(9.75)
        assert await kind_of(keys, "early") is Kind.UNKNOWN_KEY
        assert publisher.fetches == 3 + round_ - 1
        time.turn(0.25)
        for _ in range(10):
            assert await kind_of(keys, "due") is Kind.UNKNOWN_KEY
        assert publisher.fetches == 3 + round_


async def test_a_long_quiet_time_saves_up_no_more_than_the_burst(time: TurnableClock) -> None:
    """T22."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    time.turn(LONGEST - 1)
    for number in range(10):
        await kind_of(keys, f"random-{number}")
    assert publisher.fetches == 3


async def test_a_rotation_during_a_flood_is_noticed_within_the_spacing(time: TurnableClock) -> None:
    """T22, known pain 4: the budget is a spacing, so it can't be eaten for long."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    for number in range(1000):
        await kind_of(keys, f"random-{number}")
    publisher.publish(OLD, NEW)
    assert await kind_of(keys, NEW.kid) is Kind.UNKNOWN_KEY
    time.turn(SPACING)
    assert await kind_of(keys, NEW.kid) is None


async def test_an_unknown_kid_is_not_held_against_its_later_key(time: TurnableClock) -> None:
    """T22: a guessed future kid can't be planted in a memory of unknown kids."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    assert await kind_of(keys, NEW.kid) is Kind.UNKNOWN_KEY
    publisher.publish(OLD, NEW)
    await keys.refresh()
    assert await kind_of(keys, NEW.kid) is None


async def test_a_flood_does_not_delay_the_regular_refresh(time: TurnableClock) -> None:
    """Design §9: the budget counts forced fetches only."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    for number in range(1000):
        await kind_of(keys, f"random-{number}")
    before = publisher.fetches
    time.turn(LONGEST)
    for _ in range(2):
        await find(keys, OLD.kid)
        await settle()
    assert publisher.fetches == before + 1


async def test_a_token_that_would_not_pass_forces_nothing(time: TurnableClock) -> None:
    """T22: a forced fetch happens only for a token whose unverified claims would pass."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.publish(OLD, NEW)
    for _ in range(100):
        assert await kind_of(keys, NEW.kid, may_force=False) is Kind.UNKNOWN_KEY
    assert publisher.fetches == 1
    assert await kind_of(keys, NEW.kid) is None, "nor has it eaten the budget"


async def test_a_known_key_is_never_asked_whether_it_may_force(time: TurnableClock) -> None:
    """Design §8: the request path only looks up."""
    keys = await known_keys(Publisher(OLD), time)

    def never() -> bool:
        raise AssertionError

    assert (await keys.find(OLD.kid, "ES256", may_force=never)).kid == OLD.kid


async def test_a_token_without_kid_forces_within_the_same_budget(time: TurnableClock) -> None:
    """RS-7517-4.5-a: two keys that fit, and the token does not choose."""
    publisher = Publisher(OLD, NEW)
    keys = await known_keys(publisher, time)
    for _ in range(10):
        assert await kind_of(keys, None) is Kind.UNKNOWN_KEY
    assert publisher.fetches == 2, "one forced fetch for one header"


async def test_an_unknown_kid_is_503_while_the_issuer_is_down(time: TurnableClock) -> None:
    """Ruling 16: if the last fetch failed, nobody can tell; known keys go on."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.fail()
    for _ in range(10):
        assert await kind_of(keys, NEW.kid) is Kind.ISSUER_UNAVAILABLE
    assert publisher.fetches == 2
    assert await kind_of(keys, OLD.kid) is None
    publisher.publish(OLD)
    time.turn(SPACING)
    assert await kind_of(keys, NEW.kid) is Kind.UNKNOWN_KEY, "the fetch has succeeded, so now we can tell"


async def test_the_reason_of_a_503_names_the_issuer_and_its_problem(time: TurnableClock) -> None:
    """Design §1: its reason is known to the operator; the unverified kid is not quoted (T35)."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.fail()
    with pytest.raises(Refusal) as caught:
        await find(keys, "canary")
    assert caught.value.reason == "https://id.example.com: status 500"


async def test_a_kid_that_was_looked_for_in_vain_forces_once_in_10_seconds(time: TurnableClock) -> None:
    """T22: remembered for at most the spacing; the bound, and just before it."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    for _ in range(100):
        assert await kind_of(keys, "unknown") is Kind.UNKNOWN_KEY
    assert publisher.fetches == 2
    time.turn(SPACING - 0.001)
    await kind_of(keys, "unknown")
    assert publisher.fetches == 2
    time.turn(0.001)
    await kind_of(keys, "unknown")
    assert publisher.fetches == 3


async def test_the_memory_of_unknown_kids_is_bounded(time: TurnableClock) -> None:
    """T22: the oldest goes first, and every good fetch empties it."""
    forced = ForcedFetches(time.clock)
    for number in range(MAX_IN_VAIN + 1):
        forced.note_in_vain(str(number), "ES256")
    assert not forced.is_known_in_vain("0", "ES256")
    assert forced.is_known_in_vain("1", "ES256")
    assert forced.is_known_in_vain(str(MAX_IN_VAIN), "ES256")
    assert not forced.is_known_in_vain("1", "RS256")
    forced.forget_in_vain()
    assert not forced.is_known_in_vain("1", "ES256")


@pytest.mark.parametrize("each", [10, 7, 3], ids=lambda each: f"{each}-times-a-second")
def test_the_budget_is_exact_however_often_it_is_asked_for(time: TurnableClock, each: int) -> None:
    """T22: fractions that are summed up drift, and give the fetch of a tenth second too late, or one too early."""
    forced = ForcedFetches(time.clock)
    began = time.monotonic
    taken = []
    for asked in range(1000 * each + 1):
        time.monotonic = began + asked / each
        if forced.take():
            taken.append(asked / each)
    assert taken == [0.0, 1 / each, *(SPACING * number for number in range(1, 101))]


def test_a_monotonic_clock_that_begins_below_zero_keeps_the_budget(time: TurnableClock) -> None:
    """T22: its zero means nothing."""
    time.monotonic = -100_000.0
    forced = ForcedFetches(time.clock)
    assert [forced.take() for _ in range(4)] == [True, True, False, False]


@pytest.mark.parametrize("workers", [2, 4, 1000])
async def test_the_spacing_is_as_many_times_as_long_as_there_are_workers(time: TurnableClock, workers: int) -> None:
    """T13: tested at the bound and just before it; the burst stays, so that a rotation is noticed at once."""
    forced = ForcedFetches(time.clock, workers)
    assert [forced.take() for _ in range(3)] == [True, True, False]
    for _ in range(3):
        time.turn(SPACING * workers - 0.25)
        assert not forced.take()
        time.turn(0.25)
        assert forced.take()
        assert not forced.take()


async def test_workers_together_ask_as_often_as_one(time: TurnableClock) -> None:
    """T13, T22: a flood that each of four processes gets, for a hundred spacings."""
    publisher = Publisher(OLD)
    workers = [await known_keys(publisher, time, workers=4) for _ in range(4)]
    publisher.fetches = 0
    for number in range(100):
        for worker in workers:
            for kid in ("one", "two", "three"):
                await kind_of(worker, f"{kid}-{number}")
        time.turn(SPACING)
    assert publisher.fetches == 4 * BURST + 100 - 4
