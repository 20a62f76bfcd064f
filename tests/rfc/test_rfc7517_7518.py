"""RFC 7517, RFC 7518 and RFC 9864: keys and algorithms."""

import json
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from resource_server import ConfigurationError
from resource_server.development.minting import OMIT, SigningKey
from resource_server.issuers.issuer import Issuer
from tests.issuers.key_kinds import rsa_jwk, signing_key
from tests.rfc.checklist import requirement
from tests.rfc.probe import ORIGIN, Probe
from tests.rfc.tokens import claims, compact, header, hmac_token, publishing

OTHER = SigningKey.generate("ES256")


@requirement("RS-7517-4-a")
async def test_rs_7517_4_a_what_is_not_understood_does_not_spoil_the_set(small: Probe) -> None:
    """RFC 7517 §4, §5: unknown kinds, unknown members and rubbish are skipped."""
    good = small.issuer.mint.keys[0].public_jwk | {"future": [1], "x5c": ["rubbish"], "ext": True}
    rubbish: list[Any] = [
        {"kty": "FUTURE", "kid": "a"},
        {},
        None,
        "key",
        7,
        [],
        {"kty": "EC", "kid": "b", "crv": "P-999"},
    ]
    rubbish += [{"kty": "RSA", "n": 5}, {"kty": "EC", "kid": 7}, {"kty": "oct", "k": "c2VjcmV0", "kid": good["kid"]}]
    api = await small.but(fetch=publishing(small, *rubbish, good)).control()
    assert await api.status(api.issuer.mint.access_token(key=OTHER, scope="orders:read")) == 401


@requirement("RS-7517-4-a")
@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"use": "enc"}, id="use-enc"),
        pytest.param({"use": "SIG"}, id="use-in-another-case"),
        pytest.param({"use": OMIT, "key_ops": ["encrypt"]}, id="key-ops-encrypt"),
        pytest.param({"use": OMIT, "key_ops": ["sign"]}, id="key-ops-sign"),
        pytest.param({"use": OMIT, "key_ops": []}, id="key-ops-empty"),
        pytest.param({"alg": "ES384"}, id="alg-of-another-curve"),
        pytest.param({"alg": "ECDH-ES"}, id="alg-of-encryption"),
        pytest.param({"kty": "RSA"}, id="kty-of-another-kind"),
        pytest.param({"crv": "P-384"}, id="crv-of-another-size"),
    ],
)
async def test_rs_7517_4_a_a_key_is_used_for_what_it_is_published_for(small: Probe, members: dict[str, object]) -> None:
    """RFC 7517 §4.2 to §4.4; an encryption key of the same kid does not stand in the way of the other."""
    unfit = {name: value for name, value in (OTHER.public_jwk | members).items() if value is not OMIT}
    token = small.issuer.mint.access_token(key=OTHER, scope="orders:read")
    fit = small.but(fetch=publishing(small, small.issuer.mint.keys[0].public_jwk, OTHER.public_jwk))
    assert await fit.status(token) == 200
    api = await small.but(fetch=publishing(small, small.issuer.mint.keys[0].public_jwk, unfit)).control()
    assert await api.status(token) == 401
    twins = small.but(fetch=publishing(small, unfit, OTHER.public_jwk))
    assert await twins.status(token) == 200


@requirement("RS-7517-4.5-a")
async def test_rs_7517_4_5_a_without_a_kid_there_must_be_one_key(small: Probe) -> None:
    """RFC 7517 §4.5; ruling 15: no trial of all keys."""
    token = small.token(header={"kid": OMIT})
    one = small.but()
    two = small.but(fetch=publishing(small, small.issuer.mint.keys[0].public_jwk, OTHER.public_jwk))
    assert [await api.status(token) for api in (one, two)] == [200, 401]
    assert await two.status(small.token()) == 200


@requirement("RS-7517-4.5-a")
async def test_rs_7517_4_5_a_a_new_key_costs_one_fetch(small: Probe) -> None:
    """RFC 7517 §4.5: rotation refuses no good token."""
    before = len(small.issuer.requests)
    small.issuer.mint.keys.insert(0, OTHER)
    assert [await small.status(small.token()) for _ in range(5)] == [200] * 5
    assert len(small.issuer.requests) - before == 1


@requirement("RS-7517-4.5-a")
async def test_rs_7517_4_5_a_a_flood_of_unknown_kids_is_not_passed_on(small: Probe) -> None:
    """RFC 7517 §4.5; T22: a burst of two fetches, then one in ten seconds."""
    fetched = [url for url in small.issuer.requests if url.endswith("/jwks")]
    tokens = [small.token(header={"kid": f"unknown-{number}"}) for number in range(200)]
    assert {await small.status(token) for token in tokens} == {401}
    assert len([url for url in small.issuer.requests if url.endswith("/jwks")]) - len(fetched) <= 2
    assert await small.status(small.token()) == 200


@requirement("RS-7517-x-a")
async def test_rs_7517_x_a_keys_of_one_kid_are_told_apart_by_their_kind(small: Probe) -> None:
    """FAPI 2.0 §5.4.3: an EC, an RSA and an Edwards key that share a kid."""
    keys = [SigningKey(name, signing_key(name).private_key, "same") for name in ("ES256", "RS256", "Ed25519")]
    api = small.but(fetch=publishing(small, *(key.public_jwk for key in keys)))
    assert [await api.status(api.token(key=key)) for key in keys] == [200, 200, 200]


@requirement("RS-7518-3.1-a")
@pytest.mark.parametrize(
    "alg", ["es256", "Es256", "ES256 ", "none", "noNE", "HS256", "RS256", "PS256", "ES384", "", "A128KW"]
)
async def test_rs_7518_3_1_a_alg_is_one_of_a_list_to_the_letter(small: Probe, alg: str) -> None:
    """RFC 7518 §3.1: the signature is ES256's, and the header says something else."""
    assert await small.status(small.token(header={"alg": "ES256"})) == 200
    assert await small.status(small.token(header={"alg": alg})) == 401


@requirement("RS-7518-3.1-a")
@pytest.mark.parametrize("alg", [None, 256, True, ["ES256"], {"alg": "ES256"}, OMIT])
async def test_rs_7518_3_1_a_alg_is_a_text(small: Probe, alg: object) -> None:
    """RFC 7515 §4.1.1."""
    assert await small.status(small.token(header={"alg": alg})) == 401


@requirement("RS-7518-3.1-a")
async def test_rs_7518_3_1_a_a_public_key_is_no_shared_secret(small: Probe) -> None:
    """RFC 8725 §2.1: the classic confusion, in every spelling of the public key."""
    for key in (small.issuer.mint.keys[0], signing_key("RS256")):
        api = small.but(fetch=publishing(small, key.public_jwk))
        assert await api.status(api.token(key=key)) == 200
        pem, der = key.private_key.as_pem(private=False), key.private_key.as_der(private=False)
        jwk, empty = json.dumps(key.public_jwk).encode(), b""
        for secret in (pem, pem.strip(), der, jwk, key.kid.encode(), empty):
            assert await api.status(hmac_token(api, secret, kid=key.kid)) == 401


@requirement("RS-7518-3.1-a")
async def test_rs_7518_3_1_a_the_list_is_the_issuers_own(small: Probe) -> None:
    """RFC 8725 §3.1: a published key does not make its algorithm an accepted one."""
    rsa, ec = signing_key("RS256"), small.issuer.mint.keys[0]
    both = publishing(small, rsa.public_jwk, ec.public_jwk)
    for allowed, expected in ((("RS256",), [200, 401]), (("ES256",), [401, 200]), (("ES256", "RS256"), [200, 200])):
        api = small.but(trust={"algorithms": allowed}, fetch=both)
        assert [await api.status(api.token(key=key)) for key in (rsa, ec)] == expected


@requirement("RS-7518-3.1-a")
@pytest.mark.parametrize(
    "algorithms", [[], ["none"], ["NONE"], ["HS256"], ["ES256", "HS512"], ["es256"], "ES256", ["RSA-OAEP"]]
)
def test_rs_7518_3_1_a_a_list_that_is_not_strict_ends_the_start(algorithms: Any) -> None:
    """RFC 7518 §3.1: not even by configuration, nor by an empty list."""
    with pytest.raises(ConfigurationError):
        Issuer(url="https://id.example.com", audience=ORIGIN, algorithms=algorithms)


@requirement("RS-7518-3.6-a")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
@pytest.mark.parametrize("signature", ["", "AA", "good"])
async def test_rs_7518_3_6_a_an_unsecured_token_is_refused(small: Probe, alg: str, signature: str) -> None:
    """RFC 7518 §3.6: with an empty signature, with rubbish, with one that a good token had."""
    good = small.token()
    unsecured = compact(header(small, alg=alg), claims(small), b"")
    assert await small.status(good) == 200
    assert await small.status(unsecured + (good.rpartition(".")[2] if signature == "good" else signature)) == 401


@requirement("RS-7518-3.3-a")
async def test_rs_7518_3_3_a_an_rsa_key_has_at_least_2048_bits(small: Probe) -> None:
    """RFC 7518 §3.3, §3.5: a shorter one is left out as the set is read, with a 2048 bit one beside it."""
    with pytest.warns(Warning, match="2048"):
        short = SigningKey("RS256", RSAKey.generate_key(1024), "short")
    fit = signing_key("RS256")
    api = small.but(fetch=publishing(small, short.public_jwk, fit.public_jwk, rsa_jwk(2047), rsa_jwk(512)))
    assert [await api.status(api.token(key=key)) for key in (fit, short)] == [200, 401]


@requirement("RS-7518-3.3-a")
@pytest.mark.parametrize(
    ("alg", "of"), [("ES256", "ES384"), ("ES256", "ES512"), ("ES384", "ES256"), ("ES512", "ES384")]
)
async def test_rs_7518_3_3_a_the_curve_is_the_algorithms(small: Probe, alg: str, of: str) -> None:
    """RFC 7518 §3.4: ES256 goes with P-256 and with no other curve, though the arithmetic would."""
    key = SigningKey(alg, signing_key(of).private_key, "odd")
    unnamed = {name: value for name, value in key.public_jwk.items() if name != "alg"}
    api = small.but(trust={"algorithms": ("ES256", "ES384", "ES512")}, fetch=publishing(small, unnamed))
    proper = SigningKey(of, signing_key(of).private_key, "odd")
    assert await api.status(api.token(key=proper)) == 200
    assert await api.status(api.token(key=key)) == 401


@requirement("RS-9864-a")
@pytest.mark.parametrize("said_by_key", ["Ed25519", "EdDSA", None])
@pytest.mark.parametrize("said_by_token", ["Ed25519", "EdDSA"])
async def test_rs_9864_a_both_names_of_ed25519_are_understood(
    small: Probe, said_by_token: str, said_by_key: str | None
) -> None:
    """RFC 9864: the key and the token may name it differently, as long as the issuer's list has the token's name."""
    key = signing_key("Ed25519")
    jwk = {name: value for name, value in key.public_jwk.items() if name != "alg"} | (
        {"alg": said_by_key} if said_by_key else {}
    )
    token = small.token(key=key, header={"alg": said_by_token})
    for allowed in ("Ed25519", "EdDSA"):
        api = small.but(trust={"algorithms": (allowed,)}, fetch=publishing(small, jwk))
        assert await api.status(token) == (200 if allowed == said_by_token else 401)
