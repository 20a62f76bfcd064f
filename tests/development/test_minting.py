"""The mint, before anything of ours reads what it makes."""

import json
import math
from typing import Any

import jwt
import pytest
from joserfc.jwk import RSAKey
from jwt.algorithms import OKPAlgorithm

from resource_server.development.minting import ALGORITHMS, OMIT, Mint, SigningKey
from resource_server.development.short_memory import ShortMemory
from tests.development.visitor import DAY, TurnableClock

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def verified(token: str, jwk: dict[str, Any]) -> dict[str, Any]:
    """The claims, if PyJWT finds the signature good."""
    jws = jwt.PyJWS()
    jws.register_algorithm("Ed25519", OKPAlgorithm())  # PyJWT has it under its older name alone
    key = jwt.PyJWK(jwk, "EdDSA" if jwk["kty"] == "OKP" else jwk["alg"]).key
    claims: dict[str, Any] = json.loads(jws.decode(token, key, algorithms=[jwk["alg"]]))
    return claims


def header_of(token: str) -> dict[str, Any]:
    return dict(jwt.get_unverified_header(token))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_verifies_against_the_published_key(algorithm: str) -> None:
    """RFC 7515 §5.2, judged by PyJWT."""
    mint = Mint("https://id.example.com", [SigningKey.generate(algorithm)])
    [jwk] = mint.jwks()["keys"]

    token = mint.access_token(sub="alice")

    assert header_of(token) == {"typ": "at+jwt", "alg": algorithm, "kid": jwk["kid"]}
    assert verified(token, jwk)["sub"] == "alice"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_key_set_shows_public_halves_only(algorithm: str) -> None:
    """RFC 7517 §9.2: a private key must be kept from everybody."""
    key = SigningKey.generate(algorithm)

    assert not PRIVATE_MEMBERS & key.public_jwk.keys()
    assert key.public_jwk.items() >= {"kid": key.kid, "use": "sig", "alg": algorithm}.items()
    assert key.kid == key.private_key.thumbprint()  # RFC 7638


def test_a_key_shows_nothing_of_itself_in_a_repr() -> None:
    """DESIGN.md §3 and T37: a log line may hold a repr."""
    key = SigningKey.generate("ES256", kid="here")

    assert repr(key) == "SigningKey(algorithm='ES256', kid='here')"
    assert repr(Mint("https://id.example.com", [key])) == f"Mint('https://id.example.com', [{key!r}])"


def test_a_key_for_an_algorithm_that_nobody_may_use_is_not_made() -> None:
    """DESIGN.md: contradictory options fail at construction."""
    with pytest.raises(ValueError, match="'HS256'"):
        SigningKey.generate("HS256")
    with pytest.raises(ValueError, match="'none'"):
        SigningKey("none", RSAKey.generate_key(2048))


def test_an_access_token_has_all_that_rfc_9068_demands() -> None:
    """RFC 9068 §2.2."""
    mint = Mint("https://id.example.com", clock=TurnableClock(), audience="https://notes.example.com")

    claims = verified(mint.access_token(), mint.jwks()["keys"][0])

    assert claims.pop("jti") != verified(mint.access_token(), mint.jwks()["keys"][0])["jti"]
    assert claims == {
        "iss": "https://id.example.com",
        "sub": "alice",
        "client_id": "example-client",
        "aud": "https://notes.example.com",
        "iat": int(DAY),
        "exp": int(DAY) + 300,
    }


def test_claims_and_header_parameters_can_be_replaced_added_and_left_out() -> None:
    """The mint's own promise: tests need tokens that are wrong in one way."""
    mint = Mint("https://id.example.com")

    token = mint.access_token(
        header={"typ": "JWT", "kid": OMIT, "nonce": "n"}, exp=0, sub=OMIT, aud=["a", "b"], scope="orders:read"
    )

    assert header_of(token) == {"typ": "JWT", "alg": "ES256", "nonce": "n"}
    claims = verified(token, mint.jwks()["keys"][0])
    assert "sub" not in claims
    assert (claims["exp"], claims["aud"], claims["scope"]) == (0, ["a", "b"], "orders:read")
    assert repr(OMIT) == "OMIT"


def test_a_header_that_lies_does_not_change_how_a_token_is_signed() -> None:
    """The mint's own promise: it makes the tokens of an algorithm confusion attack (RFC 8725 §2.1)."""
    mint = Mint("https://id.example.com")

    token = mint.access_token(header={"alg": "HS256"})

    assert header_of(token)["alg"] == "HS256"
    signing_input, _, signature = token.rpartition(".")
    assert jwt.algorithms.get_default_algorithms()["ES256"].verify(
        signing_input.encode(),
        jwt.PyJWK(mint.jwks()["keys"][0]).key,
        jwt.utils.base64url_decode(signature),
    )


def test_a_token_can_be_signed_with_a_key_that_is_not_published() -> None:
    """The mint's own promise: it makes forgeries."""
    mint = Mint("https://id.example.com")
    published = mint.jwks()["keys"][0]

    forged = mint.access_token(key=SigningKey.generate("ES256", kid=published["kid"]))

    assert header_of(forged)["kid"] == published["kid"]
    with pytest.raises(jwt.InvalidSignatureError):
        verified(forged, published)


def test_keys_rotate_by_changing_the_list() -> None:
    """The mint's own promise: the first key signs, all are published."""
    mint = Mint("https://id.example.com", [SigningKey.generate("ES256", kid="old")])

    mint.keys.insert(0, SigningKey.generate("ES256", kid="new"))

    assert [jwk["kid"] for jwk in mint.jwks()["keys"]] == ["new", "old"]
    assert header_of(mint.access_token())["kid"] == "new"


def test_any_jwt_can_be_signed_even_one_that_is_no_json() -> None:
    """The mint's own promise: no default claims; bytes stand as they are."""
    mint = Mint("https://id.example.com")
    [jwk] = mint.jwks()["keys"]

    assert verified(mint.sign({"events": {}}, {"typ": "logout+jwt"}), jwk) == {"events": {}}
    assert math.isnan(verified(mint.sign({"exp": math.nan}), jwk)["exp"])
    twice = mint.sign(b'{"sub":"a","sub":"b"}', b'{"alg":"ES256","alg":"none"}')
    header, payload, _ = (jwt.utils.base64url_decode(part) for part in twice.split("."))
    assert (header, payload) == (b'{"alg":"ES256","alg":"none"}', b'{"sub":"a","sub":"b"}')


def test_what_is_good_once_is_good_once_and_not_for_long() -> None:
    """RFC 6749 §4.1.2, at the bound and one past it."""
    clock = TurnableClock()
    values: ShortMemory[int] = ShortMemory(lifetime=60, bound=2, now=clock)
    for number in range(3):
        values.put(str(number), number)

    assert len(values) == 2
    assert values.take("0") is None  # pushed out
    assert values.get("1") == values.take("1") == 1
    assert values.take("1") is None
    clock.time += 59.5
    assert values.get("2") == 2
    clock.time += 0.5
    assert values.take("2") is None
