"""Requests that come while an answer is on its way from the question to those who wait for it."""

import asyncio

import pytest

from resource_server.issuers.introspection_endpoint import Answered
from resource_server.validation.introspection import MAX_IN_FLIGHT_PER_CLIENT
from tests.introspecting import Endpoint, Question, active, kind, server
from tests.turnable_clock import TurnableClock


@pytest.mark.parametrize("turns", range(8))
async def test_who_comes_just_after_the_answer_does_not_ask_again(time: TurnableClock, turns: int) -> None:
    """DESIGN §8, one question for 1,000 callers: it is remembered a few turns of the event loop after it came."""
    endpoint = Endpoint(time)
    api = server(time, endpoint)
    late: list[asyncio.Task[str | None]] = []

    def come(turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(come, turns - 1)
        else:
            late.append(asyncio.create_task(kind(api)))

    def answer(question: Question) -> Answered:
        come(turns)
        return active(time)

    endpoint.answer = answer
    assert await asyncio.gather(*(kind(api) for _ in range(3))) == [None] * 3
    for _ in range(10):
        await asyncio.sleep(0)
    assert [await one for one in late] == [None]
    assert len(endpoint.questions) == 1


async def test_a_question_whose_askers_have_all_gone_gives_its_place_back(time: TurnableClock) -> None:
    """T24: or else a client that hangs up would lock everybody out after a while."""
    endpoint = Endpoint(time)
    api = server(time, endpoint)
    for number in range(MAX_IN_FLIGHT_PER_CLIENT * 5):
        endpoint.open.clear()
        task = asyncio.create_task(kind(api, f"t{number}"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(endpoint.questions) == number + 1
        task.cancel()
        await asyncio.wait({task})
        endpoint.open.set()
        for _ in range(5):
            await asyncio.sleep(0)
    assert await kind(api, "another") is None
