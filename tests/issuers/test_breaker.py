"""T24: what opens the circuit, for how long, and who is not touched by it."""

import asyncio

import pytest

from resource_server import Kind, ResourceServer
from resource_server.issuers.breaker import FAILURES, PAUSE, Breaker
from tests.introspecting import GOOD, Endpoint, kind, refusal, server, status
from tests.turnable_clock import TurnableClock

DOWN = [
    pytest.param(OSError("ConnectError"), id="nobody"),
    pytest.param(TimeoutError(), id="time-out"),
    pytest.param(ConnectionResetError(), id="reset"),
    pytest.param(status(500), id="500"),
    pytest.param(status(502), id="502"),
    pytest.param(status(503, wait=600), id="503"),
    pytest.param(status(599), id="599"),
    pytest.param(status(401), id="401"),
    pytest.param(status(403), id="403"),
]
UP = [
    pytest.param(status(400, b'{"error": "invalid_request"}'), "issuer_unavailable", id="400"),
    pytest.param(status(400, b'{"error": "unsupported_token_type"}'), "revoked", id="unsupported-type"),
    pytest.param(status(404), "issuer_unavailable", id="404"),
    pytest.param(status(413), "issuer_unavailable", id="413"),
    pytest.param(status(429), "issuer_unavailable", id="429"),
    pytest.param(status(302), "issuer_unavailable", id="302"),
    pytest.param(status(204), "issuer_unavailable", id="204"),
    pytest.param(status(200, b"nonsense"), "issuer_unavailable", id="nonsense"),
    pytest.param(status(200, b'{"active": "true"}'), "issuer_unavailable", id="no-judgement"),
    pytest.param(status(200, b'{"active": false}'), "revoked", id="inactive"),
    pytest.param(status(200, b"x" * (256 * 1024 + 1)), "issuer_unavailable", id="too-long"),
]


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


@pytest.fixture
def api(time: TurnableClock, endpoint: Endpoint) -> ResourceServer:
    return server(time, endpoint)


async def flood(api: ResourceServer, count: int, name: str = "t") -> list[str | None]:
    return [await kind(api, f"{name}{number}") for number in range(count)]


@pytest.mark.parametrize("answer", DOWN)
async def test_five_failures_in_a_row_open_the_circuit(api: ResourceServer, endpoint: Endpoint, answer: object) -> None:
    """T24: connect failures, time-outs, 5xx and 401/403; a dead endpoint costs milliseconds, not a time-out each."""
    assert (FAILURES, PAUSE) == (5, 5.0)
    endpoint.fail(answer)  # type: ignore[arg-type]
    assert await flood(api, 5) == ["issuer_unavailable"] * 5
    assert len(endpoint.questions) == 5
    refused = await refusal(api, "another")
    assert refused is not None
    assert (refused.kind, refused.retry_after) == (Kind.ISSUER_UNAVAILABLE, 5)
    assert "is not asked for a while" in refused.reason
    assert len(endpoint.questions) == 5


@pytest.mark.parametrize("answer", DOWN)
async def test_four_failures_leave_it_closed(api: ResourceServer, endpoint: Endpoint, answer: object) -> None:
    """T24: at the bound; a success in between begins anew."""
    for round_ in range(3):
        endpoint.fail(answer)  # type: ignore[arg-type]
        assert await flood(api, 4, f"down{round_}-") == ["issuer_unavailable"] * 4
        endpoint.say()
        assert await kind(api, f"up{round_}") is None
    assert len(endpoint.questions) == 15


@pytest.mark.parametrize(("answer", "expected"), UP)
async def test_what_strangers_can_cause_never_opens_it(
    api: ResourceServer, endpoint: Endpoint, answer: object, expected: str
) -> None:
    """T24: a hundred odd tokens must not switch the issuer off for everybody."""
    endpoint.fail(answer)  # type: ignore[arg-type]
    assert await flood(api, 100) == [expected] * 100
    assert len(endpoint.questions) == 100
    endpoint.say()
    assert await kind(api, GOOD) is None


async def test_after_each_pause_one_question_is_let_through(
    api: ResourceServer, time: TurnableClock, endpoint: Endpoint
) -> None:
    """T24: one, however many come."""
    endpoint.fail(status(503))
    await flood(api, 5)
    for round_ in range(3):
        time.turn(PAUSE - 0.01)
        await flood(api, 10, f"early{round_}-")
        assert len(endpoint.questions) == 5 + round_
        time.turn(0.01)
        await flood(api, 10, f"late{round_}-")
        assert len(endpoint.questions) == 6 + round_


async def test_while_the_one_question_is_under_way_nobody_else_asks(
    api: ResourceServer, time: TurnableClock, endpoint: Endpoint
) -> None:
    """T24: a slow endpoint is not given a crowd."""
    endpoint.fail(status(503))
    await flood(api, 5)
    time.turn(PAUSE)
    endpoint.say()
    endpoint.open.clear()
    probe = asyncio.create_task(kind(api, "probe"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert await flood(api, 10, "meanwhile") == ["issuer_unavailable"] * 10
    assert len(endpoint.questions) == 6
    endpoint.open.set()
    assert await probe is None
    assert await flood(api, 10, "afterwards") == [None] * 10


async def test_one_success_closes_it(api: ResourceServer, time: TurnableClock, endpoint: Endpoint) -> None:
    """T24: and it takes five failures again to open it."""
    endpoint.fail(status(503))
    await flood(api, 5)
    time.turn(PAUSE)
    endpoint.say()
    assert await flood(api, 3, "good") == [None] * 3
    endpoint.fail(status(503))
    await flood(api, 4, "bad")
    assert len(endpoint.questions) == 5 + 3 + 4
    endpoint.say()
    assert await kind(api, "once-more") is None


async def test_remembered_tokens_and_those_of_others_are_not_touched(
    time: TurnableClock, endpoint: Endpoint, api: ResourceServer
) -> None:
    """T24, T33, D26: known to be good is good while the endpoint is down."""
    assert await kind(api, GOOD, "orders:read") is None
    endpoint.fail(OSError("ConnectError"))
    await flood(api, 20)
    for _ in range(20):
        time.turn(1)
        assert await kind(api, GOOD, "orders:read") is None
    assert await kind(api, GOOD, "orders:write") == "insufficient_scope"


async def test_the_wait_is_told_in_whole_seconds_that_are_left(
    api: ResourceServer, time: TurnableClock, endpoint: Endpoint
) -> None:
    """D26, RS-9110-10.2.3-a."""
    endpoint.fail(OSError("ConnectError"))
    await flood(api, 5)
    waits = []
    for passed in (0, 0.5, 0.5, 3, 0.99):
        time.turn(passed)
        refused = await refusal(api, "t")
        assert refused is not None
        waits.append(refused.retry_after)
    assert waits == [5, 5, 4, 1, 1]


async def test_what_is_wrong_is_told_once_and_still_known_while_nobody_is_asked(
    api: ResourceServer, time: TurnableClock, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """Pain 9: an operator reads the cause, and not only that there is a pause."""
    endpoint.fail(status(401))
    for _ in range(5):
        await flood(api, 10)
        time.turn(PAUSE)
    refused = await refusal(api, "t")
    refused = await refusal(api, "t")
    assert refused is not None
    assert "is not asked for a while: refuses our credential with status 401" in refused.reason
    assert len(caplog.records) == 2
    assert all("refuses our credential" in record.message for record in caplog.records)


def test_a_breaker_that_has_seen_nothing_lets_all_through(time: TurnableClock) -> None:
    """However long ago the machine started."""
    breaker = Breaker(time.clock)
    assert breaker.wait == 0
    assert all(breaker.try_now() for _ in range(100))
    assert [breaker.failed() for _ in range(7)] == [False] * 4 + [True] + [False] * 2
    assert breaker.wait == 5
    assert breaker.try_now() is False
    breaker.succeeded()
    assert breaker.wait == 0
    assert breaker.try_now() is True
