"""The issuer refuses connections: at the start, and later."""

import pytest

from resource_server.issuers.issuer import MAX_STALE
from resource_server.issuers.keys import FIRST_RETRY, LAST_RETRY, LONGEST
from tests.faults.scene import Scene, check_unavailable
from tests.faults.scripted_issuer import KEYS, NEW, OLD, OPENID, ScriptedIssuer
from tests.turnable_clock import TurnableClock

ONE_ROUND = {OPENID: 1, KEYS: 1}
"""What one good refresh asks for."""


async def test_a_start_without_the_issuer_is_503_and_mends_itself(scene: Scene, issuer: ScriptedIssuer) -> None:
    """Ruling 17, D26, known pain 6: the application starts; never 401, and nobody has to restart anything."""
    await issuer.down()
    async with scene.living():
        await scene.rest()
        for _ in range(100):
            assert await scene.status(issuer.token()) == 503
        assert (await scene.ask(None, "/healthz")).status == 200
        assert (await scene.ask(None)).status == 401
        assert issuer.count() == {}
        await issuer.up()
        await scene.turn_to_the_next_try()
        assert await scene.status(issuer.token()) == 200
        assert issuer.count() == ONE_ROUND
        assert issuer.connections == 2


async def test_a_request_mends_it_too_where_there_is_no_timer(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """Design §9: servers that send no lifespan; the request that comes when a try is due is itself answered."""
    await issuer.down()
    for _ in range(100):
        assert await scene.status(issuer.token()) == 503
    await issuer.up()
    time.turn(FIRST_RETRY)
    assert await scene.status(issuer.token()) == 200
    assert issuer.count() == ONE_ROUND


async def test_readyz_names_the_issuer_whose_keys_are_missing(scene: Scene, issuer: ScriptedIssuer) -> None:
    """Design §9: /readyz says why."""
    await issuer.down()
    async with scene.living():
        await scene.rest()
        answer = await scene.ask(None, "/readyz")
        assert (answer.status, answer.field("retry-after")) == (503, ["30"])
        assert answer.json["issuers"] == [{"issuer": issuer.url, "keys": "unavailable"}]
        await issuer.up()
        await scene.turn_to_the_next_try()
        answer = await scene.ask(None, "/readyz")
        assert (answer.status, answer.json) == (200, {"status": "ready"})


async def test_the_operator_reads_which_issuer_does_not_answer_and_why(scene: Scene, issuer: ScriptedIssuer) -> None:
    """Design §1, known pain 9; the caller reads neither."""
    await issuer.down()
    check_unavailable(await scene.ask(issuer.token()))
    [decision] = scene.decisions
    assert decision.refusal is not None
    assert decision.refusal.kind == "issuer_unavailable"
    assert decision.refusal.reason.startswith(f"{issuer.url}: {issuer.url}{OPENID}: ConnectError")


async def test_known_keys_go_on_and_tries_grow_apart_while_the_issuer_is_down(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """Design §9, known pain 1: new tokens of known keys are good for 12 hours; tries are 1 to 10 s apart."""
    async with scene.living():
        await scene.rest()
        issuer.fail(OPENID, KEYS, script=hang_up)
        issuer.count()
        await scene.turn(LONGEST)
        waits = []
        for tries in range(1, 10):
            assert await scene.statuses([issuer.token() for _ in range(20)]) == {200}
            assert issuer.count()[OPENID] == 1, f"try {tries}: one, whatever the number of requests"
            waits.append(await scene.turn_to_the_next_try())
        bounds = [min(LAST_RETRY, FIRST_RETRY * 2**number) for number in range(9)]
        assert all(bound / 2 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True)), waits
        issuer.faults.clear()
        await scene.turn_to_the_next_try()
        assert issuer.count()[KEYS] == 1
        assert scene.server.issuers.unready == []
        assert time.sleeping[0] >= LONGEST * 0.8


async def test_a_try_that_a_request_has_made_is_not_made_again_by_the_timer(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """Design §9: one try when it is due, and not one more for a timer that wakes a moment after a request."""
    issuer.fail(OPENID, KEYS, script=hang_up)
    async with scene.living():
        await scene.rest()
        issuer.count()
        due = time.sleeping[0]
        time.wall += due
        time.monotonic += due
        assert await scene.status(issuer.token()) == 503
        assert issuer.count()[OPENID] == 1
        await scene.turn(0)
        assert issuer.count()[OPENID] == 0
        assert time.sleeping[0] > 0


async def test_an_unknown_key_can_be_judged_by_nobody_while_the_issuer_is_down(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """Ruling 16: the last fetch failed, so 503 and not 401, with a challenge for nobody."""
    async with scene.living():
        await scene.rest()
        await issuer.down()
        for _ in range(10):
            assert await scene.status(issuer.token(key=NEW)) == 503
            assert await scene.status(issuer.token()) == 200


@pytest.mark.parametrize("max_stale", [MAX_STALE, 3600.0], ids=["12-hours", "as-configured"])
async def test_after_max_stale_it_is_503_for_remembered_tokens_too(
    time: TurnableClock, issuer: ScriptedIssuer, max_stale: float
) -> None:
    """T7: an issuer that is away for so long may have withdrawn its keys long since."""
    scene = Scene(time, issuer, max_stale=max_stale)
    token = issuer.token()
    async with scene.living():
        await scene.rest()
        assert await scene.status(token) == 200
        await issuer.down()
        await scene.turn(max_stale - 1)
        assert await scene.status(token) == 200
        assert await scene.status(token) == 200, "remembered"
        await scene.turn(1)
        assert await scene.status(token) == 503
        assert (await scene.ask(None, "/readyz")).status == 503
        await issuer.up()
        await scene.turn(LAST_RETRY)
        assert await scene.status(token) == 200


async def test_an_issuer_that_comes_back_with_other_keys_has_withdrawn_the_old_ones(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """Design §9, T7: an outage is no way to outlive a withdrawal."""
    async with scene.living():
        await scene.rest()
        old = issuer.token()
        assert await scene.status(old) == 200
        await issuer.down()
        await scene.turn(LONGEST)
        issuer.publish(NEW)
        await issuer.up()
        await scene.turn(LAST_RETRY)
        assert await scene.status(issuer.token()) == 200
        assert await scene.status(issuer.token(key=OLD)) == 401
        assert await scene.status(old) == 401


async def hang_up(writer: object) -> None:
    """Close the connection without a word."""
