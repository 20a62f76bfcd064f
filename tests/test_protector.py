"""THE PATH without a framework: what is asked once, what is judged on every request, what observers are told."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from resource_server import AccessToken, Decision, Kind, Refusal, network, owner, role
from resource_server.authorization.combination import AllOf, all_of
from resource_server.authorization.hierarchy import ScopeHierarchy
from resource_server.credentials import Credentials
from resource_server.events import Observer
from resource_server.forwarding import Forwarding
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.protector import ANY_TOKEN, ResourceProtector
from resource_server.testing import make_token
from resource_server.verified import VerifiedToken, VerifiedTokens
from tests.turnable_clock import TurnableClock

ISSUER = "https://id.example.com"
PROXY = "203.0.113.9"


class Keys:
    """Whose keys the tokens were verified with."""

    generation = 1

    def is_current(self, generation: int) -> bool:
        return generation == self.generation


class Validator:
    """Knows some tokens, and counts how often it is asked."""

    def __init__(self, tokens: dict[str, AccessToken]) -> None:
        self.tokens = tokens
        self.keys = Keys()
        self.asked: list[str] = []
        self.refusal: Refusal | None = None

    async def validate(self, credentials: Credentials, client: str | None = None) -> VerifiedToken:
        self.asked.append(credentials.token)
        if self.refusal is not None:
            raise self.refusal
        if credentials.token not in self.tokens:
            raise Refusal(Kind.MALFORMED_TOKEN)
        return VerifiedToken(self.tokens[credentials.token], 30.0, self.keys, self.keys.generation, "thumb")


class Bench:
    """A protector, what it stands on, and requests to it."""

    def __init__(self, time: TurnableClock, *, memory: int = 100_000, observers: Sequence[Observer] = ()) -> None:
        self.time = time
        token = replace(make_token(scopes=["read"], roles=["editor"]), expires_at=time.wall + 300)
        self.validator = Validator({"good": token})
        self.decisions: list[Decision] = []
        self.protector = ResourceProtector(
            self.validator,
            VerifiedTokens(memory, time.clock),
            issuers=TrustedIssuers([Issuer(url=ISSUER, audience="https://api.example.com")], clock=time.clock),
            forwarding=Forwarding([PROXY]),
            hierarchy=ScopeHierarchy({"admin": ["read"]}),
            clock=time.clock,
            observers=[self.decisions.append, *observers],
        )

    def knows(self, text: str, **members: Any) -> None:
        self.validator.tokens[text] = replace(self.validator.tokens["good"], **members)

    async def protect(self, token: str | None, requirement: AllOf = ANY_TOKEN, **scope: Any) -> AccessToken:
        headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
        return await self.protector.protect({"headers": headers, "client": ("192.0.2.1", 5), **scope}, requirement)

    async def refuse(self, token: str | None, requirement: AllOf = ANY_TOKEN, **scope: Any) -> Kind:
        with pytest.raises(Refusal) as refusal:
            await self.protect(token, requirement, **scope)
        return refusal.value.kind


@pytest.fixture
def bench(time: TurnableClock) -> Bench:
    return Bench(time)


async def test_a_token_is_validated_once_and_then_remembered(bench: Bench) -> None:
    """DESIGN §2: a good token costs almost nothing the second time."""
    tokens = [await bench.protect("good") for _ in range(3)]
    assert bench.validator.asked == ["good"]
    assert tokens[0] is tokens[1] is tokens[2]


async def test_refusals_are_not_remembered(bench: Bench) -> None:
    """T11: they would let a stranger fill memory, or freeze a mistake."""
    assert [await bench.refuse("bad") for _ in range(2)] == [Kind.MALFORMED_TOKEN] * 2
    assert bench.validator.asked == ["bad", "bad"]
    bench.knows("bad")
    await bench.protect("bad")


async def test_a_token_of_a_withdrawn_key_is_validated_anew(bench: Bench) -> None:
    """T7: another generation is a miss, so there is no purge to race with."""
    await bench.protect("good")
    bench.validator.keys.generation += 1
    bench.validator.refusal = Refusal(Kind.UNKNOWN_KEY)
    assert await bench.refuse("good") is Kind.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("needs", "kind"),
    [
        pytest.param(["write"], Kind.INSUFFICIENT_SCOPE, id="scope"),
        pytest.param([role("admin")], Kind.MISSING_ROLE, id="role"),
        pytest.param([owner("user")], Kind.NOT_OWNER, id="owner"),
        pytest.param([lambda token: False], Kind.POLICY, id="policy"),
    ],
)
async def test_a_remembered_token_is_judged_on_every_request(bench: Bench, needs: list[Any], kind: Kind) -> None:
    """CVE-2021-32701, GHSA-4mq7-pvjg-xp2r, heimdall#3452: facts are remembered, never decisions."""
    await bench.protect("good")
    assert await bench.refuse("good", all_of(*needs), path_params={"user": "bob"}) is kind
    await bench.protect("good", all_of("read", role("editor"), owner("user")), path_params={"user": "alice"})
    assert bench.validator.asked == ["good"]


@pytest.mark.parametrize("memory", [100_000, 0])
async def test_expiry_is_judged_on_every_request(time: TurnableClock, memory: int) -> None:
    """RS-7519-4.1.4-a, liboauth2 2.3.0 (CWE-613): reject at exp plus leeway, remembered or not."""
    bench = Bench(time, memory=memory)
    time.turn(329.5)
    await bench.protect("good")
    time.turn(0.5)
    assert await bench.refuse("good") is Kind.EXPIRED


@pytest.mark.parametrize("cnf", [{}, {"jkt": "x"}, {"x5t#S256": "x"}, {"unknown": 1}])
async def test_a_bound_token_is_no_bearer_token(bench: Bench, cnf: dict[str, Any]) -> None:
    """T21, D15: refused under every scheme that does not confirm it; each time."""
    bench.knows("bound", confirmation=cnf)
    assert [await bench.refuse("bound") for _ in range(2)] == [Kind.UNCONFIRMED_TOKEN] * 2


async def test_a_bound_and_expired_token_is_not_told_to_be_expired(bench: Bench) -> None:
    """E2 step 10: the sender's constraint first, then exp."""
    bench.knows("bound", confirmation={"jkt": "x"}, expires_at=0.0)
    assert await bench.refuse("bound") is Kind.UNCONFIRMED_TOKEN


async def test_what_needs_no_identity_is_judged_before_credentials(bench: Bench) -> None:
    """E2 step 4 before 6: and no validator is asked."""
    only_inside = all_of(network("10.0.0.0/8"), "read")
    for token in (None, "good", "bad", "not one token68"):
        assert await bench.refuse(token, only_inside) is Kind.NETWORK
    assert bench.validator.asked == []
    await bench.protect("good", only_inside, client=("10.1.2.3", 5))


async def test_an_oversized_field_is_found_out_before_the_network(bench: Bench) -> None:
    """E2 step 3 before 4."""
    assert await bench.refuse("x" * 16_400, all_of(network("10.0.0.0/8"))) is Kind.OVERSIZED_CREDENTIALS


async def test_the_client_is_seen_through_trusted_proxies_only(bench: Bench) -> None:
    """T29: forwarding headers of a stranger are ignored."""
    inside = all_of(network("10.0.0.0/8"))
    forwarded = [(b"authorization", b"Bearer good"), (b"x-forwarded-for", b"10.1.2.3")]
    assert await bench.refuse(None, inside, headers=forwarded) is Kind.NETWORK
    await bench.protect(None, inside, headers=forwarded, client=(PROXY, 5))
    assert [decision.client for decision in bench.decisions] == ["192.0.2.1", "10.1.2.3"]


async def test_a_scope_is_granted_by_one_that_includes_it(bench: Bench) -> None:
    """DESIGN §4: declared hierarchies; the token itself stays as it was issued."""
    bench.knows("admin", scopes=frozenset({"admin"}))
    token = await bench.protect("admin", all_of("read"))
    assert token.scopes == {"admin"}
    assert not token.allows("read")
    assert await bench.refuse("admin", all_of("write")) is Kind.INSUFFICIENT_SCOPE


async def test_an_owner_is_a_subject_of_the_first_issuer(bench: Bench) -> None:
    """T1: with two issuers a partner mints ``sub: alice``."""
    bench.knows("partner", issuer="https://partner.example.com")
    mine = all_of(owner("user"))
    assert await bench.refuse("partner", mine, path_params={"user": "alice"}) is Kind.NOT_OWNER
    theirs = all_of(owner("user", issuer="https://partner.example.com"))
    await bench.protect("partner", theirs, path_params={"user": "alice"})
    assert await bench.refuse("good", theirs, path_params={"user": "alice"}) is Kind.NOT_OWNER


@pytest.mark.parametrize("path_params", [{}, None, {"other": "alice"}, {"user": None}])
async def test_an_owner_without_its_path_parameter_is_nobody(bench: Bench, path_params: Any) -> None:
    """A route that misnames its parameter refuses everybody."""
    assert await bench.refuse("good", all_of(owner("user")), path_params=path_params) is Kind.NOT_OWNER


async def test_a_validator_s_refusal_is_passed_on_and_told(bench: Bench) -> None:
    """D26: our own side's trouble, too."""
    bench.validator.refusal = refusal = Refusal(Kind.ISSUER_UNAVAILABLE, "no route to host")
    assert await bench.refuse("good") is Kind.ISSUER_UNAVAILABLE
    (decision,) = bench.decisions
    assert decision.refusal is refusal
    assert decision.token is None


async def test_observers_are_told_once_of_each_walk(bench: Bench, time: TurnableClock) -> None:
    """Told at the end: what was found out up to there."""
    await bench.protect("good", method="PUT")
    await bench.refuse("good", all_of("write"))
    await bench.refuse(None)
    assert [(one.kind, one.method, one.time) for one in bench.decisions] == [
        (None, "PUT", time.wall),
        (Kind.INSUFFICIENT_SCOPE, "GET", time.wall),
        (Kind.NO_CREDENTIALS, "GET", time.wall),
    ]
    assert [one.token is not None for one in bench.decisions] == [True, True, False]
    assert [one.digest is not None for one in bench.decisions] == [True, True, False]
    assert {one.route for one in bench.decisions} == {None}


async def test_an_observer_that_raises_is_logged_and_the_next_one_told(
    time: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """An observer's fault is not the caller's."""
    told: list[Decision] = []

    def fail(decision: Decision) -> None:
        raise OSError("disk full")

    bench = Bench(time, observers=[fail, told.append])
    await bench.protect("good")
    assert await bench.refuse("bad") is Kind.MALFORMED_TOKEN
    assert [one.kind for one in told] == [None, Kind.MALFORMED_TOKEN]
    assert [record.message for record in caplog.records] == ["an observer failed"] * 2


async def test_an_observer_of_refusals_alone_hears_of_no_grant(time: TurnableClock) -> None:
    """DESIGN §8: who is not interested costs a granted request nothing."""

    class Interested:
        refusals_only = True

        def __init__(self) -> None:
            self.told: list[Decision] = []

        def __call__(self, decision: Decision) -> None:
            self.told.append(decision)

    observer = Interested()
    bench = Bench(time, observers=[observer])
    await bench.protect("good")
    assert await bench.refuse("bad") is Kind.MALFORMED_TOKEN
    assert [decision.kind for decision in bench.decisions] == [None, Kind.MALFORMED_TOKEN]
    assert [decision.kind for decision in observer.told] == [Kind.MALFORMED_TOKEN]


async def test_tokens_are_told_apart_by_every_character(bench: Bench) -> None:
    """T10: the memory's key is all of SHA-256 over the exact token."""
    bench.knows("gooD", subject="bob")
    assert [(await bench.protect(name)).subject for name in ("good", "gooD", "good")] == ["alice", "bob", "alice"]
    assert bench.validator.asked == ["good", "gooD"]


def test_what_is_known_of_a_request_shows_no_credentials(bench: Bench) -> None:
    """Habit 19: a repr ends in logs."""
    walk = bench.protector.begin()
    walk.credentials = Credentials("Bearer", "canary", b"canary")
    assert "canary" not in repr(walk)


def test_nobody_s_token_has_no_time_left(bench: Bench, time: TurnableClock) -> None:
    """T32: a stream without a token would be judged at once."""
    walk = bench.protector.begin()
    assert bench.protector.seconds_left(walk) == 0.0
    walk.token, walk.leeway = bench.validator.tokens["good"], 30.0
    time.turn(100)
    assert bench.protector.seconds_left(walk) == 230.0
