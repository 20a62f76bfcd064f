"""A thousand clients come before any key is known, and some go before it comes."""

import asyncio

from resource_server.issuers.patience import PATIENCE
from tests.faults.scene import Scene
from tests.faults.scripted_issuer import KEYS, NEW, OLD, OPENID, ScriptedIssuer
from tests.issuers.loopback import answers
from tests.turnable_clock import TurnableClock

ONE_ROUND = {OPENID: 1, KEYS: 1}


async def test_1000_concurrent_first_requests_cost_one_round(scene: Scene, issuer: ScriptedIssuer) -> None:
    """Design §9, known pain 5."""
    assert await scene.statuses([issuer.token() for _ in range(1000)]) == {200}
    assert issuer.count() == ONE_ROUND
    assert issuer.connections == 2


async def test_1000_concurrent_first_requests_to_a_faulty_issuer_cost_one_round(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """Design §9, CVE-2025-64527: a failed fetch and several tokens."""
    issuer.fail(KEYS, script=answers(b"{}", status="500 X"))
    assert await scene.statuses([issuer.token() for _ in range(1000)]) == {503}
    assert issuer.count() == ONE_ROUND


async def test_1000_concurrent_first_requests_of_a_rotation_cost_one_request(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """Design §9: no good token refused, one fetch."""
    assert await scene.status(issuer.token()) == 200
    issuer.count()
    issuer.publish(NEW, OLD)
    assert await scene.statuses([issuer.token() for _ in range(1000)]) == {200}
    assert issuer.count() == {KEYS: 1}


async def test_a_cancelled_leader_and_cancelled_waiters_hurt_nobody(scene: Scene, issuer: ScriptedIssuer) -> None:
    """threats.md, How it is shown: clients that hang up while the keys are under way, the first one among them."""
    issuer.open.clear()
    requests = [scene.answering(issuer.token()) for _ in range(100)]
    await scene.until(lambda: len(issuer.asked) == 1)
    gone = requests[:50]
    for request in gone:
        request.cancel()
    outcomes = await asyncio.gather(*gone, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    issuer.open.set()
    assert set(await asyncio.gather(*requests[50:])) == {200}
    assert issuer.count() == ONE_ROUND


async def test_where_all_who_wait_are_gone_the_keys_are_there_for_the_next(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """The work is nobody's: it is finished, and not begun anew."""
    issuer.open.clear()
    requests = [scene.answering(issuer.token()) for _ in range(10)]
    await scene.until(lambda: len(issuer.asked) == 1)
    for request in requests:
        request.cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    issuer.open.set()
    [keys] = scene.server.issuers
    await scene.until(lambda: keys.is_ready)
    assert await scene.status(issuer.token()) == 200
    assert issuer.count() == ONE_ROUND


async def test_an_application_that_ends_while_its_keys_are_under_way_ends(scene: Scene, issuer: ScriptedIssuer) -> None:
    """Design §9: an issuer that hangs holds up no shutdown."""
    issuer.open.clear()
    async with asyncio.timeout(10), scene.living():
        await scene.until(lambda: len(issuer.asked) == 1)
    issuer.open.set()


async def test_an_issuer_that_hangs_keeps_nobody_waiting_for_more_than_two_seconds(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """Design §1, §9: it accepts connections and says nothing; 503, and at once after that, until it answers."""
    issuer.open.clear()
    async with scene.living():
        await scene.until(lambda: len(issuer.asked) == 1)
        first = [scene.answering(issuer.token()) for _ in range(100)]
        await scene.until(lambda: len(time.sleeping) == 1)
        time.turn(PATIENCE)
        assert set(await asyncio.gather(*first)) == {503}
        assert await scene.statuses([issuer.token() for _ in range(100)]) == {503}
        assert (await scene.ask(None, "/readyz")).status == 503
        issuer.open.set()
        await scene.rest()
        assert await scene.status(issuer.token()) == 200
        assert issuer.count() == ONE_ROUND


async def test_an_issuer_that_takes_its_time_serves_the_first_requests(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """Design §9: half a second for each of its documents is slow, and no fault."""
    issuer.open.clear()
    first = [scene.answering(issuer.token()) for _ in range(100)]
    for asked in (1, 2):
        await scene.until(lambda asked=asked: len(issuer.asked) == asked)  # type: ignore[misc]
        time.turn(0.5)
        issuer.open.set()
        await asyncio.sleep(0)
        issuer.open.clear()
    assert set(await asyncio.gather(*first)) == {200}
    assert issuer.count() == ONE_ROUND
