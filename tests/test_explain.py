"""The checks of an explanation, and its verdict, which is the path's own."""

import pytest

from resource_server import Kind, Refusal, ResourceServer
from resource_server.authorization import all_of, role
from resource_server.development.minting import OMIT, SigningKey
from resource_server.explain import Explanation, explain
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.testing import FakeIssuer
from tests.turnable_clock import TurnableClock

NAMES = ["syntax", "type", "issuer", "algorithm", "signature", "audience", "claims", "begun", "expiry", "confirmation"]


@pytest.fixture
async def server(issuer: FakeIssuer, time: TurnableClock) -> ResourceServer:
    """A server that has its keys, as it has a moment after its start."""
    server = ResourceServer(issuer.url, audience=issuer.audience, fetch=issuer.fetch, clock=time.clock)
    await server.issuers.refresh()
    return server


def failed(explanation: Explanation) -> list[str]:
    return [check.name for check in explanation.checks if not check.passed]


async def test_a_good_token_passes_every_check(issuer: FakeIssuer, server: ResourceServer) -> None:
    """DESIGN §6."""
    explanation = await explain(issuer.token(), server)
    assert [check.name for check in explanation.checks] == NAMES
    assert failed(explanation) == []
    assert (explanation.kind, explanation.status, explanation.challenges) == (None, 200, ())


BROKEN = [
    pytest.param({"header": {"typ": "JWT"}}, ["type"], Kind.WRONG_TOKEN_TYPE, id="typ"),
    pytest.param({"iss": "https://id.example.com/"}, ["issuer"], Kind.WRONG_ISSUER, id="trailing-slash"),
    pytest.param({"header": {"alg": "HS256"}}, ["algorithm", "signature"], Kind.WRONG_ALGORITHM, id="algorithm"),
    pytest.param({"header": {"kid": "other"}}, ["signature"], Kind.UNKNOWN_KEY, id="unknown-kid"),
    pytest.param({"aud": "https://other.example.com"}, ["audience"], Kind.WRONG_AUDIENCE, id="audience"),
    pytest.param({"aud": OMIT}, ["audience"], Kind.WRONG_AUDIENCE, id="no-audience"),
    pytest.param({"client_id": OMIT}, ["claims"], Kind.INVALID_CLAIM, id="claim-missing"),
    pytest.param({"nbf": 1_900_000_000}, ["begun"], Kind.NOT_YET_VALID, id="not-yet-valid"),
    pytest.param({"exp": 1_700_000_000}, ["expiry"], Kind.EXPIRED, id="expired"),
    pytest.param({"exp": "soon"}, ["claims", "expiry"], Kind.INVALID_CLAIM, id="exp-is-text"),
    pytest.param({"cnf": None}, ["confirmation"], Kind.UNCONFIRMED_TOKEN, id="bound"),
    pytest.param(
        {"iss": "https://evil.example.com", "aud": "x", "exp": 1},
        ["issuer", "audience", "expiry"],
        Kind.WRONG_ISSUER,
        id="all-that-is-wrong-is-shown-and-the-first-decides",
    ),
]


@pytest.mark.parametrize(("options", "names", "kind"), BROKEN)
async def test_each_fault_is_one_failed_check_with_a_cure(
    issuer: FakeIssuer, server: ResourceServer, options: dict[str, object], names: list[str], kind: Kind
) -> None:
    """DESIGN §6: what the token says, what the configuration says, what to change."""
    explanation = await explain(issuer.token(**options), server)
    assert failed(explanation) == names
    assert explanation.kind is kind
    assert explanation.status == 401
    assert explanation.challenges[0].startswith('Bearer realm="api", error="invalid_token"')
    assert all(check.cure for check in explanation.checks if not check.passed)


async def test_a_forged_signature_is_told_from_an_unknown_key(issuer: FakeIssuer, server: ResourceServer) -> None:
    """DESIGN §6."""
    forged = SigningKey.generate("ES256", kid=issuer.mint.keys[0].kid)
    explanation = await explain(issuer.token(key=forged), server)
    assert failed(explanation) == ["signature"]
    assert explanation.kind is Kind.BAD_SIGNATURE


async def test_a_near_miss_of_the_issuer_names_the_setting_that_cures_it(
    issuer: FakeIssuer, server: ResourceServer
) -> None:
    """DESIGN §6: its own example."""
    explanation = await explain(issuer.token(iss=issuer.url + "/"), server)
    [check] = [check for check in explanation.checks if check.name == "issuer"]
    assert (check.found, check.expected) == (issuer.url + "/", issuer.url)
    assert check.cure == f"differs only by a trailing slash; set RESOURCE_SERVER_ISSUER={issuer.url}/"


async def test_an_id_token_is_recognised_as_one(issuer: FakeIssuer, server: ResourceServer) -> None:
    """Known mistakes, pain 9: why was my token rejected?"""
    explanation = await explain(issuer.token(header={"typ": OMIT}, nonce="n"), server)
    [check] = [check for check in explanation.checks if check.name == "type"]
    assert (check.found, check.cure) == ("(no typ)", "this looks like an ID token: send the access token")


@pytest.mark.parametrize("text", ["", "abc", "a b", "a.b.c", "é", "\udcff", "x" * 20_000, "..", "Bearer a.b.c"])
async def test_what_is_no_token_fails_at_its_syntax(server: ResourceServer, text: str) -> None:
    """DESIGN §6; nothing that is pasted makes it fail."""
    explanation = await explain(text, server)
    assert failed(explanation) == ["syntax"]
    assert explanation.status in (400, 401, 431)


async def test_a_route_s_requirements_are_judged_one_by_one(issuer: FakeIssuer, server: ResourceServer) -> None:
    """DESIGN §6: the scope line of its example."""
    needs = all_of("orders:read", role("admin"))
    explanation = await explain(issuer.token(scope="profile"), server, route="GET /orders", requirement=needs)
    assert failed(explanation) == ["scopes", "membership"]
    scopes, membership = explanation.checks[-2:]
    assert (scopes.found, scopes.cure) == ("profile", "would be 403 insufficient_scope")
    assert scopes.expected == "needs all of orders:read"
    assert (membership.found, membership.cure) == ("none", "would be 403 access_denied")
    assert explanation.kind is Kind.INSUFFICIENT_SCOPE


async def test_an_issuer_that_is_down_is_not_the_token_s_fault(issuer: FakeIssuer, time: TurnableClock) -> None:
    """Ruling 17."""

    async def down(url: str) -> Fetched:
        raise FetchError(url)

    server = ResourceServer(issuer.url, audience=issuer.audience, fetch=down, clock=time.clock)
    explanation = await explain(issuer.token(), server)
    assert failed(explanation) == ["signature"]
    assert (explanation.kind, explanation.status) == (Kind.ISSUER_UNAVAILABLE, 503)


@pytest.mark.parametrize(("options", "_names", "kind"), BROKEN)
async def test_the_verdict_is_the_one_that_a_request_would_get(
    issuer: FakeIssuer, server: ResourceServer, options: dict[str, object], _names: list[str], kind: Kind
) -> None:
    """One engine: what explain says and what the path does can't drift apart."""
    token = issuer.token(**options)
    scope = {"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]}
    with pytest.raises(Refusal) as refused:
        await server.protector.protect(scope)
    assert refused.value.kind is kind
