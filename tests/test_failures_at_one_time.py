"""Attempts of one address that are under way together: none passes the limit, and no good token is refused (T33)."""

import asyncio

import pytest

from resource_server import Kind, RateLimit
from resource_server.failed_authentications import MAX_WAITING
from tests.limiting import NEIGHBOUR, RATE, Limited, settle
from tests.turnable_clock import TurnableClock


@pytest.fixture
def limited(time: TurnableClock) -> Limited:
    return Limited(time)


async def test_guesses_at_one_time_cause_no_more_validations_than_one_after_the_other(limited: Limited) -> None:
    """T33: what is under way counts as failed; the others wait, and are told a time that is true."""
    limited.judge.open.clear()
    tasks = limited.come(*(f"guess-{number}" for number in range(1000)))
    await settle()
    assert len(limited.judge.asked) == RATE.at_once
    limited.judge.open.set()
    kinds = await asyncio.gather(*tasks)
    assert kinds == [Kind.BAD_SIGNATURE] * RATE.at_once + [Kind.RATE_LIMITED] * (1000 - RATE.at_once)
    assert len(limited.judge.asked) == RATE.at_once
    refused = await limited.refusal("guess")
    assert refused is not None
    assert refused.retry_after == 6


async def test_good_tokens_that_come_at_one_time_all_pass(limited: Limited) -> None:
    """T33: a proxy's whole audience after a restart; some wait for others, and nobody is refused."""
    limited.judge.open.clear()
    tasks = limited.come(*(f"good-{number}" for number in range(1000)))
    await settle()
    assert len(limited.judge.asked) == RATE.at_once
    other = limited.come("good-other", client=NEIGHBOUR)
    await settle()
    assert len(limited.judge.asked) == RATE.at_once + 1, "another address waits for nobody"
    limited.judge.open.set()
    assert await asyncio.gather(*tasks, *other) == [None] * 1001
    assert len(limited.judge.asked) == 1001


async def test_so_many_attempts_wait_for_their_turn_and_no_more(limited: Limited) -> None:
    """T24: each holds a request; with the limit, one address could pile up more of them than without it."""
    limited.judge.open.clear()
    tasks = limited.come(*(f"good-{number}" for number in range(RATE.at_once + MAX_WAITING)))
    await settle()
    assert [task.done() for task in tasks].count(True) == 0
    async with asyncio.timeout(5):
        refused = await limited.refusal("good-one-more")
    assert refused is not None
    assert (refused.kind, refused.retry_after) == (Kind.ISSUER_UNAVAILABLE, 1)
    others = [*limited.come(f"good-{RATE.at_once + MAX_WAITING - 1}"), *limited.come("good", client=NEIGHBOUR)]
    await settle()
    limited.judge.open.set()
    assert await asyncio.gather(*tasks, *others) == [None] * (len(tasks) + 2)
    assert await limited.kind("good-one-more") is None


@pytest.mark.parametrize("waiting", [False, True], ids=["under way", "waiting"])
async def test_requests_with_one_token_are_one_attempt(limited: Limited, waiting: bool) -> None:
    """RS-7662-4-c: all of them reach the validator together, which asks once for all; and it counts once."""
    limited.judge.open.clear()
    first = limited.come(*(f"good-{number}" for number in range(RATE.at_once if waiting else 0)))
    await settle()
    tasks = limited.come(*["guess"] * 100)
    await settle()
    assert limited.judge.asked.count("guess") == (0 if waiting else 100)
    limited.judge.open.set()
    assert await asyncio.gather(*first, *tasks) == [None] * len(first) + [Kind.BAD_SIGNATURE] * 100
    assert len(await limited.flood(RATE.at_once - 1)) == RATE.at_once - 1
    assert await limited.kind("guess") is Kind.RATE_LIMITED


async def test_who_hangs_up_has_guessed_all_the_same(limited: Limited) -> None:
    """T33: the question was asked, so to break off in time must not be the way around the limit."""
    limited.judge.open.clear()
    for _ in range(RATE.at_once):
        [task] = limited.come(f"guess-{len(limited.judge.asked)}")
        await settle()
        task.cancel()
        await asyncio.wait([task])
    limited.judge.open.set()
    assert await limited.kind("guess") is Kind.RATE_LIMITED


async def test_who_hangs_up_while_waiting_has_not_and_is_not_waited_for(limited: Limited) -> None:
    """Its turn is another's; one of several with the same token may leave without consequence."""
    limited.judge.open.clear()
    first = limited.come(*(f"good-{number}" for number in range(RATE.at_once)))
    waiting = limited.come("guess-a", "guess-b", "good-c", "good-c", "good-d")
    await settle()
    for gone in (waiting[0], waiting[1], waiting[2]):
        gone.cancel()
    await settle()
    limited.judge.open.set()
    assert await asyncio.gather(*first, *waiting[3:]) == [None] * (len(first) + 2)
    assert {"guess-a", "guess-b"}.isdisjoint(limited.judge.asked)
    assert await limited.flood(RATE.at_once) == [Kind.BAD_SIGNATURE] * RATE.at_once


async def test_whose_turn_has_come_and_who_leaves_before_taking_it_gives_it_back(limited: Limited) -> None:
    """Or those behind it would wait for ever."""
    one = Limited(limited.time, RateLimit(1, per=60))
    one.judge.open.clear()
    [first] = one.come("good-1")
    await settle()
    waiting = one.come("guess", "good-2")
    await settle()
    one.judge.open.set()
    while not first.done():  # noqa: ASYNC110 - no later than that, or the turn is taken
        await asyncio.sleep(0)
    waiting[0].cancel()
    assert await waiting[1] is None
    assert one.judge.asked == ["good-1", "good-2"]


async def test_one_of_several_with_the_same_token_may_leave(limited: Limited) -> None:
    """Somebody is there for the outcome, and it was a good one."""
    limited.judge.open.clear()
    tasks = limited.come(*["good"] * 3)
    await settle()
    tasks[0].cancel()
    await settle()
    limited.judge.open.set()
    assert await asyncio.gather(*tasks[1:]) == [None, None]
    assert await limited.flood(RATE.at_once) == [Kind.BAD_SIGNATURE] * RATE.at_once


async def test_when_all_is_over_nothing_is_kept_of_it(limited: Limited) -> None:
    """What is under way is bounded by the requests that are."""
    limited.judge.open.clear()
    tasks = limited.come(*(f"guess-{number}" for number in range(100)))
    await settle()
    tasks[5].cancel()
    tasks[50].cancel()
    limited.judge.open.set()
    await asyncio.wait(tasks)
    assert limited.limit._callers == {}


def test_it_may_be_used_by_one_event_loop_after_another(time: TurnableClock) -> None:
    """What was cut off by the end of a loop holds up nobody in the next one."""
    limited = Limited(time, RateLimit(2, per=60))

    async def leave() -> None:
        limited.judge.open.clear()
        limited.come("good-1", "good-2", "good-3")
        await settle()

    asyncio.run(leave())
    limited.judge.open = asyncio.Event()
    limited.judge.open.set()
    limited.time.turn(60)
    assert asyncio.run(limited.kind("good-3")) is None
