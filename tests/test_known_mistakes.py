"""What has gone wrong in other software that validates JWTs: one test for each advisory, named after it."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from resource_server.credentials import Credentials
from resource_server.development.minting import OMIT, Mint, SigningKey
from resource_server.issuers.fetch import Fetched
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.refusals import Kind, Refusal
from resource_server.validation.jwt import JwtValidator
from resource_server.verified import VerifiedTokens
from tests.issuers.key_kinds import base64url, private_key, public_jwk, signing_key
from tests.issuers.publisher import URL, Publisher
from tests.turnable_clock import TurnableClock

API = "https://api.example.com"
RSA = SigningKey("RS256", private_key("RSA"), "rsa")
ATTACKER = SigningKey.generate("ES256")
EC = signing_key("ES256")

Refused = Callable[[str], Awaitable[Kind | None]]


@pytest.fixture
def mint(time: TurnableClock) -> Mint:
    """It signs with the EC key; the issuer publishes the RSA key, too."""
    return Mint(URL, [EC, RSA], clock=lambda: time.wall, audience=API)


@pytest.fixture
def publisher(mint: Mint) -> Publisher:
    return Publisher(*mint.keys)


@pytest.fixture
def validator(publisher: Publisher, time: TurnableClock) -> JwtValidator:
    issuer = Issuer(url=URL, audience=API, jwks_uri=URL + "/keys")
    return JwtValidator(TrustedIssuers([issuer], clock=time.clock, fetch=publisher), time.clock)


@pytest.fixture
def refused(validator: JwtValidator) -> Refused:
    async def kind_of(token: str) -> Kind | None:
        try:
            await validator.validate(Credentials("Bearer", token, b""))
        except Refusal as refusal:
            return refusal.kind
        return None

    return kind_of


@pytest.fixture(autouse=True)
async def a_good_token_is_accepted(refused: Refused, mint: Mint) -> None:
    """The positive control: a validator that refuses everything would pass all of these tests."""
    assert await refused(mint.access_token()) is None
    assert await refused(mint.access_token(key=RSA)) is None


def hmac_token(mint: Mint, secret: bytes, header: Mapping[str, Any]) -> str:
    """A token whose signature is an HMAC by that secret, with the claims of a good one."""
    payload = mint.access_token().split(".")[1]
    text = f"{base64url(json.dumps({'typ': 'at+jwt', **header}).encode())}.{payload}"
    return f"{text}.{base64url(hmac.digest(secret, text.encode(), 'sha256'))}"


def spellings() -> list[bytes]:
    """The public key in every spelling that an attacker may try as a secret."""
    key = private_key("RSA").public_key
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    texts = [key.public_bytes(encoding, form) for encoding in (pem, der) for form in (spki, pkcs1)]
    return [*texts, texts[0].strip(), json.dumps(public_jwk("RSA")).encode(), b""]


@pytest.mark.parametrize("alg", ["HS256", "none", "hs256"])
async def test_cve_2024_37568_a_token_does_not_choose_the_kind_of_algorithm(
    refused: Refused, mint: Mint, alg: str
) -> None:
    """Authlib: without a list of algorithms the header decides how the issuer's key is used."""
    for secret in spellings():
        assert await refused(hmac_token(mint, secret, {"alg": alg, "kid": "rsa"})) is Kind.WRONG_ALGORITHM
    with pytest.raises(ValueError, match="algorithms must be a list of at least one"):
        Issuer(url=URL, audience=API, algorithms=[])


@pytest.mark.parametrize("alg", ["RS256", "HS256"])
async def test_cve_2024_33663_a_public_key_is_no_hmac_secret_in_any_spelling(
    refused: Refused, mint: Mint, publisher: Publisher, alg: str
) -> None:
    """python-jose, and its DER bypass; also where the issuer publishes the text as a symmetric key."""
    publisher.answer["keys"].append(public_jwk("oct", kid="oct"))
    for secret in spellings():
        for kid in ("rsa", "oct"):
            assert await refused(hmac_token(mint, secret, {"alg": alg, "kid": kid})) is not None


@pytest.mark.parametrize(
    "crit", [["bork"], ["cnf"], ["alg"], ["b64"], [], ["bork", "bork"], "bork", None], ids=lambda crit: json.dumps(crit)
)
async def test_cve_2025_59420_unknown_crit_is_refused(refused: Refused, mint: Mint, crit: object) -> None:
    """Authlib before 1.6.4."""
    assert await refused(mint.access_token(header={"crit": crit, "bork": "x"})) is Kind.MALFORMED_TOKEN


@pytest.mark.parametrize("kid", [OMIT, "", "attacker", EC.kid], ids=str)
async def test_cve_2026_27962_the_tokens_own_jwk_is_no_key(refused: Refused, mint: Mint, kid: object) -> None:
    """Authlib JWS: no key was given, so the header's was taken; RS-7515-4.1.2-a."""
    header = {"jwk": ATTACKER.public_jwk, "kid": kid}
    assert await refused(mint.access_token(header=header, key=ATTACKER)) in {Kind.UNKNOWN_KEY, Kind.BAD_SIGNATURE}


@pytest.mark.parametrize("member", ["jwk", "x5c", "jku", "x5u"])
async def test_cve_2018_0114_a_token_never_names_its_own_key(
    refused: Refused, mint: Mint, publisher: Publisher, member: str
) -> None:
    """node-jose and its kind; no address from a token is ever fetched, and the member itself is just ignored."""
    value = {
        "jwk": ATTACKER.public_jwk,
        "x5c": ["MIIB"],
        "jku": "https://evil.example/k",
        "x5u": "https://evil.example/c",
    }
    forged = mint.access_token(header={member: value[member], "kid": EC.kid}, key=ATTACKER)
    assert await refused(forged) is Kind.BAD_SIGNATURE
    assert await refused(mint.access_token(header={member: value[member]})) is None
    assert publisher.addresses == {"https://id.example.com/keys"}


@pytest.mark.parametrize("parts", [3, 5])
async def test_cve_2026_27932_no_token_has_us_derive_a_key(refused: Refused, parts: int) -> None:
    """joserfc: an unbounded p2c of PBES2; RS-8725bis-3.13-a. Nothing is decrypted at all."""
    header = {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2**31 - 1, "p2s": "AAAA", "typ": "at+jwt"}
    token = ".".join([base64url(json.dumps(header).encode()), *["e30"] * (parts - 1)])
    assert await refused(token) is Kind.MALFORMED_TOKEN


@pytest.mark.parametrize(("named", "used"), [("PS256", "RS256"), ("RS256", "PS256")])
async def test_cve_2026_48523_the_algorithm_that_is_checked_is_the_one_that_verifies(
    time: TurnableClock, named: str, used: str
) -> None:
    """PyJWT: the header's alg was held against the list, the JWK's alg verified."""
    publisher = Publisher(SigningKey(named, private_key("RSA"), "rsa"))
    issuer = Issuer(url=URL, audience=API, jwks_uri=URL + "/keys", algorithms=[used])
    validator = JwtValidator(TrustedIssuers([issuer], clock=time.clock, fetch=publisher), time.clock)
    for signed in (named, used):
        mint = Mint(URL, [SigningKey(signed, private_key("RSA"), "rsa")], clock=lambda: time.wall, audience=API)
        for told in (named, used):
            with pytest.raises(Refusal):
                await validator.validate(Credentials("Bearer", mint.access_token(header={"alg": told}), b""))


async def test_cve_2026_48524_unknown_kids_do_not_flood_the_issuer(
    refused: Refused, mint: Mint, publisher: Publisher
) -> None:
    """PyJWT: PyJWKClient fetched again for each."""
    before = publisher.fetches
    tokens = [mint.access_token(header={"kid": f"random-{number}"}) for number in range(300)]
    assert {await refused(token) for token in tokens[:150]} == {Kind.UNKNOWN_KEY}
    assert set(await asyncio.gather(*map(refused, tokens[150:]))) == {Kind.UNKNOWN_KEY}
    assert publisher.fetches <= before + 2


@pytest.mark.parametrize("crit", [["b64"], OMIT], ids=["critical", "not-critical"])
async def test_cve_2026_48525_an_unencoded_payload_is_refused_before_it_is_read(
    validator: JwtValidator, mint: Mint, crit: object
) -> None:
    """PyJWT: work for a payload of b64=false; here the header alone refuses it."""
    token = mint.sign(b"[" * 10_000, {"typ": "at+jwt", "b64": False, "crit": crit})
    with pytest.raises(Refusal) as caught:
        await validator.validate(Credentials("Bearer", token, b""))
    assert caught.value.kind is Kind.MALFORMED_TOKEN
    assert caught.value.reason.startswith(("the header has critical members", "not a plain JWS"))


@pytest.mark.parametrize(
    "text",
    [
        b'{"sub":"alice","sub":"mallory"',
        rb'{"sub":"alice","\u0073ub":"mallory"',
        b'{"sub":"alice","x":{"a":1,"a":2}',
    ],
    ids=["twice", "escaped", "below"],
)
async def test_cve_2022_39227_no_second_reading_of_the_claims_is_possible(
    refused: Refused, mint: Mint, text: bytes
) -> None:
    """python-jwt: one parser verified, another one read; a claim that has two readings is refused even if signed."""
    good = base64.urlsafe_b64decode(mint.access_token(sub=OMIT).split(".")[1] + "==")
    assert await refused(mint.sign(text + b"," + good[1:], {"typ": "at+jwt"})) is Kind.MALFORMED_TOKEN
    head, body, signature = mint.access_token().split(".")
    flattened = json.dumps({"protected": head, "payload": body, "signature": signature})
    assert await refused(flattened) is Kind.MALFORMED_TOKEN


@pytest.mark.parametrize("iss", [OMIT, "https://evil.example", URL + "/", "", None, [URL]], ids=str)
async def test_cve_2026_22748_the_issuer_is_always_validated(refused: Refused, mint: Mint, iss: object) -> None:
    """Spring Security: only where configured; here no validator can be built without."""
    assert await refused(mint.access_token(iss=iss)) is Kind.WRONG_ISSUER


async def test_cve_2026_32301_no_address_is_built_from_an_unverified_claim(time: TurnableClock, mint: Mint) -> None:
    """Centrifugo: the JWKS URL came from iss and aud; here it comes from the configuration alone."""
    asked: list[str] = []

    async def fetch(url: str) -> Fetched:
        asked.append(url)
        return Fetched({"keys": [ATTACKER.public_jwk]})

    issuer = Issuer(url=URL, audience=API, jwks_uri=URL + "/keys")
    validator = JwtValidator(TrustedIssuers([issuer], clock=time.clock, fetch=fetch), time.clock)
    lies: list[dict[str, Any]] = [
        {"iss": "https://evil.example"},
        {"iss": URL + "/../evil"},
        {"aud": "https://evil.example"},
    ]
    for claims in lies:
        with pytest.raises(Refusal):
            await validator.validate(Credentials("Bearer", mint.access_token(key=ATTACKER, **claims), b""))
    assert set(asked) <= {URL + "/keys"}


async def test_cve_2023_51774_a_jwe_is_never_taken_for_a_jws(refused: Refused) -> None:
    """json-jwt: encrypted to the issuer's public key, which everybody has (RS-8725-3.3-a)."""
    header = base64url(b'{"alg":"RSA-OAEP","enc":"A128GCM","kid":"rsa","typ":"at+jwt"}')
    for token in (f"{header}.AAAA.AAAA.AAAA.AAAA", f"{header}.e30.AAAA"):
        assert await refused(token) is Kind.MALFORMED_TOKEN


@pytest.mark.parametrize("aud", [OMIT, [], "https://other.example", [API + ".evil.example"], None, {API: 1}], ids=str)
async def test_cve_2025_69196_a_token_for_another_resource_is_useless_here(
    refused: Refused, mint: Mint, aud: object
) -> None:
    """FastMCP, also CVE-2026-27124: tokens that were not bound to the resource made it a confused deputy."""
    assert await refused(mint.access_token(aud=aud)) is Kind.WRONG_AUDIENCE


async def test_cve_2025_64527_a_failed_fetch_and_several_tokens_are_so_many_503(
    time: TurnableClock, mint: Mint
) -> None:
    """Envoy jwt_authn: they entered the same fetcher again, and crashed it."""
    publisher = Publisher()
    publisher.fail()
    issuer = Issuer(url=URL, audience=API, jwks_uri=URL + "/keys")
    validator = JwtValidator(TrustedIssuers([issuer], clock=time.clock, fetch=publisher), time.clock)
    tokens = [Credentials("Bearer", mint.access_token(key=key), b"") for key in mint.keys * 50]
    outcomes = await asyncio.gather(*map(validator.validate, tokens), return_exceptions=True)
    kinds = [outcome.kind for outcome in outcomes if isinstance(outcome, Refusal)]
    assert kinds == [Kind.ISSUER_UNAVAILABLE] * 100
    assert publisher.fetches == 1


async def test_cwe_613_an_expired_token_is_never_served_from_memory(
    time: TurnableClock, validator: JwtValidator, mint: Mint
) -> None:
    """liboauth2 before 2.3.0; the 30 s are the leeway."""
    token = mint.access_token(exp=int(time.wall) + 60)
    digest, memory = hashlib.sha256(token.encode()).digest(), VerifiedTokens(2**20, time.clock)
    memory.put(digest, await validator.validate(Credentials("Bearer", token, digest)), len(token))
    time.turn(89)
    assert memory.get(digest) is not None
    time.turn(1)
    assert memory.get(digest) is None
