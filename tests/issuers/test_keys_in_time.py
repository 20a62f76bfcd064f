"""When keys are fetched: their lifetime, the timer that comes ahead of its end, and tries that grow apart."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from resource_server.issuers.fetch import FetchError
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.keys import AHEAD, FIRST_RETRY, LAST_RETRY, LONGEST, SHORTEST, IssuerKeys
from resource_server.refusals import Kind, Refusal
from tests.issuers.key_kinds import signing_key
from tests.issuers.publisher import URL, Publisher, issuer_keys, known_keys
from tests.turnable_clock import TurnableClock

KEY = signing_key("ES256", 0)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def running(keys: IssuerKeys) -> AsyncIterator[None]:
    """The timer runs."""
    task = asyncio.create_task(keys.run(asyncio.Semaphore(1)))
    await settle()
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        pytest.param(None, LONGEST, id="not-said"),
        pytest.param(0.0, SHORTEST, id="no-store"),
        pytest.param(9.0, SHORTEST, id="below-the-floor"),
        pytest.param(60.0, 60.0, id="as-said"),
        pytest.param(86_400.0, LONGEST, id="above-the-ceiling"),
    ],
)
async def test_keys_live_as_long_as_the_issuer_says_within_10_seconds_and_10_minutes(
    time: TurnableClock, lifetime: float | None, seconds: float
) -> None:
    """T7: Cache-Control, a floor of 10 s and a ceiling of 10 min; the bound, and just before it."""
    assert (SHORTEST, LONGEST) == (10.0, 600.0)
    publisher = Publisher(KEY)
    publisher.lifetime = lifetime
    keys = await known_keys(publisher, time)
    time.turn(seconds - 0.001)
    await keys.find(KEY.kid, "ES256", may_force=lambda: False)
    await settle()
    assert publisher.fetches == 1
    time.turn(0.001)
    await keys.find(KEY.kid, "ES256", may_force=lambda: False)
    await settle()
    assert publisher.fetches == 2


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 600.0), (0.5, 540.0), (1.0, 480.0)])
async def test_the_timer_comes_ahead_of_the_end_by_chance(time: TurnableClock, chance: float, seconds: float) -> None:
    """T7, issue of many workers: by timer, not by misses; spread, so that workers don't come together."""
    assert AHEAD == 0.2
    publisher = Publisher(KEY)
    issuer = Issuer(url=URL, audience="https://api.example.com", jwks_uri=URL + "/keys")
    keys = IssuerKeys(issuer, clock=time.clock, fetch=publisher, chance=lambda: chance)
    async with running(keys):
        assert publisher.fetches == 1
        for round_ in range(1, 4):
            assert time.sleeping == [pytest.approx(seconds)]
            time.turn(seconds)
            await settle()
            assert publisher.fetches == 1 + round_


async def test_a_withdrawn_key_is_noticed_without_a_single_request(time: TurnableClock) -> None:
    """T7: what is remembered makes no miss, so a miss must not be what starts a refresh."""
    publisher = Publisher(KEY)
    keys = issuer_keys(publisher, time)
    async with running(keys):
        generation = keys.generation
        publisher.publish()
        time.turn(LONGEST)
        await settle()
        assert not keys.is_current(generation)


async def test_tries_grow_apart_up_to_10_seconds_and_start_anew(time: TurnableClock) -> None:
    """Design §9: an issuer that is down is asked seldom, and is noticed soon when it is back."""
    assert (FIRST_RETRY, LAST_RETRY) == (1.0, 10.0)
    publisher = Publisher(KEY)
    publisher.fail()
    keys = issuer_keys(publisher, time)
    waits: list[float] = []
    async with running(keys):
        for _ in range(6):
            waits += time.sleeping
            time.turn(time.sleeping[0])
            await settle()
        assert waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
        publisher.publish(KEY)
        time.turn(time.sleeping[0])
        await settle()
        assert keys.is_ready
        assert time.sleeping == [LONGEST]
        publisher.fail()
        time.turn(LONGEST)
        await settle()
        assert time.sleeping == [FIRST_RETRY]


async def test_chance_halves_a_wait_at_most(time: TurnableClock) -> None:
    """Jitter: many workers don't try together."""
    publisher = Publisher(KEY)
    publisher.fail()
    issuer = Issuer(url=URL, audience="https://api.example.com", jwks_uri=URL + "/keys")
    async with running(IssuerKeys(issuer, clock=time.clock, fetch=publisher, chance=lambda: 1.0)):
        assert time.sleeping == [0.5]


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (3, 4), (5, 10), (50, 10)])
async def test_a_503_says_when_the_next_try_is_due(time: TurnableClock, failures: int, seconds: int) -> None:
    """D26, RS-9110-10.2.3-a: whole seconds, at least one."""
    publisher = Publisher(KEY)
    publisher.fail()
    keys = issuer_keys(publisher, time)
    for _ in range(failures):
        await keys.refresh()
    for passed, left in ((0.0, seconds), (0.4, seconds), (seconds - 0.4 - 0.001, 1)):
        time.turn(passed)
        with pytest.raises(Refusal) as caught:
            await keys.find(KEY.kid, "ES256", may_force=lambda: True)
        assert (caught.value.kind, caught.value.retry_after) == (Kind.ISSUER_UNAVAILABLE, left)


async def test_an_outage_is_told_when_it_begins_changes_and_ends(
    time: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Design §1: known to the operator; once, not with every try."""
    publisher = Publisher(KEY)
    keys = issuer_keys(publisher, time)
    with caplog.at_level(logging.WARNING, "resource_server.issuers"):
        publisher.fail()
        await keys.refresh()
        await keys.refresh()
        publisher.answer = FetchError("ConnectError")
        await keys.refresh()
        publisher.publish(KEY)
        await keys.refresh()
        await keys.refresh()
    assert [record.getMessage() for record in caplog.records] == [
        f"keys of {URL} could not be fetched: status 500",
        f"keys of {URL} could not be fetched: ConnectError",
        f"keys of {URL} are fetched again, after 3 failures",
    ]


async def test_a_timer_fetches_the_metadata_anew_and_a_forced_fetch_the_keys_alone(time: TurnableClock) -> None:
    """T22: an unknown kid triggers one fetch; where the keys have moved to, the next regular refresh finds out."""
    asked: list[str] = []
    publisher = Publisher(KEY)

    async def fetch(url: str) -> object:
        asked.append(url.removeprefix(URL))
        if url.endswith("/.well-known/openid-configuration"):
            publisher_keys, publisher.answer = publisher.answer, {"issuer": URL, "jwks_uri": URL + "/keys"}
            fetched = await publisher(url)
            publisher.answer = publisher_keys
            return fetched
        return await publisher(url)

    issuer = Issuer(url=URL, audience="https://api.example.com")
    keys = IssuerKeys(issuer, clock=time.clock, fetch=fetch)  # type: ignore[arg-type]
    await keys.refresh()
    with pytest.raises(Refusal):
        await keys.find("unknown", "ES256", may_force=lambda: True)
    await keys.refresh()
    metadata = "/.well-known/openid-configuration"
    assert asked == [metadata, "/keys", "/keys", metadata, "/keys"]


async def test_a_fetch_that_the_end_of_the_program_cancels_is_no_fault_of_the_issuer(
    time: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Design §9: a shutdown is not to be told as an outage, and is not to be held up."""
    publisher = Publisher(KEY)
    keys = issuer_keys(publisher, time)
    publisher.open.clear()
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(keys.refresh())
    await settle()
    [fetch] = asyncio.all_tasks() - before - {waiting}
    fetch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert keys.problem == "its keys have not been fetched yet"
    assert caplog.records == []
