"""A flood of tokens that are good in all but their key, which nobody knows (T22)."""

import asyncio
import base64
import json
from collections.abc import Iterator

import pytest

from resource_server.issuers.forced import BURST, SPACING
from resource_server.issuers.keys import LONGEST
from tests.faults.scene import Scene
from tests.faults.scripted_issuer import KEYS, NEW, OLD, OPENID, ScriptedIssuer
from tests.turnable_clock import TurnableClock

FLOOD = 10_000


def strangers(issuer: ScriptedIssuer, count: int = FLOOD) -> Iterator[str]:
    """Tokens whose type, issuer, audience and times would pass, each with a kid of its own; nobody has signed them."""
    _, payload, signature = issuer.token().split(".")
    for number in range(count):
        header = {"typ": "at+jwt", "alg": "ES256", "kid": f"stranger-{number}"}
        yield ".".join((base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("="), payload, signature))


async def test_a_flood_of_10000_unknown_keys_costs_the_budget_and_no_more(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """T22, RS-7517-4.5-a, CVE-2026-48524, known pains 3 and 4: burst 2, then one in ten seconds; never 503 or 500."""
    tokens = list(strangers(issuer))
    good = issuer.token()
    async with scene.living():
        await scene.rest()
        issuer.count()
        for second in range(20):
            batch = tokens[second * 500 : (second + 1) * 500]
            statuses = await asyncio.gather(*map(scene.status, [*batch, good]))
            assert (set(statuses[:-1]), statuses[-1]) == ({401}, 200)
            await scene.turn(1)
        assert len(tokens) == FLOOD
        assert issuer.count() == {KEYS: BURST + 20 // SPACING - 1}


async def test_a_rotation_in_the_flood_is_seen_within_ten_seconds(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """T22, known pain 4: the limit must not become the outage."""
    async with scene.living():
        await scene.rest()
        tokens = strangers(issuer)
        for token in (next(tokens) for _ in range(1000)):
            assert await scene.status(token) == 401
        issuer.publish(NEW, OLD)
        issuer.count()
        for quarter in range(4):
            assert await scene.status(issuer.token()) == 401, quarter
            await scene.turn(SPACING / 4)
            assert await scene.statuses([next(tokens) for _ in range(100)]) == {401}
        assert await scene.status(issuer.token()) == 200
        assert issuer.count() == {KEYS: 1}
        assert await scene.status(issuer.token(key=OLD)) == 200


async def test_the_flood_delays_no_regular_refresh(scene: Scene, issuer: ScriptedIssuer, time: TurnableClock) -> None:
    """T22: the budget counts forced fetches alone, and a withdrawn key ends in time."""
    async with scene.living():
        await scene.rest()
        due = time.sleeping[0]
        tokens = strangers(issuer)
        old = issuer.token()
        assert await scene.statuses([next(tokens) for _ in range(500)]) == {401}
        assert time.sleeping == [due]
        issuer.publish(NEW)
        await scene.turn(due - 1)
        assert await scene.status(old) == 200
        issuer.count()
        await scene.turn(1)
        assert issuer.count() == {OPENID: 1, KEYS: 1}
        assert await scene.status(old) == 401
        assert due <= LONGEST


async def test_a_future_kid_that_was_guessed_is_not_kept_out(scene: Scene, issuer: ScriptedIssuer) -> None:
    """T22: planted in the memory of unknown kids; forgotten with the next good fetch, though that does not know it."""
    issuer.headers = "cache-control: max-age=10\r\n"
    async with scene.living():
        await scene.rest()
        await scene.turn(SPACING / 2)
        assert await scene.status(issuer.token(key=NEW)) == 401
        await scene.turn(SPACING / 2)
        issuer.publish(NEW, OLD)
        assert await scene.status(issuer.token()) == 200


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"aud": "https://other.example.com"}, id="another-audience"),
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"nbf": 4_000_000_000}, id="not-yet"),
        pytest.param({"sub": 1}, id="no-subject"),
        pytest.param({"jti": None}, id="no-id"),
    ],
)
async def test_a_flood_of_what_would_be_refused_anyway_costs_nothing(
    scene: Scene, issuer: ScriptedIssuer, claims: dict[str, object]
) -> None:
    """T22, T24: neither a request nor the budget."""
    assert await scene.status(issuer.token()) == 200
    issuer.count()
    assert await scene.statuses([issuer.token(key=NEW, **claims) for _ in range(200)]) == {401}
    assert issuer.count() == {}
    issuer.publish(NEW, OLD)
    assert await scene.status(issuer.token()) == 200


async def test_a_flood_while_the_issuer_is_down_is_503_and_no_storm(
    scene: Scene, issuer: ScriptedIssuer, time: TurnableClock
) -> None:
    """Ruling 16, T24: tries stay 1 to 10 s apart, and known keys go on."""
    async with scene.living():
        await scene.rest()
        tokens, good = strangers(issuer), issuer.token()
        await issuer.down()
        scene.fetched.clear()
        for _ in range(30):
            assert await scene.statuses([next(tokens) for _ in range(50)]) == {503}
            assert await scene.status(good) == 200
            await scene.turn(1)
        tries = [url for url in scene.fetched if url.endswith((KEYS, OPENID))]
        assert 4 <= len(tries) <= 9, "1, 2, 4, 8, 10 seconds apart, or half of that by chance"
        await issuer.up()
        await scene.turn(10)
        assert await scene.statuses([next(tokens) for _ in range(50)]) == {401}
