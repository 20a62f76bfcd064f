"""Several issuers: what befalls one is no matter of the others'."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from resource_server.issuers.keys import LONGEST
from resource_server.issuers.trusted_issuers import MAX_FETCHES
from tests.faults.scene import Scene
from tests.faults.scripted_issuer import KEYS, NEW, NEWER, OLD, OPENID, ScriptedIssuer, scripted_issuer
from tests.issuers.loopback import answers, serve
from tests.turnable_clock import TurnableClock


@pytest.fixture
async def others(time: TurnableClock) -> AsyncIterator[list[ScriptedIssuer]]:
    """Two more, each with keys of its own."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(scripted_issuer(time, key)) for key in (NEW, NEWER)]


@pytest.fixture
def scene(time: TurnableClock, issuer: ScriptedIssuer, others: list[ScriptedIssuer]) -> Scene:
    return Scene(time, issuer, *others)


async def test_while_one_hangs_the_others_answer(
    scene: Scene, issuer: ScriptedIssuer, others: list[ScriptedIssuer]
) -> None:
    """Design §9: at the start, in whatever order they are configured."""
    issuer.open.clear()
    async with scene.living():
        waiting = scene.answering(issuer.token())
        for other in others:
            assert await scene.statuses([other.token() for _ in range(100)]) == {200}
            assert other.count() == {OPENID: 1, KEYS: 1}
        assert not waiting.done()
        assert (await scene.ask(None, "/readyz")).json == {
            "status": "ready",
            "issuers": [{"issuer": issuer.url, "keys": "unavailable"}],
        }
        issuer.open.set()
        assert await waiting == 200


async def test_while_one_is_down_its_tokens_alone_are_503(
    scene: Scene, issuer: ScriptedIssuer, others: list[ScriptedIssuer]
) -> None:
    """D26: and no other issuer's key is tried for them (RFC 8725 §3.8)."""
    await issuer.down()
    async with scene.living():
        await scene.rest()
        for _ in range(10):
            assert await scene.status(issuer.token()) == 503
            assert await scene.status(issuer.mint.access_token(key=NEW)) == 503
            assert {await scene.status(other.token()) for other in others} == {200}
        assert [other.count() for other in others] == [{OPENID: 1, KEYS: 1}] * 2


async def test_a_flood_at_one_does_not_spend_the_budget_of_another(
    scene: Scene, issuer: ScriptedIssuer, others: list[ScriptedIssuer]
) -> None:
    """T22: a budget for each; the rotation of another is seen at once."""
    async with scene.living():
        await scene.rest()
        for number in range(200):
            stranger = {"kid": f"stranger-{number}"}
            assert await scene.status(issuer.mint.access_token(header=stranger)) == 401
        assert issuer.count() == {OPENID: 1, KEYS: 1 + 2}
        other = others[0]
        other.count()
        other.publish(OLD, NEW)
        assert await scene.status(other.token()) == 200
        assert other.count() == {KEYS: 1}


async def test_one_s_withdrawal_is_no_miss_for_the_tokens_of_another(
    scene: Scene, issuer: ScriptedIssuer, others: list[ScriptedIssuer]
) -> None:
    """T7: a generation for each."""
    async with scene.living():
        await scene.rest()
        token, other = issuer.token(), others[0].token()
        assert await scene.statuses([token, other]) == {200}
        issuer.publish()
        await scene.turn(LONGEST)
        assert await scene.status(token) == 401
        assert await scene.status(other) == 200


@pytest.mark.parametrize("claims", [{}, {"iss": ["both"]}, {"iss": None}], ids=["another", "several", "none"])
async def test_an_unknown_issuer_causes_no_connection_at_all(
    scene: Scene, issuer: ScriptedIssuer, others: list[ScriptedIssuer], claims: dict[str, object]
) -> None:
    """D09, RS-8725-3.8-a, CVE-2026-32301: neither to it, nor to those that are known."""
    async with serve(answers(b"{}")) as stranger:
        iss = {"iss": stranger.url.removesuffix("/doc")} | claims
        for _ in range(10):
            assert await scene.status(issuer.token(**iss)) == 401
        assert stranger.connections == 0
    assert scene.fetched == []
    assert [one.connections for one in (issuer, *others)] == [0] * 3


async def test_as_many_as_are_fetched_at_one_time_may_hang_and_the_others_are_still_asked(
    time: TurnableClock,
) -> None:
    """Design §9: the timers share slots, the requests don't, so a partner's outage is no start without keys."""
    async with AsyncExitStack() as stack:
        hanging = [await stack.enter_async_context(scripted_issuer(time)) for _ in range(MAX_FETCHES)]
        last = await stack.enter_async_context(scripted_issuer(time, NEW))
        for one in hanging:
            one.open.clear()
        scene = Scene(time, *hanging, last)
        async with scene.living():
            await scene.until(lambda: all(one.asked for one in hanging))
            assert last.asked == []
            assert await scene.statuses([last.token() for _ in range(100)]) == {200}
            for one in hanging:
                one.open.set()
            await asyncio.sleep(0)
            await scene.rest()
            assert scene.server.issuers.unready == []
