"""A bad signature by a known kid: the issuer may have started anew with new keys under the same one (T22, T17)."""

import asyncio

import pytest

from resource_server.clock import Clock
from resource_server.credentials import Credentials
from resource_server.development.minting import Mint, SigningKey
from resource_server.issuers.forced import BURST, SPACING
from resource_server.refusals import Kind, Refusal
from resource_server.validation.jwt import JwtValidator
from resource_server.verified import VerifiedToken
from tests.issuers.key_kinds import signing_key
from tests.issuers.publisher import Publisher
from tests.turnable_clock import TurnableClock
from tests.validation.conftest import Refused, validator_of

AGAIN = SigningKey("ES256", signing_key("ES256", 1).private_key, signing_key("ES256").kid)
"""Another key, under the kid of the one that is published."""
STRANGER = SigningKey("ES256", signing_key("ES256", 2).private_key, AGAIN.kid)


async def verified(validator: JwtValidator, token: str) -> VerifiedToken:
    return await validator.validate(Credentials("Bearer", token, b""))


async def test_tokens_of_the_new_key_are_good_after_one_fetch(
    validator: JwtValidator, publisher: Publisher, mint: Mint
) -> None:
    """A development provider that restarts; T7: what is remembered rests on the new key and its generation."""
    await verified(validator, mint.access_token())
    publisher.publish(AGAIN)
    tokens = [mint.access_token(key=AGAIN, jti=f"{number}") for number in range(100)]
    found = await asyncio.gather(*(verified(validator, token) for token in tokens))
    assert {one.thumbprint for one in found} == {AGAIN.private_key.thumbprint()}
    assert all(one.is_current() for one in found)
    assert publisher.fetches == 2


async def test_a_flood_of_forgeries_costs_the_budget_and_no_more(
    refused: Refused, publisher: Publisher, mint: Mint, time: TurnableClock
) -> None:
    """T22, T17: with the issuer's own kid, and with kids that are made up."""
    assert await refused(mint.access_token()) is None
    kinds = set()
    for second in range(30):
        forged = [mint.access_token(key=STRANGER, jti=f"{second}-{number}") for number in range(20)]
        made_up = [mint.access_token(header={"kid": f"{second}-{number}"}) for number in range(20)]
        kinds |= set(await asyncio.gather(*map(refused, forged + made_up)))
        time.turn(1)
    assert kinds == {Kind.BAD_SIGNATURE, Kind.UNKNOWN_KEY}
    assert publisher.fetches <= 1 + BURST + 30 / SPACING


async def test_a_forgery_whose_claims_would_not_pass_forces_nothing(
    refused: Refused, publisher: Publisher, mint: Mint
) -> None:
    """T22: nor eats the budget."""
    assert await refused(mint.access_token()) is None
    for claims in ({"aud": "https://other.example"}, {"exp": 1}, {"sub": 1}, {"nbf": 9_999_999_999}):
        assert await refused(mint.access_token(key=STRANGER, **claims)) is Kind.BAD_SIGNATURE
    assert publisher.fetches == 1
    publisher.publish(AGAIN)
    assert await refused(mint.access_token(key=AGAIN)) is None


async def test_a_token_that_no_key_has_signed_before_or_after_is_refused(
    refused: Refused, publisher: Publisher, mint: Mint
) -> None:
    """D07: judged once more by the new key, and by no third."""
    assert await refused(mint.access_token()) is None
    publisher.publish(AGAIN)
    assert await refused(mint.access_token(key=STRANGER)) is Kind.BAD_SIGNATURE
    assert publisher.fetches == 2


async def test_when_the_budget_is_used_up_a_forgery_is_refused_without_waiting_and_without_its_claims(
    publisher: Publisher, mint: Mint, time: TurnableClock
) -> None:
    """T17: neither an await that yields nor a look at the claims, whose age is judged by the wall clock."""
    looks = 0

    def wall() -> float:
        nonlocal looks
        looks += 1
        return time.wall

    validator = validator_of(publisher, Clock(wall=wall, monotonic=lambda: time.monotonic, sleep=time.clock.sleep))
    await verified(validator, mint.access_token())
    for number in range(BURST):
        with pytest.raises(Refusal):
            await verified(validator, mint.access_token(header={"kid": f"{number}"}))

    [keys] = validator._issuers
    before = looks
    assert keys.at_hand(AGAIN.kid, "ES256") is not None
    lookup = looks - before
    for number in range(100):
        before = looks
        forged = mint.access_token(key=STRANGER, jti=f"{number}")
        with pytest.raises(Refusal) as caught:
            validator.validate(Credentials("Bearer", forged, b"")).send(None)
        assert caught.value.kind is Kind.BAD_SIGNATURE
        assert looks - before == lookup
    assert publisher.fetches == 1 + BURST


async def test_who_may_fetch_nothing_does_not_so_for_a_bad_signature_either(
    publisher: Publisher, mint: Mint, time: TurnableClock
) -> None:
    """T36: an explanation of a token that anybody may have pasted."""
    validator = validator_of(publisher, time.clock)
    await verified(validator, mint.access_token())
    by_known_keys = JwtValidator(validator._issuers, time.clock, by_known_keys=True)
    publisher.publish(AGAIN)
    with pytest.raises(Refusal) as caught:
        await verified(by_known_keys, mint.access_token(key=AGAIN))
    assert caught.value.kind is Kind.BAD_SIGNATURE
    assert publisher.fetches == 1
