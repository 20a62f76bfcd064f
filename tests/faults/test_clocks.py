"""Clocks that are set back or forth, and machines that sleep (T12)."""

import pytest

from resource_server.issuers.issuer import MAX_STALE
from tests.faults.scene import Scene
from tests.faults.scripted_issuer import KEYS, NEW, OPENID, ScriptedIssuer
from tests.turnable_clock import TurnableClock

HOUR = 3600.0


async def test_a_clock_that_is_set_back_revives_no_token_of_a_withdrawn_key(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """T12: what was remembered is forgotten, and the keys are fetched, though they look young."""
    async with scene.living():
        await scene.rest()
        token = issuer.token(iat=int(time.wall - 10 * HOUR))
        assert await scene.status(token) == 200
        issuer.publish(NEW)
        issuer.count()
        time.wall -= HOUR
        await scene.status(token)
        [keys] = scene.server.issuers
        await scene.until(lambda: keys.generation == 1)
        assert await scene.status(token) == 401
        assert issuer.count() == {OPENID: 1, KEYS: 2}, "a refresh, and the fetch that the unknown kid has forced"


async def test_a_clock_that_is_set_back_revives_no_expired_token(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """T12: by the clock of now it is good again, which nobody can know better; but it is verified anew."""
    async with scene.living():
        await scene.rest()
        token = issuer.token(exp=int(time.wall + 300))
        assert await scene.status(token) == 200
        await scene.turn(400)
        assert await scene.status(token) == 401
        issuer.count()
        time.wall -= 200
        assert await scene.status(token) == 200
        await scene.until(lambda: issuer.asked == [OPENID, KEYS])


async def test_a_clock_that_is_set_forth_expires_tokens_and_lets_new_ones_in(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """T12: by an hour, which is less than max_stale; one round of requests."""
    async with scene.living():
        await scene.rest()
        token = issuer.token(exp=int(time.wall + 300))
        assert await scene.status(token) == 200
        issuer.count()
        time.wall += HOUR
        assert await scene.status(token) == 401
        assert await scene.statuses([issuer.token() for _ in range(100)]) == {200}
        await scene.until(lambda: issuer.asked == [OPENID, KEYS])


async def test_a_machine_that_has_slept_fetches_the_keys_before_it_answers_where_they_are_stale(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """T12: the monotonic clock has stood still, so no timer was due; the first request pays."""
    async with scene.living():
        await scene.rest()
        token = issuer.token()
        assert await scene.status(token) == 200
        issuer.publish(NEW)
        issuer.count()
        time.wall += MAX_STALE
        assert await scene.status(token) == 401
        assert issuer.count()[OPENID] == 1
        assert await scene.status(issuer.token()) == 200


async def test_a_machine_that_has_slept_and_cannot_reach_its_issuer_is_503(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """T7, T12: the keys are as old as the wall clock says."""
    async with scene.living():
        await scene.rest()
        token = issuer.token()
        assert await scene.status(token) == 200
        await issuer.down()
        time.wall += MAX_STALE
        assert await scene.status(token) == 503
        assert await scene.status(token) == 503


async def test_a_short_sleep_is_noticed_by_the_first_request(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """T12: a withdrawal during an hour's sleep ends the remembered tokens with the refresh that the hour makes due."""
    async with scene.living():
        await scene.rest()
        token = issuer.token()
        assert await scene.status(token) == 200
        issuer.publish(NEW)
        issuer.count()
        time.wall += HOUR
        await scene.status(token)
        [keys] = scene.server.issuers
        await scene.until(lambda: keys.generation == 1)
        assert await scene.status(token) == 401
        assert issuer.count()[OPENID] == 1


@pytest.mark.parametrize("jump", [-20.0, 20.0, 30.0])
async def test_a_clock_that_is_slewed_costs_nothing(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock, jump: float
) -> None:
    """T12: within the leeway nothing is forgotten, and nothing fetched."""
    async with scene.living():
        await scene.rest()
        token = issuer.token()
        assert await scene.status(token) == 200
        issuer.count()
        time.wall += jump
        assert await scene.status(token) == 200
        assert issuer.count() == {}
