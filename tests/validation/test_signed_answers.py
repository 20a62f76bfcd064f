"""Signed introspection answers (RFC 9701): whatever is wrong with one is the server's fault, and no judgement."""

from collections.abc import Callable
from typing import Any

import pytest

from resource_server import ResourceServer
from resource_server.development.minting import OMIT, SigningKey
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.issuers.introspection_endpoint import Answered
from resource_server.testing import FakeIssuer
from tests.introspecting import API, GOOD, URL, Endpoint, active, issuer, judge, kind, members, refusal, server
from tests.rfc.tokens import base64url
from tests.turnable_clock import TurnableClock

TYPE = "application/token-introspection+jwt"


class Signing:
    """An issuer that signs its answers."""

    def __init__(self, mint: FakeIssuer, endpoint: Endpoint, time: TurnableClock) -> None:
        self.mint, self.endpoint, self.time = mint, endpoint, time
        self.say()

    def jwt(self, *, header: Any = None, key: SigningKey | None = None, **claims: Any) -> str:
        """A signed answer; by default a good one."""
        said = {"iss": URL, "aud": "api", "iat": self.time.wall, "token_introspection": members(self.time)} | claims
        said = {name: value for name, value in said.items() if value is not OMIT}
        return self.mint.mint.sign(said, {"typ": "token-introspection+jwt"} | (header or {}), key=key)

    def say(self, *, content_type: str = TYPE, **options: Any) -> None:
        """From now on, answer so."""
        self.answer(self.jwt(**options), content_type)

    def answer(self, text: str, content_type: str = TYPE) -> None:
        """From now on, answer this text."""
        self.endpoint.fail(Answered(200, content_type, text.encode()))


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


@pytest.fixture
def signing(make_issuer: Callable[..., FakeIssuer], endpoint: Endpoint, time: TurnableClock) -> Signing:
    return Signing(make_issuer(URL), endpoint, time)


@pytest.fixture
def api(signing: Signing, endpoint: Endpoint, time: TurnableClock) -> ResourceServer:
    return server(time, endpoint, issuer(signed=True), fetch=signing.mint.fetch)


async def test_a_good_signed_answer_is_believed(api: ResourceServer, endpoint: Endpoint) -> None:
    """RS-9701-4-a, RS-9701-5-a: the control of everything below."""
    token = await judge(api, GOOD, "orders:read")
    assert (token.subject, token.client_id, token.scopes) == ("alice", "shop", frozenset({"orders:read"}))
    assert endpoint.questions[0].headers["accept"] == TYPE


async def test_a_signed_answer_may_say_that_a_token_is_not_active(api: ResourceServer, signing: Signing) -> None:
    """RFC 9701 §5."""
    signing.say(token_introspection={"active": False})
    assert await kind(api) == "revoked"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"header": {"typ": "Token-Introspection+JWT"}}, id="typ-in-any-case"),
        pytest.param({"header": {"typ": TYPE}}, id="typ-in-full"),
        pytest.param({"content_type": TYPE}, id="content-type"),
        pytest.param({"aud": ["https://other.example.com", "api"]}, id="several-audiences"),
        pytest.param({"aud": API}, id="our-identifier"),
        pytest.param({"iat": 1_800_000_000 - 90}, id="oldest"),
        pytest.param({"iat": 1_800_000_000 + 30}, id="youngest"),
        pytest.param({"header": {"kid": OMIT}}, id="no-kid-and-one-key"),
    ],
)
async def test_what_rfc_9701_leaves_free_is_accepted(
    api: ResourceServer, signing: Signing, options: dict[str, Any]
) -> None:
    """RFC 9701 §5: ``aud`` names this resource server, by its client's id or by its identifier."""
    signing.say(**options)
    assert await kind(api) is None


FAULTS = [
    pytest.param({"header": {"typ": "at+jwt"}}, "'s typ is not token-introspection+jwt", id="typ-access-token"),
    pytest.param({"header": {"typ": "JWT"}}, "'s typ is not token-introspection+jwt", id="typ-jwt"),
    pytest.param({"header": {"typ": OMIT}}, "'s typ is not token-introspection+jwt", id="typ-missing"),
    pytest.param({"header": {"typ": 5}}, " is malformed", id="typ-a-number"),
    pytest.param({"header": {"alg": "none"}}, "'s alg is not on the issuer's allow-list", id="alg-none"),
    pytest.param({"header": {"alg": "HS256"}}, "'s alg is not on the issuer's allow-list", id="alg-hs256"),
    pytest.param({"header": {"alg": "ES384"}}, "'s alg is not on the issuer's allow-list", id="alg-not-ours"),
    pytest.param({"header": {"alg": "RS256"}}, "'s key is none of the issuer's", id="alg-of-another-key"),
    pytest.param({"header": {"alg": OMIT}}, " is malformed", id="alg-missing"),
    pytest.param({"header": {"crit": ["exp"]}}, " is malformed", id="critical"),
    pytest.param({"header": {"kid": "unknown"}}, "'s key is none of the issuer's", id="kid"),
    pytest.param({"iss": URL + "/"}, "'s iss is not the issuer", id="iss-another-spelling"),
    pytest.param({"iss": "https://evil.example"}, "'s iss is not the issuer", id="iss-another"),
    pytest.param({"iss": OMIT}, "'s iss is not the issuer", id="iss-missing"),
    pytest.param({"iss": [URL]}, "'s iss is not the issuer", id="iss-a-list"),
    pytest.param({"aud": "another-api"}, "'s aud is neither this API's client_id nor its audience", id="aud-another"),
    pytest.param({"aud": ["another-api"]}, "'s aud is neither this API's client_id nor its audience", id="aud-others"),
    pytest.param({"aud": []}, "'s aud is neither this API's client_id nor its audience", id="aud-nobody"),
    pytest.param({"aud": {"api": 1}}, "'s aud is neither this API's client_id nor its audience", id="aud-an-object"),
    pytest.param({"aud": OMIT}, "'s aud is neither this API's client_id nor its audience", id="aud-missing"),
    pytest.param({"aud": "ap"}, "'s aud is neither this API's client_id nor its audience", id="aud-the-beginning"),
    pytest.param({"iat": 1_800_000_000 - 90.5}, " is not fresh", id="iat-stale"),
    pytest.param({"iat": 1_800_000_000 + 30.5}, " is not fresh", id="iat-future"),
    pytest.param({"iat": 0}, " is not fresh", id="iat-long-ago"),
    pytest.param({"iat": "1800000000"}, " has no iat", id="iat-a-text"),
    pytest.param({"iat": True}, " has no iat", id="iat-a-truth-value"),
    pytest.param({"iat": OMIT}, " has no iat", id="iat-missing"),
    pytest.param({"token_introspection": OMIT, "active": True}, " has no token_introspection", id="members-outside"),
    pytest.param({"token_introspection": None}, " has no token_introspection", id="members-null"),
    pytest.param({"token_introspection": [{"active": True}]}, " has no token_introspection", id="members-a-list"),
    pytest.param({"token_introspection": "{}"}, " has no token_introspection", id="members-a-text"),
]


@pytest.mark.parametrize(("options", "said"), FAULTS)
async def test_a_signed_answer_with_a_fault_is_no_judgement(
    api: ResourceServer, signing: Signing, options: dict[str, Any], said: str
) -> None:
    """RS-9701-5-a: 503, and never 401: the token may be good."""
    signing.say(**options)
    refused = await refusal(api)
    assert refused is not None
    assert refused.kind.value == "issuer_unavailable"
    assert refused.reason == f"introspection at {URL}: the signed answer{said}"


@pytest.mark.parametrize("members_", [{}, {"active": "true"}], ids=["missing", "text"])
async def test_a_signed_answer_without_a_word_on_active_is_no_judgement(
    api: ResourceServer, signing: Signing, members_: dict[str, str]
) -> None:
    """RS-7662-2.2-a."""
    signing.say(token_introspection=members_)
    assert "the answer's active is neither true nor false" in str(await refusal(api))


@pytest.mark.parametrize("content_type", ["application/jwt", "application/json"])
async def test_an_answer_of_another_type_than_a_signed_one_s_is_no_judgement(
    api: ResourceServer, signing: Signing, content_type: str
) -> None:
    """RS-9701-5-a: a downgrade, whatever it holds."""
    signing.say(content_type=content_type)
    refused = await refusal(api)
    assert refused is not None
    assert refused.reason == f"introspection at {URL}: the answer is not signed, as configured"


async def test_a_signature_of_anybody_else_is_no_judgement(api: ResourceServer, signing: Signing) -> None:
    """RS-9701-5-a: under the right kid, and with the good one's bytes but for a bit."""
    forger = SigningKey.generate("ES256", kid=signing.mint.mint.keys[0].kid)
    signing.say(key=forger)
    refused = await refusal(api)
    assert refused is not None
    assert refused.reason == f"introspection at {URL}: the signed answer's signature is not the issuer's"
    good = signing.jwt()
    signing.answer(good[:-6] + ("A" if good[-6] != "A" else "B") + good[-5:])
    assert "signature is not the issuer's" in str(await refusal(api))
    signing.answer(good)
    assert await kind(api) is None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="empty"),
        pytest.param("a.b.c", id="nonsense"),
        pytest.param('{"active": true}', id="plain-under-the-type-of-a-signed-one"),
        pytest.param("é.é.é", id="no-ascii"),
        pytest.param("a.b.c.d.e", id="encrypted"),
    ],
)
async def test_what_is_no_jws_is_no_judgement(api: ResourceServer, signing: Signing, answer: str) -> None:
    """RS-9701-5-b: encrypted answers are not asked for, and not read."""
    signing.answer(answer)
    assert "the signed answer is malformed" in str(await refusal(api))


async def test_members_given_twice_are_no_judgement(api: ResourceServer, signing: Signing) -> None:
    """T28: two readers would understand two things."""
    raw = signing.jwt().split(".")
    signing.answer(signing.mint.mint.sign(b'{"iss":"a","iss":"b"}', {"typ": "token-introspection+jwt"}))
    assert "malformed" in str(await refusal(api))
    header = base64url(b'{"alg":"ES256","alg":"none","typ":"token-introspection+jwt"}')
    signing.answer(".".join([header, *raw[1:]]))
    assert "malformed" in str(await refusal(api))


async def test_a_plain_answer_is_a_downgrade(api: ResourceServer, endpoint: Endpoint, time: TurnableClock) -> None:
    """RS-9701-5-a: whoever can replace the answer would also take its signature away."""
    endpoint.fail(active(time))
    refused = await refusal(api)
    assert refused is not None
    assert refused.kind.value == "issuer_unavailable"
    assert "is not signed, as configured" in refused.reason


async def test_a_signed_answer_that_nobody_asked_for_is_none(
    signing: Signing, endpoint: Endpoint, time: TurnableClock
) -> None:
    """Nor is it read without its signature's being checked."""
    assert await kind(server(time, endpoint, fetch=signing.mint.fetch)) == "issuer_unavailable"
    assert endpoint.questions[0].headers["accept"] == "application/json"


async def test_members_beside_token_introspection_are_ignored(api: ResourceServer, signing: Signing) -> None:
    """RS-9701-5-a: ``iss`` and ``aud`` there speak of the answer, and a ``scope`` there of nothing."""
    signing.say(scope="admin", sub="mallory", roles=["admin"], exp=1, client_id="another", active=False)
    token = await judge(api, GOOD)
    assert (token.subject, token.client_id, token.scopes, token.roles) == (
        "alice",
        "shop",
        frozenset({"orders:read"}),
        frozenset(),
    )


@pytest.mark.parametrize("header", [{}, {"typ": TYPE}], ids=["short", "full"])
@pytest.mark.parametrize("signed", [True, False])
async def test_a_signed_answer_is_no_access_token(
    signing: Signing, endpoint: Endpoint, time: TurnableClock, header: dict[str, str], signed: bool
) -> None:
    """RS-9701-8.1-a: it is a JWT of our issuer, for us, with a good signature; its ``typ`` tells them apart."""
    api = server(time, endpoint, issuer(signed=signed), fetch=signing.mint.fetch)
    answer = signing.jwt(header=header, sub="alice", client_id="shop", exp=time.wall + 60, jti="1", aud=["api", API])
    assert await kind(api, answer) == "wrong_token_type"
    assert endpoint.questions == []


async def test_without_keys_a_signed_answer_can_t_be_judged(endpoint: Endpoint, signing: Signing) -> None:
    """D26: and the refusal says so of the keys."""

    async def down(url: str) -> Fetched:
        raise FetchError("ConnectError")

    api = server(signing.time, endpoint, issuer(signed=True), fetch=down)
    refused = await refusal(api)
    assert refused is not None
    assert refused.kind.value == "issuer_unavailable"
    assert refused.retry_after is not None


async def test_our_own_checks_come_on_top_of_the_signature(api: ResourceServer, signing: Signing) -> None:
    """RS-7662-2.2-b."""
    for said, expected in (
        ({"exp": 1}, "expired"),
        ({"aud": "other"}, "wrong_audience"),
        ({"cnf": None}, "unconfirmed_token"),
        ({"iss": "https://evil.example"}, "wrong_issuer"),
    ):
        signing.say(token_introspection=members(signing.time, **said))
        assert await kind(api, expected) == expected
