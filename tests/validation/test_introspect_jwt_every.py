"""JWTs that are good by key set, and asked about all the same every so many seconds: in case they were revoked."""

from collections.abc import Callable

import pytest

from resource_server import ResourceServer
from resource_server.stores.memory import MemoryStore
from resource_server.testing import FakeIssuer
from tests.introspecting import URL, Endpoint, issuer, kind, server
from tests.turnable_clock import TurnableClock


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


@pytest.fixture
def mint(make_issuer: Callable[..., FakeIssuer]) -> FakeIssuer:
    return make_issuer(URL)


Make = Callable[..., ResourceServer]


@pytest.fixture
def make(time: TurnableClock, endpoint: Endpoint, mint: FakeIssuer) -> Make:
    def build(every: float | None, *, ttl: float = 30, **options: object) -> ResourceServer:
        return server(time, endpoint, issuer(jwt_every=every, ttl=ttl), fetch=mint.fetch, **options)

    return build


async def test_a_good_jwt_is_asked_about_every_so_many_seconds(
    make: Make, mint: FakeIssuer, time: TurnableClock, endpoint: Endpoint
) -> None:
    """RS-7662-4-b: revocation is noticed within that time."""
    api, token = make(60), mint.token()
    assert await kind(api, token) is None
    endpoint.say(active=False)
    time.turn(59.99)
    assert await kind(api, token) is None
    assert len(endpoint.questions) == 1
    time.turn(0.01)
    assert await kind(api, token) == "revoked"
    assert len(endpoint.questions) == 2


async def test_every_0_seconds_is_each_time(make: Make, mint: FakeIssuer, endpoint: Endpoint) -> None:
    """docs/settings.md."""
    api, token = make(0), mint.token()
    assert [await kind(api, token) for _ in range(3)] == [None] * 3
    assert len(endpoint.questions) == 3
    endpoint.say(active=False)
    assert await kind(api, token) == "revoked"


async def test_by_default_no_jwt_is_asked_about(make: Make, mint: FakeIssuer, endpoint: Endpoint) -> None:
    """DESIGN §5."""
    assert await kind(make(None), mint.token()) is None
    assert endpoint.questions == []


async def test_while_the_endpoint_is_down_what_is_remembered_goes_on(
    make: Make, mint: FakeIssuer, time: TurnableClock, endpoint: Endpoint
) -> None:
    """T24, D26: a token that nobody can confirm is 503, never 401 and never let in."""
    api, token = make(60), mint.token()
    assert await kind(api, token) is None
    endpoint.fail(OSError("ConnectError"))
    assert await kind(api, mint.token(sub="bob")) == "issuer_unavailable"
    time.turn(59.99)
    assert await kind(api, token) is None
    time.turn(0.01)
    assert await kind(api, token) == "issuer_unavailable"
    endpoint.say()
    assert await kind(api, token) is None


@pytest.mark.parametrize("seconds", [0, 100], ids=["expired", "long-expired"])
async def test_an_expired_jwt_is_not_asked_about(
    make: Make, mint: FakeIssuer, time: TurnableClock, endpoint: Endpoint, seconds: int
) -> None:
    """docs/refusals.md, order of checks: whether an expired token was also revoked is not looked up."""
    assert await kind(make(0), mint.token(exp=int(time.wall) - 30 - seconds)) == "expired"
    assert endpoint.questions == []


async def test_the_jwt_s_own_claims_count_and_not_those_of_the_answer(
    make: Make, mint: FakeIssuer, endpoint: Endpoint
) -> None:
    """The issuer was asked whether it was revoked, and nothing else."""
    endpoint.say(scope="admin", sub="mallory", aud="https://other.example.com")
    api = make(60)
    assert await kind(api, mint.token(scope="orders:read"), "orders:read") is None
    assert await kind(api, mint.token(scope="orders:read"), "admin") == "insufficient_scope"


@pytest.mark.parametrize("value", ["true", 1, None], ids=repr)
async def test_active_is_json_s_true_here_too(make: Make, mint: FakeIssuer, endpoint: Endpoint, value: object) -> None:
    """RS-7662-2.2-a."""
    endpoint.say(active=value)
    assert await kind(make(60), mint.token()) == "issuer_unavailable"


@pytest.mark.parametrize(("every", "ttl"), [(0, 30), (5, 600), (5, 0)])
async def test_a_shared_answer_is_no_older_than_that(
    make: Make, mint: FakeIssuer, time: TurnableClock, endpoint: Endpoint, every: float, ttl: float
) -> None:
    """RS-7662-4-b: what another process was told lives on no longer than what was told to this one."""
    store, token = MemoryStore(clock=time.clock), mint.token()
    first, second = (make(every, ttl=ttl, store=store, store_key=[b"k" * 32]) for _ in range(2))
    assert await kind(first, token) is None
    if every:
        time.turn(every - 0.25)
        assert await kind(second, token) is None
        assert len(endpoint.questions) == 1
        time.turn(0.25)
    endpoint.say(active=False)
    assert await kind(second, token) == "revoked"
