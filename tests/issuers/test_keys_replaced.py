"""Another key under the same kid: a provider that starts anew with new keys, and strangers who pretend it has (T22)."""

import asyncio

import pytest

from resource_server.issuers.forced import BURST, SPACING
from resource_server.issuers.keys import IssuerKeys
from resource_server.issuers.patience import PATIENCE
from resource_server.refusals import Refusal
from tests.issuers.key_kinds import signing_key
from tests.issuers.publisher import Publisher, known_keys
from tests.turnable_clock import TurnableClock

OLD, NEW = signing_key("ES256", 0), signing_key("ES256", 1)


def replace(publisher: Publisher) -> None:
    """The provider starts anew."""
    publisher.answer = {"keys": [NEW.public_jwk | {"kid": OLD.kid}]}


async def replacing(keys: IssuerKeys) -> str | None:
    """The thumbprint of the key in the old one's place, for a token whose signature is not the old one's."""
    refused = keys.at_hand(OLD.kid, "ES256")
    assert refused is not None
    if not keys.may_be_replaced(OLD.kid, "ES256"):
        return None
    key = await keys.find_replacing(refused, OLD.kid, "ES256")
    return key.thumbprint if key is not None else None


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_key_that_was_replaced_under_its_kid_is_found_by_one_fetch(time: TurnableClock) -> None:
    """RFC 7517 §4.5 leaves kids to the issuer; a development provider gives the same one to new keys."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    generation = keys.generation
    replace(publisher)
    assert await replacing(keys) == NEW.private_key.thumbprint()
    assert publisher.fetches == 2
    assert keys.generation != generation


async def test_a_thousand_tokens_of_the_new_key_at_once_cost_one_fetch(time: TurnableClock) -> None:
    """Known pain 5."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    replace(publisher)
    publisher.open.clear()
    waiting = [asyncio.create_task(replacing(keys)) for _ in range(1000)]
    await settle()
    publisher.open.set()
    assert set(await asyncio.gather(*waiting)) == {NEW.private_key.thumbprint()}
    assert publisher.fetches == 2


async def test_forgeries_under_a_known_kid_force_one_fetch_in_ten_seconds(time: TurnableClock) -> None:
    """T22: looked for in vain, as an unknown kid is, so that the burst is left to others; the bound, and before it."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    for rounds in range(1, 5):
        for _ in range(100):
            assert await replacing(keys) is None
        time.turn(SPACING - 0.25)
        assert not keys.may_be_replaced(OLD.kid, "ES256")
        assert publisher.fetches == 1 + rounds
        time.turn(0.25)


async def test_forgeries_and_unknown_kids_share_one_budget(time: TurnableClock) -> None:
    """T22: whatever a stranger mixes, it is burst 2, and then one in ten seconds."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    for number in range(20 * int(SPACING)):
        for kid in (f"random-{number}", f"other-{number}"):
            assert await replacing(keys) is None
            await asyncio.gather(keys.find(kid, "ES256", may_force=lambda: True), return_exceptions=True)
        time.turn(1)
    assert publisher.fetches == 1 + BURST + 20 - 1


async def test_when_the_budget_is_used_up_nothing_is_waited_for(time: TurnableClock) -> None:
    """T17: a forgery costs no more than it did before."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    for number in range(BURST):
        await asyncio.gather(keys.find(f"random-{number}", "ES256", may_force=lambda: True), return_exceptions=True)
    assert not keys.may_be_replaced(OLD.kid, "ES256")
    time.turn(SPACING)
    assert keys.may_be_replaced(OLD.kid, "ES256")


async def test_where_no_fetch_is_left_nobody_reads_the_claims_of_an_unknown_kid(time: TurnableClock) -> None:
    """T17, T22: to read them takes longer than a signature, and nothing could come of it; later, something may."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    read: list[str] = []

    async def come(kid: str) -> None:
        def may_force() -> bool:
            read.append(kid)
            return True

        with pytest.raises(Refusal, match="unknown_key"):
            await keys.find(kid, "ES256", may_force=may_force)

    for number in range(100):
        await come(f"random-{number}")
    assert read == [f"random-{number}" for number in range(BURST)]
    time.turn(SPACING)
    await come("later")
    assert read[BURST:] == ["later"]
    time.turn(SPACING / 2)
    publisher.fail()
    await keys.refresh()
    time.turn(SPACING)
    publisher.answer = {"keys": [OLD.public_jwk]}
    await come("after an outage")
    assert read[-1] == "after an outage", "whose end nobody has noticed before"


async def test_during_an_outage_a_bad_signature_is_one_and_costs_no_try(time: TurnableClock) -> None:
    """D26: known keys go on, and what none of them has signed is not the issuer's fault."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.fail()
    assert await replacing(keys) is None, "the fetch that has noticed the outage"
    assert publisher.fetches == 2
    for _ in range(100):
        time.turn(SPACING)
        assert not keys.may_be_replaced(OLD.kid, "ES256")
    assert publisher.fetches == 2


async def test_an_issuer_that_hangs_is_waited_for_no_longer_than_by_anybody(time: TurnableClock) -> None:
    """Two seconds, and then it is a bad signature, never 503."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.open.clear()
    waiting = asyncio.create_task(replacing(keys))
    await settle()
    time.turn(PATIENCE)
    assert await waiting is None
    assert await replacing(keys) is None
    publisher.open.set()
    await settle()


async def test_another_key_that_comes_or_goes_is_no_replacement(time: TurnableClock) -> None:
    """A signature is judged again by another key alone: that the set has changed costs no second check."""
    publisher = Publisher(OLD)
    keys = await known_keys(publisher, time)
    publisher.publish(OLD, NEW)
    assert await replacing(keys) is None
    time.turn(SPACING)
    publisher.publish(OLD)
    assert await replacing(keys) is None
    time.turn(SPACING)
    refused = keys.at_hand(OLD.kid, "ES256")
    assert refused is not None
    publisher.publish(NEW)
    assert await keys.find_replacing(refused, OLD.kid, "ES256") is None, "it is gone"
