"""Many requests at one time: how many questions they cost, and who has to wait for whom."""

import asyncio
from collections import Counter

import pytest

from resource_server import Kind, Refusal, ResourceServer
from resource_server.validation.introspection import MAX_IN_FLIGHT, MAX_IN_FLIGHT_PER_CLIENT
from tests.introspecting import GOOD, Endpoint, issuer, kind, refusal, server, status
from tests.turnable_clock import TurnableClock


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


@pytest.fixture
def api(time: TurnableClock, endpoint: Endpoint) -> ResourceServer:
    return server(time, endpoint)


async def waiting(endpoint: Endpoint, questions: int) -> None:
    """Until so many questions have reached the endpoint."""
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(endpoint.questions) == questions


def ask(api: ResourceServer, token: str, client: str = "203.0.113.9") -> "asyncio.Task[str | None]":
    return asyncio.create_task(kind(api, token, client=client))


@pytest.mark.parametrize("tokens", [1, 100])
@pytest.mark.parametrize("ttl", [0, 30])
async def test_a_thousand_requests_cost_one_question_for_each_token(
    time: TurnableClock, endpoint: Endpoint, tokens: int, ttl: int
) -> None:
    """RS-7662-4-c, DESIGN §9: those who come together wait for one answer, even where none is remembered."""
    api = server(time, endpoint, issuer(ttl=ttl))
    endpoint.open.clear()
    tasks = [ask(api, f"t{number % tokens}") for number in range(1000)]
    await waiting(endpoint, tokens)
    endpoint.open.set()
    assert await asyncio.gather(*tasks) == [None] * 1000
    assert Counter(endpoint.asked) == {f"t{number}": 1 for number in range(tokens)}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(status(200, b'{"active": false}'), "revoked", id="inactive"),
        pytest.param(status(500), "issuer_unavailable", id="500"),
        pytest.param(OSError("ConnectError"), "issuer_unavailable", id="nobody"),
    ],
)
async def test_all_who_wait_are_told_the_same_refusal(
    api: ResourceServer, endpoint: Endpoint, answer: object, expected: str
) -> None:
    """And the failure counts once, not once for each of them (T24)."""
    endpoint.fail(answer)  # type: ignore[arg-type]
    endpoint.open.clear()
    tasks = [ask(api, GOOD) for _ in range(50)]
    await waiting(endpoint, 1)
    endpoint.open.set()
    assert await asyncio.gather(*tasks) == [expected] * 50
    endpoint.say()
    assert await kind(api, "another") is None


async def test_who_came_first_may_leave_and_the_others_are_answered(api: ResourceServer, endpoint: Endpoint) -> None:
    """DESIGN §9: a client that hangs up takes nobody's answer with it."""
    endpoint.open.clear()
    tasks = [ask(api, GOOD) for _ in range(5)]
    await waiting(endpoint, 1)
    tasks[0].cancel()
    tasks[3].cancel()
    await asyncio.wait({tasks[0], tasks[3]})
    endpoint.open.set()
    assert [await tasks[number] for number in (1, 2, 4)] == [None] * 3
    assert tasks[0].cancelled()
    assert len(endpoint.questions) == 1


async def test_a_question_that_nobody_waits_for_any_more_goes_on(api: ResourceServer, endpoint: Endpoint) -> None:
    """Whoever comes next joins it, or finds what it has learnt; its place is given back."""
    for round_ in range(MAX_IN_FLIGHT_PER_CLIENT + 1):
        endpoint.open.clear()
        task = ask(api, f"t{round_}")
        await waiting(endpoint, round_ + 1)
        task.cancel()
        await asyncio.wait({task})
        late = ask(api, f"t{round_}")
        await asyncio.sleep(0)
        endpoint.open.set()
        assert await late is None
    assert len(endpoint.questions) == MAX_IN_FLIGHT_PER_CLIENT + 1


async def test_a_client_address_may_cause_128_questions_at_a_time(api: ResourceServer, endpoint: Endpoint) -> None:
    """T24: at the bound and one past it; another address, and a token that is asked about already, are let in."""
    assert MAX_IN_FLIGHT_PER_CLIENT == 128
    endpoint.open.clear()
    tasks = [ask(api, f"t{number}") for number in range(128)]
    await waiting(endpoint, 128)
    refused = await refusal(api, "one-too-many")
    assert refused is not None
    assert (refused.kind, refused.retry_after) == (Kind.ISSUER_UNAVAILABLE, 1)
    assert refused.reason == "too many introspections are under way"
    joined, other = ask(api, "t0"), ask(api, "of-another", client="198.51.100.7")
    await waiting(endpoint, 129)
    endpoint.open.set()
    assert await asyncio.gather(*tasks, joined, other) == [None] * 130
    assert await kind(api, "one-too-many") is None


async def test_an_ipv6_client_is_its_network(api: ResourceServer, endpoint: Endpoint) -> None:
    """T33: whoever has one IPv6 address has 2⁶⁴ of them, and would take all questions."""
    endpoint.open.clear()
    tasks = [ask(api, f"t{number}", client=f"2001:db8:1:2::{number + 1:x}") for number in range(128)]
    await waiting(endpoint, 128)
    assert await kind(api, "one-too-many", client="2001:db8:1:2:ffff::1") == "issuer_unavailable"
    other = ask(api, "of-another", client="2001:db8:1:3::1")
    await waiting(endpoint, 129)
    endpoint.open.set()
    assert await asyncio.gather(*tasks, other) == [None] * 129


async def test_an_endpoint_is_asked_512_questions_at_a_time(api: ResourceServer, endpoint: Endpoint) -> None:
    """T24: at the bound and one past it; a remembered token is none of them."""
    assert MAX_IN_FLIGHT == 512
    assert await kind(api, GOOD) is None
    endpoint.open.clear()
    tasks = [ask(api, f"t{number}", client=f"192.0.2.{number % 8}") for number in range(512)]
    await waiting(endpoint, 513)
    assert await kind(api, "one-too-many", client="198.51.100.7") == "issuer_unavailable"
    assert await kind(api, GOOD) is None
    endpoint.open.set()
    assert await asyncio.gather(*tasks) == [None] * 512
    assert await kind(api, "one-too-many", client="198.51.100.7") is None


async def test_one_endpoint_s_questions_are_not_another_s(time: TurnableClock) -> None:
    """T24: capped per endpoint."""
    endpoint = Endpoint(time)
    two = [
        issuer(prefix="one-", grants="everything"),
        issuer(url="https://partner.example", prefix="two-", grants="everything"),
    ]
    api = server(time, endpoint, *two)
    endpoint.open.clear()
    tasks = [ask(api, f"one-{number}") for number in range(128)]
    await waiting(endpoint, 128)
    assert await kind(api, "one-too-many") == "issuer_unavailable"
    other = ask(api, "two-t")
    await waiting(endpoint, 129)
    endpoint.open.set()
    await asyncio.gather(*tasks, other)


async def test_a_failure_gives_its_place_back(api: ResourceServer, endpoint: Endpoint) -> None:
    """Or an outage would be followed by one of ours."""
    endpoint.fail(status(404))
    for _ in range(3):
        assert await asyncio.gather(*(ask(api, f"t{number}") for number in range(128))) == ["issuer_unavailable"] * 128
    endpoint.say()
    assert await asyncio.gather(*(ask(api, f"t{number}") for number in range(128))) == [None] * 128


async def test_a_failure_of_ours_is_no_answer_and_gives_its_place_back(api: ResourceServer, endpoint: Endpoint) -> None:
    """A fault in a ``post`` that somebody brought is theirs to see, and nothing is remembered of it."""
    endpoint.fail(RuntimeError("a fault in the test's own post"))
    with pytest.raises(RuntimeError):
        await kind(api, GOOD)
    endpoint.say()
    assert await kind(api, GOOD) is None


def test_a_server_may_be_used_by_one_event_loop_after_another(api: ResourceServer, endpoint: Endpoint) -> None:
    """A question that was cut off by the end of its loop is asked anew."""

    async def leave() -> None:
        endpoint.open.clear()
        asking = ask(api, GOOD)
        await waiting(endpoint, 1)
        asking.cancel()

    asyncio.run(leave())
    endpoint.open = asyncio.Event()
    endpoint.open.set()
    assert asyncio.run(kind(api, GOOD)) is None
    assert len(endpoint.questions) == 2


async def test_refusals_that_are_shared_are_no_less_refusals(api: ResourceServer, endpoint: Endpoint) -> None:
    """One exception in several tasks: each gets its kind and reason."""
    endpoint.say(active=False)
    endpoint.open.clear()
    tasks = [asyncio.create_task(refusal(api)) for _ in range(3)]
    await waiting(endpoint, 1)
    endpoint.open.set()
    refused = await asyncio.gather(*tasks)
    assert all(isinstance(one, Refusal) and one.kind is Kind.REVOKED for one in refused)
