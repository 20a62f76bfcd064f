"""A limit of failed authentications that no stranger can turn against others (threat T33)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from resource_server import Kind, Refusal, ResourceServer
from resource_server.explain import explain
from resource_server.failed_authentications import COUNTED, MAX_KNOWN
from resource_server.protector import ANY_TOKEN
from resource_server.refusals import TABLE
from tests.introspecting import GOOD, Endpoint, refusal, server
from tests.limiting import NEIGHBOUR, RATE, Limited
from tests.turnable_clock import TurnableClock


@pytest.fixture
def limited(time: TurnableClock) -> Limited:
    return Limited(time)


async def test_a_flood_of_guesses_causes_no_more_validations_than_the_limit(limited: Limited) -> None:
    """T33: 10,000 in a minute; the answers after that are 429."""
    kinds: list[Kind | None] = []
    for _ in range(100):
        kinds += await limited.flood(100)
        limited.time.turn(0.6)
    assert len(limited.judge.asked) == RATE.limit
    assert kinds.count(Kind.BAD_SIGNATURE) == RATE.limit
    assert kinds.count(Kind.RATE_LIMITED) == len(kinds) - RATE.limit


async def test_a_refusal_says_when_the_next_attempt_is_allowed(limited: Limited) -> None:
    """RS-9110-10.2.3-a: that second, and not the one before."""
    await limited.flood(RATE.at_once)
    limited.time.turn(1.5)
    refused = await limited.refusal("guess")
    assert refused is not None
    assert (refused.kind, refused.retry_after) == (Kind.RATE_LIMITED, 5)
    assert refused.reason == "too many tokens from this address were no good"
    limited.time.turn(4)
    assert await limited.kind("guess") is Kind.RATE_LIMITED
    limited.time.turn(1)
    assert await limited.kind("guess") is Kind.BAD_SIGNATURE


async def test_another_address_and_a_token_that_was_good_pass_during_a_flood(limited: Limited) -> None:
    """T33: the limit is the flooding address's own, and no token that has been good before."""
    assert await limited.kind("good-before") is None
    await limited.flood(100)
    assert await limited.kind("good-before") is None
    assert await limited.kind("good-new", NEIGHBOUR) is None
    assert await limited.kind("good-new") is None, "it is known to be good by now"
    assert await limited.kind("good-and-new") is Kind.RATE_LIMITED, "nothing tells it from a guess"


async def test_good_tokens_use_nothing_up(limited: Limited) -> None:
    """Many people behind one address who all have good tokens."""
    assert {await limited.kind(f"good-{number}") for number in range(1000)} == {None}
    assert len(limited.judge.asked) == 1000
    assert await limited.flood(RATE.at_once) == [Kind.BAD_SIGNATURE] * RATE.at_once


@pytest.mark.parametrize("kind", list(Kind))
async def test_what_a_guess_is_refused_with_counts_and_nothing_else(limited: Limited, kind: Kind) -> None:
    """T33: no missing credentials, no stale token, no 403; and an outage is never the client's fault."""
    limited.judge.outcome = lambda _token: kind
    kinds = await limited.flood(RATE.limit + 1)
    assert (Kind.RATE_LIMITED in kinds) == (kind in COUNTED or kind is Kind.RATE_LIMITED)
    if kind in COUNTED:
        assert (TABLE[kind].status, TABLE[kind].error) == (401, "invalid_token")


def test_a_token_that_is_good_but_for_the_time_is_no_guess() -> None:
    """A client with a stale token, or one whose issuer's clock is ahead, guesses nothing."""
    bad = {kind for kind, row in TABLE.items() if row.error == "invalid_token"}
    of_time = {Kind.EXPIRED, Kind.NOT_YET_VALID}
    of_sender = {Kind.UNCONFIRMED_TOKEN, Kind.WRONG_CERTIFICATE, Kind.WRONG_PROOF_KEY}
    assert bad - COUNTED == of_time | of_sender


async def test_a_failure_of_ours_is_not_the_client_s(limited: Limited) -> None:
    """It is raised as it is."""
    limited.judge.outcome = lambda _token: RuntimeError("a fault")
    for _ in range(RATE.limit):
        with pytest.raises(RuntimeError):
            await limited.refusal("guess")


async def test_the_first_failure_of_a_token_that_was_good_is_not_counted(limited: Limited) -> None:
    """T7, T33: with a withdrawn key the tokens of a whole office fail at once, and none of them is a guess."""
    offices = [f"good-{number}" for number in range(100)]
    for token in offices:
        await limited.kind(token)
    limited.judge.outcome = lambda token: None if token.startswith("new") else Kind.UNKNOWN_KEY
    assert {await limited.kind(token) for token in offices} == {Kind.UNKNOWN_KEY}
    assert await limited.kind("new-token") is None
    assert [await limited.kind("good-0") for _ in range(RATE.at_once + 1)][-2:] == [
        Kind.UNKNOWN_KEY,
        Kind.RATE_LIMITED,
    ], "from the second time on it counts like any other"


async def test_an_outage_makes_no_token_a_stranger(limited: Limited) -> None:
    """D26: what was good is known to have been good when the issuer is back."""
    await limited.kind("good")
    limited.judge.outcome = lambda _token: Kind.ISSUER_UNAVAILABLE
    assert await limited.kind("good") is Kind.ISSUER_UNAVAILABLE
    await limited.flood(100)
    limited.judge.outcome = lambda token: None if token == "good" else Kind.BAD_SIGNATURE
    await limited.flood(100)
    assert await limited.kind("good") is None


async def test_so_many_tokens_are_known_to_have_been_good(limited: Limited) -> None:
    """At the bound and one past it: whoever was not seen for longest is new again."""
    assert MAX_KNOWN == 16_384
    for number_ in range(MAX_KNOWN):
        await limited.kind(f"good-{number_}")
    await limited.kind("good-0")
    await limited.kind("good-one-more")
    await limited.flood(100)
    assert await limited.kind("good-0") is None
    assert await limited.kind("good-2") is None
    assert await limited.kind("good-1") is Kind.RATE_LIMITED


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


Flood = Callable[[ResourceServer, list[str]], Awaitable[list[Refusal | None]]]


async def one_after_the_other(api: ResourceServer, tokens: list[str]) -> list[Refusal | None]:
    return [await refusal(api, token) for token in tokens]


async def at_one_time(api: ResourceServer, tokens: list[str]) -> list[Refusal | None]:
    return list(await asyncio.gather(*(refusal(api, token) for token in tokens)))


@pytest.mark.parametrize("flood", [one_after_the_other, at_one_time])
async def test_a_flood_of_opaque_tokens_asks_no_more_than_the_limit(
    time: TurnableClock, endpoint: Endpoint, flood: Flood
) -> None:
    """T24, T33: each guess would cost the issuer a request; who was remembered or is elsewhere is let in."""
    api = server(time, endpoint, failed_authentications=RATE)
    assert await refusal(api) is None
    endpoint.say(active=False)
    refused = await flood(api, [f"guess-{number}" for number in range(300)])
    assert [one.kind for one in refused if one] == [Kind.REVOKED] * RATE.at_once + [Kind.RATE_LIMITED] * 289
    assert len(endpoint.questions) == RATE.at_once + 1
    endpoint.say()
    assert await refusal(api) is None
    assert await refusal(api, "new", client="192.0.2.44") is None
    time.turn(31)  # longer than an answer is remembered
    await flood(api, [f"more-{number}" for number in range(300)])
    assert await refusal(api, GOOD) is None


async def test_crowds_with_good_opaque_tokens_cause_one_question_each(time: TurnableClock, endpoint: Endpoint) -> None:
    """RS-7662-4-c: as without a limit."""
    api = server(time, endpoint, failed_authentications=RATE)
    tokens = [f"token-{number % 100}" for number in range(1000)]
    assert set(await at_one_time(api, tokens)) == {None}
    assert len(endpoint.questions) == 100


async def test_an_expired_jwt_is_no_guess(issuer: Any, time: TurnableClock) -> None:
    """A client that goes on with its old token is told so each time, and its neighbours are not refused for it."""
    options: dict[str, Any] = {"fetch": issuer.fetch, "clock": time.clock, "observers": ()}
    api = ResourceServer(issuer.url, audience=issuer.audience, failed_authentications=RATE, **options)
    for jti in range(100):
        stale = await refusal(api, issuer.token(exp=int(time.wall) - 3600, jti=str(jti)))
        assert stale is not None
        assert stale.kind is Kind.EXPIRED
    assert await refusal(api, issuer.token()) is None


async def test_an_open_stream_outlives_a_flood_from_its_address(time: TurnableClock, endpoint: Endpoint) -> None:
    """T32, T33: it is judged again long after its token's answer has ended, and strangers can't end it meanwhile."""
    api = server(time, endpoint, failed_authentications=RATE)
    protector, walk = api.protector, api.protector.begin()
    scope = {
        "type": "http",
        "scheme": "https",
        "client": ("203.0.113.9", 1),
        "headers": [(b"authorization", b"Bearer " + GOOD.encode())],
    }
    await protector.authenticate(scope, ANY_TOKEN, walk)
    for _ in range(5):
        endpoint.say(active=False)
        await at_one_time(api, [f"guess-{number}" for number in range(100)])
        time.turn(31)
        await at_one_time(api, [f"guess-{number}" for number in range(100)])
        endpoint.say()
        await protector.judge_again(scope, ANY_TOKEN, walk)
        assert not walk.forgiven


async def test_an_explanation_is_neither_limited_nor_counted(time: TurnableClock, endpoint: Endpoint) -> None:
    """Whoever asks why a token is refused guesses nothing, and has no address."""
    api = server(time, endpoint, failed_authentications=RATE)
    endpoint.say(active=False)
    assert {(await explain(f"guess-{number}", api)).kind for number in range(2 * RATE.limit)} == {Kind.REVOKED}
    refused = await one_after_the_other(api, [f"guess-{number}" for number in range(100, 100 + RATE.at_once)])
    assert [one.kind for one in refused if one] == [Kind.REVOKED] * RATE.at_once
