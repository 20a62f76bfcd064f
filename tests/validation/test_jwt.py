import base64
import traceback
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import RSAKey

from resource_server.credentials import Credentials
from resource_server.development.minting import OMIT, Mint, SigningKey
from resource_server.issuers.algorithms import ALGORITHMS
from resource_server.issuers.fetch import Fetched
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwk_set import Key
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.refusals import Kind, Refusal
from resource_server.validation import compact
from resource_server.validation.claims import rules_of
from resource_server.validation.jwt import MAX_KNOWN_HEADERS, JwtValidator, check_signature
from tests.issuers.key_kinds import FITTING, private_key, public_jwk, signing_key
from tests.issuers.publisher import URL, Publisher
from tests.turnable_clock import TurnableClock
from tests.validation.conftest import API, Refused, validator_of

FORGER = SigningKey.generate("ES256", kid=signing_key("ES256").kid)
"""A key of the attacker's, under the name of the issuer's."""


async def test_a_good_token_becomes_facts_that_rest_on_its_key(validator: JwtValidator, mint: Mint) -> None:
    """RFC 9068 §4; T7: each remembered token bears its key's thumbprint and its issuer's generation."""
    verified = await validator.validate(Credentials("Bearer", mint.access_token(scope="a b"), b""))
    assert verified.token.scopes == {"a", "b"}
    assert verified.token.issuer == URL
    assert verified.thumbprint == mint.keys[0].private_key.thumbprint()
    assert verified.leeway == 30.0
    assert verified.is_current()


@pytest.mark.parametrize(
    ("kind", "algorithm"), [(kind, name) for kind, names in FITTING.items() for name in sorted(names)]
)
async def test_every_algorithm_of_the_table_verifies_a_token(time: TurnableClock, kind: str, algorithm: str) -> None:
    """RS-9068-4-e, RS-7518-3.1-a: with the issuer's key, and with no other."""
    key = SigningKey(algorithm, private_key(kind), "k")
    mint = Mint(URL, [key], clock=lambda: time.wall, audience=API)
    publisher = Publisher()
    publisher.answer = {"keys": [public_jwk(other, kid="k") for other in FITTING]}
    validator = validator_of(publisher, time.clock)
    token = mint.access_token()
    assert (await validator.validate(Credentials("Bearer", token, b""))).token.subject == "alice"
    head, body, signature = token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[len(raw) // 2] ^= 1
    for spoiled in (bytes(raw), bytes(raw[:-1]), bytes(raw) + b"\0", b"\0" * len(raw), b"\xff" * len(raw)):
        forged = f"{head}.{body}.{base64.urlsafe_b64encode(spoiled).decode().rstrip('=')}"
        with pytest.raises(Refusal) as caught:
            await validator.validate(Credentials("Bearer", forged, b""))
        assert caught.value.kind is Kind.BAD_SIGNATURE


@pytest.mark.parametrize(
    "alg", ["none", "None", "noNE", "HS256", "HS512", "ES384", "es256", "RS256", "", "RSA-OAEP", "Ed448"]
)
async def test_another_algorithm_than_the_allowed_is_refused(time: TurnableClock, mint: Mint, alg: str) -> None:
    """RS-7518-3.1-a, RS-7518-3.6-a: to the letter, before any key is looked up."""
    publisher = Publisher(*mint.keys)
    validator = validator_of(publisher, time.clock, algorithms=("ES256",))
    with pytest.raises(Refusal) as caught:
        await validator.validate(Credentials("Bearer", mint.access_token(header={"alg": alg}), b""))
    assert caught.value.kind is Kind.WRONG_ALGORITHM
    assert publisher.fetches == 0


ORDER: list[tuple[dict[str, Any], dict[str, Any], Kind]] = [
    ({"typ": "JWT"}, {"iss": "https://evil.example"}, Kind.WRONG_TOKEN_TYPE),
    ({"alg": "none"}, {"iss": "https://evil.example"}, Kind.WRONG_ISSUER),
    ({"alg": "none", "kid": "unknown"}, {}, Kind.WRONG_ALGORITHM),
    ({"kid": "unknown"}, {"aud": "https://other.example"}, Kind.UNKNOWN_KEY),
    ({}, {"aud": "https://other.example", "exp": 0, "sub": OMIT, "nbf": 9e9}, Kind.BAD_SIGNATURE),
]


@pytest.mark.parametrize(("header", "claims", "kind"), ORDER, ids=[kind.value for _, _, kind in ORDER])
async def test_the_first_failure_wins(
    refused: Refused, mint: Mint, header: dict[str, Any], claims: dict[str, Any], kind: Kind
) -> None:
    """E2, steps 7 to 9: syntax, typ, iss, alg, kid, signature, and only then the other claims."""
    assert await refused(mint.access_token(header=header, key=FORGER, **claims)) is kind


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"aud": "https://other.example"}, Kind.WRONG_AUDIENCE),
        ({"aud": OMIT}, Kind.WRONG_AUDIENCE),
        ({"sub": OMIT}, Kind.INVALID_CLAIM),
        ({"client_id": OMIT}, Kind.INVALID_CLAIM),
        ({"jti": OMIT}, Kind.INVALID_CLAIM),
        ({"iat": OMIT}, Kind.INVALID_CLAIM),
        ({"exp": OMIT}, Kind.INVALID_CLAIM),
        ({"exp": "9999999999"}, Kind.INVALID_CLAIM),
        ({"exp": float("nan")}, Kind.MALFORMED_TOKEN),
        ({"exp": float("inf")}, Kind.MALFORMED_TOKEN),
        ({"nbf": 9_999_999_999}, Kind.NOT_YET_VALID),
        ({"iat": 9_999_999_999}, Kind.NOT_YET_VALID),
        ({"scope": 1}, Kind.INVALID_CLAIM),
        ({"iss": OMIT}, Kind.WRONG_ISSUER),
        ({"iss": URL + "/"}, Kind.WRONG_ISSUER),
        ({"exp": 0}, None),
        ({"cnf": {"jkt": "x"}}, None),
    ],
    ids=str,
)
async def test_the_claims_of_a_signed_token_are_judged(
    refused: Refused, mint: Mint, claims: dict[str, Any], kind: Kind | None
) -> None:
    """RS-9068-2.2-a, RS-7519-4.1.4-a; expiry and confirmation are the protector's, on every request (E2)."""
    assert await refused(mint.access_token(**claims)) is kind


@pytest.mark.parametrize(
    "typ", ["JWT", "dpop+jwt", "logout+jwt", "secevent+jwt", "id_token+jwt", "token-introspection+jwt", OMIT], ids=str
)
async def test_any_other_jwt_of_the_issuer_is_no_access_token(refused: Refused, mint: Mint, typ: object) -> None:
    """RS-8725-3.12-a, RS-9701-8.1-a, T18: with our audience and every claim that an access token has."""
    assert await refused(mint.access_token(header={"typ": typ})) is Kind.WRONG_TOKEN_TYPE


async def test_the_worst_id_token_is_no_access_token(refused: Refused, mint: Mint) -> None:
    """T18: our audience, azp, roles, sid, no nonce, no at_hash."""
    claims: dict[str, Any] = {"azp": "app", "roles": ["admin"], "sid": "s", "scope": "notes:read"}
    assert await refused(mint.access_token(header={"typ": "JWT"}, **claims)) is Kind.WRONG_TOKEN_TYPE


async def test_an_encrypted_token_is_refused(refused: Refused, mint: Mint) -> None:
    """RS-8725-3.3-a, RS-9068-4-b: no decryption was agreed upon; five parts are no JWS."""
    key = RSAKey.import_key(public_jwk("RSA"))
    token = jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A128GCM", "typ": "at+jwt"}, b"{}", key)
    assert await refused(token) is Kind.MALFORMED_TOKEN


async def test_a_token_without_kid_is_accepted_where_one_key_fits(
    refused: Refused, publisher: Publisher, mint: Mint, time: TurnableClock
) -> None:
    """RS-7517-4.5-a, ruling 15."""
    token = mint.access_token(header={"kid": OMIT})
    assert await refused(token) is None
    publisher.publish(*mint.keys, signing_key("ES256", 1))
    two = validator_of(publisher, time.clock)
    with pytest.raises(Refusal) as caught:
        await two.validate(Credentials("Bearer", token, b""))
    assert caught.value.kind is Kind.UNKNOWN_KEY


async def test_the_keys_of_one_issuer_judge_no_token_of_another(time: TurnableClock) -> None:
    """RS-8725-3.8-a: token of issuer A, signed by issuer B's key of the same kid."""
    a, b = SigningKey.generate(kid="k"), SigningKey.generate(kid="k")
    publishers = {URL + "/k": Publisher(a), "https://b.example/k": Publisher(b)}
    issuers = [Issuer(url=url, audience=API, jwks_uri=url + "/k") for url in (URL, "https://b.example")]

    async def fetch(url: str) -> Fetched:
        return await publishers[url](url)

    validator = JwtValidator(TrustedIssuers(issuers, clock=time.clock, fetch=fetch), time.clock)
    mint = Mint(URL, [a], clock=lambda: time.wall, audience=API)
    assert (await validator.validate(Credentials("Bearer", mint.access_token(), b""))).token.issuer == URL
    for token in (mint.access_token(key=b), mint.access_token(iss="https://b.example")):
        with pytest.raises(Refusal) as caught:
            await validator.validate(Credentials("Bearer", token, b""))
        assert caught.value.kind is Kind.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("claims", "forces"),
    [
        ({}, True),
        ({"aud": "https://other.example"}, False),
        ({"exp": 0}, False),
        ({"exp": OMIT}, False),
        ({"nbf": 9_999_999_999}, False),
        ({"sub": OMIT}, False),
    ],
    ids=str,
)
async def test_only_a_token_that_would_pass_costs_the_issuer_a_request(
    refused: Refused, publisher: Publisher, mint: Mint, claims: dict[str, Any], forces: bool
) -> None:
    """T22: alg, typ, iss, aud and exp are looked at before a fetch is forced."""
    assert await refused(mint.access_token()) is None
    for number in range(5):
        assert await refused(mint.access_token(header={"kid": f"x{number}"}, **claims)) is Kind.UNKNOWN_KEY
    assert publisher.fetches == (3 if forces else 1)
    for header in ({"kid": "x", "typ": "JWT"}, {"kid": "x", "alg": "none"}):
        assert await refused(mint.access_token(header=header)) in {Kind.WRONG_TOKEN_TYPE, Kind.WRONG_ALGORITHM}
    assert publisher.fetches == (3 if forces else 1)


async def test_what_a_validation_rests_on_is_withdrawn_while_it_waits(
    validator: JwtValidator, publisher: Publisher, mint: Mint
) -> None:
    """T7: a validation that finishes after the withdrawal is a miss from the start."""
    verified = await validator.validate(Credentials("Bearer", mint.access_token(), b""))
    publisher.publish(signing_key("ES256", 1))
    later = mint.access_token(key=signing_key("ES256", 1))
    assert (await validator.validate(Credentials("Bearer", later, b""))).token.subject == "alice"
    assert not verified.is_current()


async def test_a_known_header_never_lends_itself_to_another_token(refused: Refused, mint: Mint) -> None:
    """Design §8: the reading of a header is remembered, its judgement is not."""
    assert await refused(mint.access_token()) is None
    assert await refused(mint.access_token(key=FORGER)) is Kind.BAD_SIGNATURE
    assert await refused(mint.access_token(header={"typ": "JWT"})) is Kind.WRONG_TOKEN_TYPE
    assert await refused(mint.access_token(header={"crit": ["x"]})) is Kind.MALFORMED_TOKEN


async def test_headers_of_any_number_are_read_right(refused: Refused, mint: Mint) -> None:
    """T28: what is remembered is bounded, and nothing depends on it."""
    for number in range(MAX_KNOWN_HEADERS + 2):
        assert await refused(mint.access_token(header={"n": number})) is None
    assert await refused(mint.access_token(header={"n": 0})) is None


async def test_no_refusal_shows_the_token(validator: JwtValidator, mint: Mint) -> None:
    """RS-6750-5.3-a, T35: before the signature is verified nothing of the token is worth writing down."""
    for header in ({"typ": "canary"}, {"alg": "canary"}, {"kid": "canary"}, {"crit": ["canary"]}):
        token = mint.access_token(header=header, sub="canary", key=FORGER)
        with pytest.raises(Refusal) as caught:
            await validator.validate(Credentials("Bearer", token, b""))
        shown = f"{caught.value!r} {''.join(traceback.format_exception_only(caught.value))} {caught.value.__cause__!r}"
        assert "canary" not in shown
        assert token.split(".")[1] not in shown


def test_the_rules_are_the_issuers() -> None:
    """Design §5."""
    issuer = Issuer(url=URL, audience=[API, "b"], leeway=5, scope_claim="scp", roles_claim=["a", "b"], groups_claim="g")
    rules = rules_of(issuer, URL)
    assert rules.audience == {API, "b"}
    assert (rules.issuer, rules.leeway) == (URL, 5)
    assert (rules.scope_claim, rules.roles_claim, rules.groups_claim) == ("scp", ("a", "b"), ("g",))
    assert rules.entitlements_claim == ("entitlements",)


async def test_whatever_the_library_raises_at_a_signature_is_a_refusal(mint: Mint) -> None:
    """T28, ruling 24: never a 500; the library's text stays in the chained cause."""
    broken = Key("k", ALGORITHMS["ES256"], "thumbprint", None, object())
    with pytest.raises(Refusal) as caught:
        check_signature(compact.parse(mint.access_token()), broken)
    assert (caught.value.kind, caught.value.reason) == (Kind.BAD_SIGNATURE, "AttributeError")
    assert isinstance(caught.value.__cause__, AttributeError)
