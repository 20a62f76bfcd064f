"""Keys change, in every order that issuers are known for; no good token is refused where anybody could know it."""

import pytest

from resource_server.development.minting import SigningKey
from resource_server.issuers.forced import SPACING
from resource_server.issuers.keys import FIRST_RETRY, LONGEST
from tests.faults.scene import Scene, settle
from tests.faults.scripted_issuer import KEYS, NEW, NEWER, NEWEST, OLD, OPENID, ScriptedIssuer
from tests.issuers.loopback import answers
from tests.turnable_clock import TurnableClock

ONE_ROUND = {OPENID: 1, KEYS: 1}


async def test_published_first_and_signed_with_later(scene: Scene, issuer: ScriptedIssuer) -> None:
    """Known pain 2: the usual order; a refresh between costs nothing more."""
    async with scene.living():
        await scene.rest()
        issuer.publish(OLD, NEW)
        await scene.turn(LONGEST)
        issuer.count()
        issuer.publish(NEW, OLD)
        assert await scene.statuses([issuer.token(key=key) for key in (OLD, NEW) * 50]) == {200}
        assert issuer.count() == {}


async def test_published_and_signed_with_at_once(scene: Scene, issuer: ScriptedIssuer) -> None:
    """Known pain 2: the first calls after the rotation are no 401, and cost one request for the keys alone."""
    async with scene.living():
        await scene.rest()
        issuer.count()
        issuer.publish(NEW, OLD)
        assert await scene.statuses([issuer.token(key=key) for key in (OLD, NEW) * 50]) == {200}
        assert issuer.count() == {KEYS: 1}


async def test_signed_with_first_and_published_later(scene: Scene, issuer: ScriptedIssuer) -> None:
    """T22: refused while the issuer itself does not know the key, and good one spacing after at the latest."""
    async with scene.living():
        await scene.rest()
        issuer.count()
        early = issuer.token(key=NEW)
        assert [await scene.status(early) for _ in range(10)] == [401] * 10
        assert issuer.count() == {KEYS: 1}
        issuer.publish(NEW, OLD)
        await scene.turn(SPACING)
        assert await scene.status(early) == 200
        assert await scene.status(issuer.token(key=OLD)) == 200
        assert issuer.count() == {KEYS: 1}


async def test_replaced_under_the_same_kid(scene: Scene, issuer: ScriptedIssuer) -> None:
    """T7, T22: RFC 7517 §4.5 wants another kid, and some providers give the same; the first token costs a fetch."""
    async with scene.living():
        await scene.rest()
        old, again = issuer.token(), SigningKey("ES256", NEW.private_key, OLD.kid)
        assert await scene.status(old) == 200
        issuer.count()
        issuer.publish(again)
        assert await scene.statuses([issuer.token() for _ in range(100)]) == {200}
        assert issuer.count() == {KEYS: 1}
        assert await scene.status(old) == 401, "withdrawn, remembered or not"
        assert issuer.count() == {KEYS: 1}, "it might be the next replacement"
        assert await scene.statuses([issuer.token(key=OLD) for _ in range(100)]) == {401}
        assert issuer.count() == {}, "or not"


async def test_removed_first_and_added_later(scene: Scene, issuer: ScriptedIssuer) -> None:
    """T7: an empty set is authoritative; the new key is found by the first of its tokens."""
    async with scene.living():
        await scene.rest()
        issuer.publish()
        await scene.turn(LONGEST)
        assert await scene.status(issuer.token(key=OLD)) == 401
        issuer.count()
        issuer.publish(NEW)
        assert await scene.statuses([issuer.token() for _ in range(100)]) == {200}
        assert issuer.count() == {KEYS: 1}
        assert await scene.status(issuer.token(key=OLD)) == 401


async def test_two_rotations_within_one_spacing_refuse_nobody(scene: Scene, issuer: ScriptedIssuer) -> None:
    """T22: the burst of two; a third one waits for the spacing, and not longer."""
    async with scene.living():
        await scene.rest()
        issuer.count()
        for key in (NEW, NEWER):
            issuer.publish(key, OLD)
            assert await scene.statuses([issuer.token() for _ in range(50)]) == {200}
        assert issuer.count() == {KEYS: 2}
        issuer.publish(NEWEST, OLD)
        assert await scene.statuses([issuer.token() for _ in range(50)]) == {401}
        assert issuer.count() == {}
        await scene.turn(SPACING)
        assert await scene.statuses([issuer.token() for _ in range(50)]) == {200}
        assert issuer.count() == {KEYS: 1}


async def test_keys_that_move_and_rotate_at_once_are_found_when_the_answer_says(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """D26, known pain 2: the old address answers 404, so 503; whoever comes again as told is let in."""
    async with scene.living():
        await scene.rest()
        issuer.publish(NEW)
        moved = answers(str(issuer.mint.jwks()).replace("'", '"').encode())
        issuer.metadata = {"jwks_uri": f"{issuer.url}/moved"}
        issuer.fail("/moved", script=moved)
        issuer.fail(KEYS, script=answers(b"{}", status="404 Not Found"))
        refused = await scene.ask(issuer.token())
        assert (refused.status, refused.field("retry-after")) == (503, ["1"])
        await scene.turn(1)
        assert await scene.status(issuer.token()) == 200


async def test_a_rotation_during_an_outage_is_found_when_the_answer_says(scene: Scene, issuer: ScriptedIssuer) -> None:
    """D26: Retry-After is the time of the next try, so it must be one; a failed fetch has not looked for the key."""
    async with scene.living():
        await scene.rest()
        await issuer.down()
        issuer.publish(NEW)
        for _ in range(3):
            answer = await scene.ask(issuer.token())
            assert answer.status == 503
            await scene.turn(float(answer.field("retry-after")[0]))
        await issuer.up()
        answer = await scene.ask(issuer.token())
        assert answer.status == 200


async def test_one_failed_fetch_does_not_blame_the_issuer_for_the_next_ten_minutes(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """Ruling 16, D08: once the issuer is well again, a token of an unknown key is the client's fault again."""
    async with scene.living():
        await scene.rest()
        await issuer.down()
        assert await scene.status(issuer.token(key=NEW)) == 503
        await issuer.up()
        await scene.turn(FIRST_RETRY)
        wrong = issuer.token(key=NEW, aud="https://other.example.com")  # would be refused anyway, so it forces nothing
        await scene.status(wrong)
        [keys] = scene.server.issuers
        await scene.until(lambda: keys.problem is None)
        issuer.count()
        assert await scene.status(wrong) == 401
        assert issuer.count() == {}


async def test_a_withdrawn_key_ends_at_the_next_refresh_for_remembered_tokens_too(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """T7: no token makes a miss, so the timer has to notice, and a generation forgets."""
    async with scene.living():
        await scene.rest()
        issuer.publish(OLD, NEW)
        await scene.turn(LONGEST)
        tokens = {key.kid: issuer.token(key=key) for key in (OLD, NEW)}
        for token in tokens.values():
            assert [await scene.status(token) for _ in range(3)] == [200] * 3
        issuer.publish(NEW)
        assert await scene.status(tokens[OLD.kid]) == 200, "nobody knows yet"
        await scene.turn(scene.time.sleeping[0])
        assert await scene.status(tokens[OLD.kid]) == 401
        assert await scene.status(tokens[NEW.kid]) == 200


@pytest.mark.parametrize("max_age", [10, 60, 3600])
async def test_a_withdrawn_key_ends_when_cache_control_says_within_ten_seconds_and_ten_minutes(
    scene: Scene, issuer: ScriptedIssuer, max_age: int
) -> None:
    """T7, T13: the bound to plan with, for each worker by itself."""
    issuer.headers = f"cache-control: public, max-age={max_age}\r\n"
    async with scene.living():
        await scene.rest()
        token = issuer.token()
        assert await scene.status(token) == 200
        issuer.publish(NEW)
        await scene.turn(min(max_age, LONGEST))
        assert await scene.status(token) == 401


async def test_a_token_that_was_being_verified_while_its_key_was_withdrawn_is_not_remembered(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """T7: the answer that holds the key is under way when the key is withdrawn; what it let in ends all the same."""
    async with scene.living():
        await scene.rest()
        issuer.publish(OLD, NEW)
        issuer.open.clear()
        token = issuer.token(key=NEW)
        waiting = scene.answering(token)
        await scene.until(lambda: issuer.asked[-1] == KEYS and len(issuer.asked) == 3)
        issuer.publish(OLD)
        issuer.open.set()
        assert await waiting == 200, "as the issuer has answered"
        assert await scene.status(token) == 200, "remembered, as nobody knows better"
        await scene.turn(time.sleeping[0])
        assert await scene.status(token) == 401
        await settle()


async def test_a_validation_during_which_another_key_is_withdrawn_ends_with_its_own_key(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """T7: the fetch that it has waited for withdraws another key; it is good, and ends with its own key."""
    async with scene.living():
        await scene.rest()
        issuer.publish(NEW)
        issuer.open.clear()
        token = issuer.token()
        waiting = scene.answering(token)
        await scene.until(lambda: len(issuer.asked) == 3)
        [keys] = scene.server.issuers
        before = keys.generation
        issuer.open.set()
        assert await waiting == 200
        assert keys.generation == before + 1, "the fetch for which it waited has withdrawn the other key"
        issuer.count()
        assert await scene.status(token) == 200
        assert issuer.count() == {}
        issuer.publish(OLD)
        await scene.turn(LONGEST)
        assert await scene.status(token) == 401
