import asyncio
from collections.abc import Awaitable, Callable

import pytest

from resource_server.single_flight import SingleFlight


class Work:
    """Counts how often it is done; it ends when the test opens it."""

    def __init__(self, outcome: object = None) -> None:
        self.outcome = outcome
        self.done = 0
        self.open = asyncio.Event()

    async def __call__(self) -> int:
        self.done += 1
        mine = self.done
        await self.open.wait()
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return mine


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_1000_waiters_share_one_piece_of_work() -> None:
    """Known pain 5, design §9."""
    flight, work = SingleFlight[int](), Work()
    waiters = [asyncio.create_task(flight.join(work)) for _ in range(1000)]
    await settle()
    assert flight.is_running
    work.open.set()
    assert await asyncio.gather(*waiters) == [1] * 1000
    assert work.done == 1
    assert not flight.is_running


async def test_finished_work_is_not_remembered() -> None:
    """T11: what failed or succeeded once is done again for the next."""
    flight, work = SingleFlight[int](), Work()
    work.open.set()
    assert [await flight.join(work) for _ in range(3)] == [1, 2, 3]


async def test_finished_work_is_no_answer_to_who_comes_later_where_that_is_not_wanted() -> None:
    """Design §9: a rotation; who has waited in vain, while others have yet to hear, needs work that begins after it."""
    flight, work = SingleFlight[int](shares_finished=False), Work()

    async def ask_twice() -> tuple[int, int]:
        return await flight.join(work), await flight.join(work)

    waiters = [asyncio.create_task(ask_twice()) for _ in range(3)]
    await settle()
    work.open.set()
    assert await asyncio.gather(*waiters) == [(1, 2)] * 3
    assert work.done == 2


@pytest.mark.parametrize("turns", range(6))
async def test_who_comes_before_the_waiters_have_heard_shares_what_they_waited_for(turns: int) -> None:
    """DESIGN §8, one question for 1,000 callers: the first of them remembers the answer some turns after its end."""
    flight, work = SingleFlight[int](), Work()
    remembered: list[int] = []
    late: list[asyncio.Task[int]] = []

    async def ask() -> int:
        if not remembered:
            remembered.append(await flight.join(work_and_let_others_come))
        return remembered[0]

    def come(turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(come, turns - 1)
        else:
            late.append(asyncio.create_task(ask()))

    async def work_and_let_others_come() -> int:
        result = await work()
        come(turns)
        return result

    waiters = [asyncio.create_task(ask()) for _ in range(3)]
    await settle()
    work.open.set()
    assert await asyncio.gather(*waiters) == [1] * 3
    await settle()
    assert [await one for one in late] == [1]
    assert work.done == 1
    assert not flight.is_running


async def test_every_waiter_gets_the_failure_and_the_next_tries_again() -> None:
    """CVE-2025-64527: a failed fetch and several tokens."""
    flight, work = SingleFlight[int](), Work(ValueError("down"))
    waiters = [asyncio.create_task(flight.join(work)) for _ in range(10)]
    await settle()
    work.open.set()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert [repr(outcome) for outcome in outcomes] == ["ValueError('down')"] * 10
    work.outcome = None
    assert await flight.join(work) == 2


@pytest.mark.parametrize("cancelled", [[0], [3], [0, 1, 2], [1, 2, 3, 4]], ids=str)
async def test_a_cancelled_waiter_hurts_nobody(cancelled: list[int]) -> None:
    """threats.md, How it is shown: whose leader is cancelled."""
    flight, work = SingleFlight[int](), Work()
    waiters = [asyncio.create_task(flight.join(work)) for _ in range(5)]
    await settle()
    for number in cancelled:
        waiters[number].cancel()
    await settle()
    work.open.set()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [n in cancelled for n in range(5)]
    assert {outcome for n, outcome in enumerate(outcomes) if n not in cancelled} == {1}
    assert work.done == 1


async def test_work_whose_waiters_have_all_gone_is_finished_and_shared_with_the_next() -> None:
    """Design §9: a client that hangs up does not cost the issuer a second request."""
    flight, work = SingleFlight[int](), Work()
    waiter = asyncio.create_task(flight.join(work))
    await settle()
    waiter.cancel()
    await settle()
    assert waiter.cancelled()
    second = asyncio.create_task(flight.join(work))
    await settle()
    work.open.set()
    assert await second == 1


async def test_a_failure_that_nobody_waits_for_is_not_reported_as_lost() -> None:
    """Warnings are errors: "exception was never retrieved" would reach the operator's log as a fault."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    flight, work = SingleFlight[int](), Work(ValueError("down"))
    waiter = asyncio.create_task(flight.join(work))
    await settle()
    waiter.cancel()
    await settle()
    work.open.set()
    await settle()
    del flight, waiter
    assert complaints == []


async def test_cancelled_work_is_started_anew() -> None:
    """threats.md, How it is shown: the leader dies."""

    async def dies() -> int:
        raise asyncio.CancelledError

    flight, work = SingleFlight[int](), Work()
    with pytest.raises(asyncio.CancelledError):
        await flight.join(dies)
    work.open.set()
    assert await flight.join(work) == 1


def test_a_second_event_loop_gets_work_of_its_own() -> None:
    """An app may be started twice in one process, as tests do; the first loop may have gone while work ran."""
    flight = SingleFlight[str]()

    def work(answer: str) -> Callable[[], Awaitable[str]]:
        async def run() -> str:
            await asyncio.sleep(0)
            return answer

        return run

    async def leave_running() -> None:
        asyncio.get_running_loop().call_soon(lambda: None)
        waiting = asyncio.create_task(flight.join(work("first")))
        await asyncio.sleep(0)
        assert flight.is_running
        waiting.cancel()

    asyncio.run(leave_running())

    async def start_anew() -> str:
        assert not flight.is_running
        return await flight.join(work("second"))

    assert asyncio.run(start_anew()) == "second"
