"""An explanation that asks nobody: what a page may give to who pastes a token (T36)."""

from typing import Any

import pytest

from resource_server import Issuer, Kind, ResourceServer
from resource_server.authorization import all_of
from resource_server.explain import Explanation, explain
from resource_server.issuers.client_authentication import SecretBasic
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.issuers.introspection import Introspection
from resource_server.testing import FakeIssuer
from tests.test_explain_opaque import API, URL, Endpoint
from tests.turnable_clock import TurnableClock


def failed(explanation: Explanation) -> list[str]:
    return [check.name for check in explanation.checks if not check.passed]


@pytest.fixture
async def server(issuer: FakeIssuer, time: TurnableClock) -> ResourceServer:
    """A server that has its keys."""
    server = ResourceServer(issuer.url, audience=issuer.audience, fetch=issuer.fetch, clock=time.clock)
    await server.issuers.refresh()
    return server


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        pytest.param({}, None, id="good"),
        pytest.param({"scope": "orders:write"}, Kind.INSUFFICIENT_SCOPE, id="scope"),
        pytest.param({"exp": 1}, Kind.EXPIRED, id="expired"),
        pytest.param({"header": {"kid": "new"}}, Kind.UNKNOWN_KEY, id="a-kid-for-which-a-request-would-fetch"),
        pytest.param({"header": {"jku": "https://evil.example"}}, None, id="an-address-in-the-header"),
        pytest.param({"iss": "https://evil.example"}, Kind.WRONG_ISSUER, id="an-address-in-iss"),
    ],
)
async def test_no_token_makes_it_fetch_anything(
    issuer: FakeIssuer, server: ResourceServer, options: dict[str, Any], kind: Kind | None
) -> None:
    """T36: cached keys only, and the verdict of the path all the same."""
    fetched = list(issuer.requests)
    token = issuer.token(**{"scope": "orders:read"} | options)
    explanation = await explain(token, server, requirement=all_of("orders:read"), ask_issuers=False)
    assert (explanation.kind, issuer.requests) == (kind, fetched)
    assert bool(failed(explanation)) is (kind is not None)


async def test_an_unknown_kid_takes_nothing_from_the_budget_of_requests(
    issuer: FakeIssuer, server: ResourceServer
) -> None:
    """T22, T36: who pastes tokens with made-up kids can't delay the key that a request needs."""
    for number in range(20):
        await explain(issuer.token(header={"kid": f"{number}"}), server, ask_issuers=False)
    before = len(issuer.requests)
    explanation = await explain(issuer.token(header={"kid": "new"}), server)
    assert (explanation.kind, len(issuer.requests) - before) == (Kind.UNKNOWN_KEY, 1)


async def test_it_remembers_nothing_and_tells_no_observer(issuer: FakeIssuer, time: TurnableClock) -> None:
    """T36: neither a replay record nor a line of the audit comes of a token that was pasted."""
    told: list[object] = []
    server = ResourceServer(
        issuer.url, audience=issuer.audience, fetch=issuer.fetch, clock=time.clock, observers=[told.append]
    )
    await server.issuers.refresh()
    for token in (issuer.token(), issuer.token(exp=1)):
        await explain(token, server, ask_issuers=False)
    assert (told, len(server.protector._verified)) == ([], 0)


@pytest.mark.parametrize("kid", [None, "new"])
async def test_keys_that_are_not_known_yet_are_not_fetched_for_it(
    issuer: FakeIssuer, time: TurnableClock, kid: str | None
) -> None:
    """T36: before the first fetch, and after one that failed."""
    down = kid is not None

    async def fetch(url: str) -> Fetched:
        if down:
            raise FetchError("down")
        return await issuer.fetch(url)

    server = ResourceServer(issuer.url, audience=issuer.audience, fetch=fetch, clock=time.clock)
    if down:
        await server.issuers.refresh()
    explanation = await explain(issuer.token(header={"kid": kid} if kid else None), server, ask_issuers=False)
    assert (explanation.kind, explanation.status) == (Kind.ISSUER_UNAVAILABLE, 503)
    assert failed(explanation) == ["signature"]
    assert issuer.requests == []


async def test_an_opaque_token_is_shown_to_nobody(time: TurnableClock) -> None:
    """T36: the endpoint would learn of it, and a thief of whether it is good."""
    endpoint = Endpoint(time)
    introspection = Introspection(endpoint=f"{URL}/introspect", client=SecretBasic("api", "secret"))
    issuer = Issuer(url=URL, audience=API, introspection=introspection)
    server = ResourceServer(issuer, post=endpoint, clock=time.clock, observers=())
    explanation = await explain("opaque", server, ask_issuers=False)
    assert (explanation.kind, explanation.status, endpoint.asked) == (Kind.ISSUER_UNAVAILABLE, 503, 0)
    [check] = [check for check in explanation.checks if not check.passed]
    assert (check.name, check.cure) == ("active", "run resource-server explain, which asks the issuer")


async def test_a_jwt_that_would_be_asked_about_too_is_not(issuer: FakeIssuer, time: TurnableClock) -> None:
    """T36: where revoked JWTs are asked about, the explanation stops at the signature's word."""
    endpoint = Endpoint(time)
    introspection = Introspection(endpoint=f"{URL}/introspect", client=SecretBasic("api", "s"), jwt_every=1.0)
    trusted = Issuer(url=issuer.url, audience=issuer.audience, introspection=introspection)
    server = ResourceServer(trusted, fetch=issuer.fetch, post=endpoint, clock=time.clock, observers=())
    await server.issuers.refresh()
    explanation = await explain(issuer.token(), server, ask_issuers=False)
    assert (explanation.kind, endpoint.asked) == (None, 0)
