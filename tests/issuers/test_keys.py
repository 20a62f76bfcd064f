import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from resource_server.issuers.issuer import MAX_STALE, Issuer
from resource_server.issuers.jwk_set import Key
from resource_server.issuers.keys import FIRST_RETRY, LAST_RETRY, LONGEST, IssuerKeys
from resource_server.refusals import Kind, Refusal
from tests.issuers.key_kinds import signing_key
from tests.issuers.publisher import URL, Publisher, issuer_keys, known_keys
from tests.turnable_clock import TurnableClock

OLD, NEW = signing_key("ES256", 0), signing_key("ES256", 1)


async def find(keys: IssuerKeys, kid: str = OLD.kid, *, may_force: bool = True) -> Key:
    return await keys.find(kid, "ES256", may_force=lambda: may_force)


async def kind_of(keys: IssuerKeys, kid: str = OLD.kid, *, may_force: bool = True) -> Kind:
    with pytest.raises(Refusal) as caught:
        await find(keys, kid, may_force=may_force)
    return caught.value.kind


async def settle() -> None:
    """Let what runs behind the requests come to its end."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_first_token_fetches_the_keys_and_the_next_finds_them(time: TurnableClock) -> None:
    """Design §9: an issuer that was never asked."""
    publisher = Publisher(OLD)
    keys = issuer_keys(publisher, time)
    assert not keys.is_ready
    assert keys.problem == "its keys have not been fetched yet"
    assert (await find(keys)).kid == OLD.kid
    assert (await find(keys)).kid == OLD.kid
    assert publisher.fetches == 1
    assert keys.is_ready
    assert keys.problem is None


async def test_1000_concurrent_first_tokens_cost_one_fetch(time: TurnableClock) -> None:
    """Design §9, known pain 5."""
    publisher = Publisher(OLD)
    publisher.open.clear()
    keys = issuer_keys(publisher, time)
    waiting = [asyncio.create_task(find(keys)) for _ in range(1000)]
    await settle()
    publisher.open.set()
    assert {key.kid for key in await asyncio.gather(*waiting)} == {OLD.kid}
    assert publisher.fetches == 1


async def test_a_cancelled_waiter_takes_the_keys_from_nobody(time: TurnableClock) -> None:
    """threats.md, How it is shown: single flight whose leader is cancelled."""
    publisher = Publisher(OLD)
    publisher.open.clear()
    keys = issuer_keys(publisher, time)
    first, second = (asyncio.create_task(find(keys)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    publisher.open.set()
    assert (await second).kid == OLD.kid
    assert first.cancelled()
    assert publisher.fetches == 1


async def test_an_issuer_that_was_never_up_is_503_and_no_storm(time: TurnableClock) -> None:
    """Ruling 17, D26, design §9: 503 until it answers; never 401."""
    publisher = Publisher(OLD)
    publisher.fail()
    keys = issuer_keys(publisher, time)
    for _ in range(100):
        assert await kind_of(keys) is Kind.ISSUER_UNAVAILABLE
    assert publisher.fetches == 1
    assert not keys.is_ready
    assert keys.problem == "status 500"
    time.turn(FIRST_RETRY - 0.001)
    assert await kind_of(keys) is Kind.ISSUER_UNAVAILABLE
    assert publisher.fetches == 1
    time.turn(0.001)
    publisher.publish(OLD)
    assert (await find(keys)).kid == OLD.kid
    assert publisher.fetches == 2


async def test_known_keys_go_on_while_the_issuer_is_down(time: TurnableClock) -> None:
    """Design §9: an outage of the issuer is never the client's fault."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.fail()
    for _ in range(100):
        time.turn(400)
        assert (await find(keys)).kid == OLD.kid
        await settle()
    assert keys.is_ready
    assert keys.problem == "status 500"


async def test_keys_are_stale_after_12_hours_without_the_issuer(time: TurnableClock) -> None:
    """T7: max_stale 12 h; the bound, and one past it."""
    assert MAX_STALE == 12 * 3600
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    generation = keys.generation
    publisher.fail()
    time.turn(MAX_STALE - 1)
    assert (await find(keys)).kid == OLD.kid
    await settle()
    assert keys.is_current(generation)
    time.turn(1)
    assert await kind_of(keys) is Kind.ISSUER_UNAVAILABLE
    assert not keys.is_ready
    assert not keys.is_current(generation), "what was verified with them is a miss too"
    publisher.publish(OLD)
    time.turn(LAST_RETRY)
    assert (await find(keys)).kid == OLD.kid
    assert keys.is_ready


async def test_the_operator_may_set_another_max_stale(time: TurnableClock) -> None:
    """T7: or what the operator sets."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time, max_stale=60.0)
    publisher.fail()
    time.turn(60)
    assert await kind_of(keys) is Kind.ISSUER_UNAVAILABLE


async def test_either_clock_makes_keys_stale(time: TurnableClock) -> None:
    """T12: a suspended machine stops the monotonic clock; a clock set back stops the wall."""
    suspended = await known_keys(Publisher(OLD), time)
    time.wall += MAX_STALE
    assert not suspended.is_ready
    set_back = await known_keys(Publisher(OLD), time)
    time.monotonic += MAX_STALE
    time.wall -= 3600
    assert not set_back.is_ready


async def test_keys_older_than_10_minutes_are_refreshed_behind_the_request(time: TurnableClock) -> None:
    """T7: the ceiling; the request does not wait (known pain 1)."""
    assert LONGEST == 600
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.open.clear()
    time.turn(LONGEST - 0.001)
    await find(keys)
    await settle()
    assert publisher.fetches == 1
    time.turn(0.001)
    for _ in range(100):
        assert (await find(keys)).kid == OLD.kid
        await settle()
    assert publisher.fetches == 2
    publisher.open.set()
    await settle()


@pytest.mark.parametrize(("wall", "monotonic"), [(LONGEST, 0.0), (-3600.0, 0.0), (0.0, LONGEST)])
async def test_clocks_that_jump_refresh_the_keys(time: TurnableClock, wall: float, monotonic: float) -> None:
    """T12."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    time.wall += wall
    time.monotonic += monotonic
    await find(keys)
    await settle()
    assert publisher.fetches == 2


async def test_a_withdrawn_key_verifies_nothing_after_the_refresh(time: TurnableClock) -> None:
    """T7, design §9: neither fresh tokens nor remembered ones."""
    publisher = Publisher(OLD, NEW)
    keys = await known_keys(publisher, time)
    generation = keys.generation
    assert keys.is_current(generation)
    publisher.publish(NEW)
    await keys.refresh()
    assert not keys.is_current(generation)
    assert await kind_of(keys, may_force=False) is Kind.UNKNOWN_KEY
    assert (await find(keys, NEW.kid)).kid == NEW.kid


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        pytest.param([OLD.public_jwk], False, id="the-same"),
        pytest.param([OLD.public_jwk, NEW.public_jwk], False, id="one-more"),
        pytest.param([OLD.public_jwk | {"kid": "renamed"}], False, id="another-name"),
        pytest.param([NEW.public_jwk], True, id="replaced"),
        pytest.param([NEW.public_jwk | {"kid": OLD.kid}], True, id="replaced-under-the-same-kid"),
        pytest.param([OLD.public_jwk | {"use": "enc"}], True, id="disabled-by-use"),
        pytest.param([OLD.public_jwk | {"alg": "ES384"}], True, id="disabled-by-alg"),
        pytest.param([OLD.public_jwk, NEW.public_jwk | {"kid": OLD.kid}], True, id="disabled-by-a-collision"),
        pytest.param([], True, id="emptied"),
    ],
)
async def test_the_generation_changes_when_a_key_is_removed_replaced_or_disabled(
    time: TurnableClock, after: list[dict[str, Any]], changed: bool
) -> None:
    """T7: judged by thumbprint and usable algorithms, never by kid."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    generation = keys.generation
    publisher.answer = {"keys": after}
    await keys.refresh()
    assert (keys.generation != generation) is changed
    assert keys.is_current(generation) is not changed


async def test_a_key_that_comes_back_does_not_revive_what_was_verified_before(time: TurnableClock) -> None:
    """T7: a generation never returns."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    generation = keys.generation
    for published in ([NEW], [OLD]):
        publisher.publish(*published)
        await keys.refresh()
    assert not keys.is_current(generation)


async def test_an_empty_set_is_authoritative(time: TurnableClock) -> None:
    """T7: a well-formed set stands even when empty."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.publish()
    await keys.refresh()
    assert await kind_of(keys, may_force=False) is Kind.UNKNOWN_KEY
    assert keys.is_ready
    assert keys.problem is None


@pytest.mark.parametrize(
    "answer",
    [{}, {"keys": None}, {"keys": {}}, {"error": "down"}, pytest.param({"keys": [None] * 1001}, id="too-many")],
    ids=repr,
)
async def test_a_malformed_answer_keeps_the_old_keys(time: TurnableClock, answer: dict[str, Any]) -> None:
    """T7: only malformed answers do."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    generation = keys.generation
    publisher.answer = answer
    await keys.refresh()
    assert (await find(keys)).kid == OLD.kid
    assert keys.is_current(generation)
    assert keys.problem is not None


@pytest.mark.parametrize("raised", [RuntimeError("secret"), asyncio.CancelledError("secret")], ids=repr)
async def test_a_refresh_survives_whatever_a_fetch_raises(time: TurnableClock, raised: BaseException) -> None:
    """Known pain 1: a refresh that dies, by a fault of the user's own fetch, would leave withdrawn keys alive."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.answer = raised
    await keys.refresh()
    assert (await find(keys)).kid == OLD.kid
    assert keys.problem == type(raised).__name__


async def test_keys_may_come_from_a_file(time: TurnableClock, tmp_path: Path) -> None:
    """Design §5: JWKS_FILE; a file that is missing or broken is an issuer that does not answer."""
    path = tmp_path / "jwks.json"
    issuer = Issuer(url=URL, audience="https://api.example.com", jwks_file=path)
    publisher = Publisher()
    for text in (None, "{", "[]", "[" * 100_000, '{"keys": 1}'):
        if text is not None:
            path.write_text(text, "utf-8")
        assert await kind_of(IssuerKeys(issuer, clock=time.clock, fetch=publisher)) is Kind.ISSUER_UNAVAILABLE
    path.write_text(json.dumps({"keys": [OLD.public_jwk]}), "utf-8")
    assert (await find(IssuerKeys(issuer, clock=time.clock, fetch=publisher))).kid == OLD.kid
    assert publisher.fetches == 0


async def test_a_skipped_key_is_told_once_and_escaped(time: TurnableClock, caplog: pytest.LogCaptureFixture) -> None:
    """T35, design §4: the operator is told which key is not used; its kid is the issuer's text."""
    publisher = Publisher()
    publisher.answer = {"keys": [OLD.public_jwk | {"kid": "a\r\n\x1b[31m\u202e", "use": "enc"}]}
    with caplog.at_level(logging.WARNING):
        keys = await known_keys(publisher, time)
        await keys.refresh()
    [message] = [record.getMessage() for record in caplog.records]
    assert message == rf"key 'a\r\n\x1b[31m\u202e' of {URL} is not used: use is not sig"
