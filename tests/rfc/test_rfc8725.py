"""RFC 8725: best current practice for JWTs."""

import json
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey, RSAKey

from resource_server import ConfigurationError
from resource_server.development.minting import OMIT, SigningKey
from resource_server.issuers.issuer import Issuer
from resource_server.testing import FakeIssuer
from tests.issuers.key_kinds import signing_key
from tests.rfc.checklist import requirement
from tests.rfc.probe import ORIGIN, Probe
from tests.rfc.tokens import base64url, claims, hmac_token, publishing, unbase64url

OTHER = SigningKey.generate("ES256")


@requirement("RS-8725-3.1-a")
@pytest.mark.parametrize(("of", "wrong"), [("RS256", "PS256"), ("PS256", "RS256"), ("RS256", "RS512")])
async def test_rs_8725_3_1_a_a_key_is_used_with_its_one_algorithm(small: Probe, of: str, wrong: str) -> None:
    """RFC 8725 §3.1: a key that is published for RS256 verifies no PS256, though it could."""
    right, misused = [SigningKey(name, signing_key("RS256").private_key, "rsa") for name in (of, wrong)]
    api = small.but(trust={"algorithms": (of, wrong)}, fetch=publishing(small, right.public_jwk))
    assert [await api.status(api.token(key=key)) for key in (right, misused)] == [200, 401]


@requirement("RS-8725-3.3-a")
@pytest.mark.parametrize(
    ("alg", "enc"), [("RSA-OAEP", "A256GCM"), ("RSA-OAEP-256", "A128CBC-HS256"), ("dir", "A128GCM")]
)
async def test_rs_8725_3_3_a_an_encrypted_token_is_not_taken_for_a_signed_one(small: Probe, alg: str, enc: str) -> None:
    """RFC 8725 §3.3, CVE-2023-51774: anybody can encrypt to a public key."""
    rsa = signing_key("RS256")
    api = small.but(fetch=publishing(small, rsa.public_jwk))
    assert await api.status(api.token(key=rsa)) == 200
    payload = json.dumps(claims(api)).encode()
    said = {"alg": alg, "enc": enc, "kid": rsa.kid, "typ": "at+jwt"}
    public: Any = (
        OctKey.import_key(b"k" * 16) if alg == "dir" else RSAKey.import_key(rsa.public_jwk | {"use": "enc", "alg": alg})
    )
    encrypted = jwe.encrypt_compact(said, payload, public, algorithms=[alg, enc])
    nested = jwe.encrypt_compact(said | {"cty": "JWT"}, api.token(key=rsa).encode(), public, algorithms=[alg, enc])
    for token in (encrypted, nested, ".".join(encrypted.split(".")[:3])):
        assert await api.status(token) == 401


@requirement("RS-8725-3.3-a")
async def test_rs_8725_3_3_a_a_header_with_enc_is_that_of_an_encrypted_token(small: Probe) -> None:
    """RFC 7516 §9: however well it is signed, it can't be both."""
    assert await small.status(small.token(header={"foo": "A128GCM"})) == 200
    assert await small.status(small.token(header={"enc": "A128GCM"})) == 401


@requirement("RS-8725-3.3-a")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "Ed25519"])
async def test_rs_8725_3_3_a_one_bit_spoils_the_token(small: Probe, algorithm: str) -> None:
    """RFC 8725 §3.3: of the signature, of the payload or of the header."""
    key = signing_key(algorithm)
    api = small.but(fetch=publishing(small, key.public_jwk))
    parts = api.token(key=key).split(".")
    assert await api.status(".".join(parts)) == 200
    for number, part in enumerate(parts):
        raw = bytearray(unbase64url(part))
        raw[len(raw) // 2] ^= 1
        spoilt = [*parts[:number], base64url(bytes(raw)), *parts[number + 1 :]]
        assert await api.status(".".join(spoilt)) == 401, number


@requirement("RS-8725-3.3-a")
@pytest.mark.parametrize("signature", [bytes(64), b"\x00" * 63 + b"\x01", b"\xff" * 64, bytes(8), bytes(128)])
async def test_rs_8725_3_3_a_an_empty_ecdsa_signature_proves_nothing(small: Probe, signature: bytes) -> None:
    """RFC 8725 §3.3, CVE-2022-21449: r and s of zero."""
    signed = small.token().rpartition(".")[0]
    assert await small.status(f"{signed}.{base64url(signature)}") == 401


@requirement("RS-8725-3.4-a")
async def test_rs_8725_3_4_a_a_point_off_the_curve_is_no_key(small: Probe) -> None:
    """RFC 8725 §3.4: such a key is left out, and the others stay."""
    jwk = OTHER.public_jwk
    moved = bytearray(unbase64url(jwk["y"]))
    moved[-1] ^= 1
    off = jwk | {"y": base64url(bytes(moved))}
    zero = jwk | {"x": base64url(bytes(32)), "y": base64url(bytes(32)), "kid": "zero"}
    api = await small.but(fetch=publishing(small, off, zero, small.issuer.mint.keys[0].public_jwk)).control()
    assert await api.status(api.token(key=OTHER)) == 401
    on = small.but(fetch=publishing(small, jwk))
    assert await on.status(on.token(key=OTHER)) == 200


@requirement("RS-8725-3.5-a")
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_rs_8725_3_5_a_no_shared_secret_can_be_configured(small: Probe, algorithm: str) -> None:
    """RFC 8725 §3.5: neither a memorable one nor any other; one that is published is not used."""
    with pytest.raises(ConfigurationError, match="shared secret"):
        Issuer(url="https://id.example.com", audience=ORIGIN, algorithms=[algorithm])
    secret = {"kty": "oct", "kid": "s", "k": base64url(b"correct horse battery staple"), "alg": algorithm}
    api = await small.but(fetch=publishing(small, secret, small.issuer.mint.keys[0].public_jwk)).control()
    assert await api.status(hmac_token(api, b"correct horse battery staple", kid="s")) == 401


@requirement("RS-8725-3.8-a")
async def test_rs_8725_3_8_a_the_key_belongs_to_the_issuer_that_the_token_names(small: Probe) -> None:
    """RFC 8725 §3.8: another issuer's key of the same kid verifies nothing here."""
    foreign = SigningKey("ES256", OTHER.private_key, small.issuer.mint.keys[0].kid)
    stranger = FakeIssuer("https://partner.example.com", now=lambda: small.time.wall)
    attempts = [
        small.token(key=foreign),
        small.token(iss=stranger.url),
        stranger.token(scope="orders:read"),
        stranger.mint.access_token(iss=small.issuer.url, scope="orders:read", header={"kid": foreign.kid}),
    ]
    assert [await small.status(token) for token in attempts] == [401] * 4
    assert [url for url in small.issuer.requests if not url.startswith(small.issuer.url + "/")] == []


@requirement("RS-8725-3.8-b")
async def test_rs_8725_3_8_b_a_user_is_an_issuer_and_a_subject(small: Probe) -> None:
    """RFC 8725 §3.8: another issuer's alice is not ours, nor is whoever has her address."""
    alice = small.token(sub="alice")
    assert await small.status(alice, "/mail/alice") == 200
    assert await small.status(alice, "/partner-mail/alice") == 403
    mallory = small.token(sub="mallory", email="alice", preferred_username="alice", username="alice", uid="alice")
    assert await small.status(mallory, "/mail/alice") == 403
    assert await small.status(small.token(sub="alice", client_id="alice"), "/mail/alice") == 403
    for other in ("Alice", "alice ", "alice\x00", "ａlice"):
        assert await small.status(small.token(sub=other), "/mail/alice") == 403


@requirement("RS-8725-3.9-a")
async def test_rs_8725_3_9_a_a_token_without_an_audience_is_refused(small: Probe) -> None:
    """RFC 8725 §3.9."""
    assert await small.status(small.token(aud=OMIT)) == 401
    with pytest.raises(ConfigurationError, match="audience"):
        Issuer(url="https://id.example.com", audience=())


@requirement("RS-8725-3.10-a")
@pytest.mark.parametrize(
    "text",
    [
        "../../etc/passwd",
        "' or 1=1 --",
        "a" * 10_000,
        "a\r\nset-cookie: b",
        "\x00",
        "${jndi:ldap://a}",
        "%s%n",
        "\u202e",
        "🙂",
    ],
)
async def test_rs_8725_3_10_a_claims_and_kid_are_hostile_text(
    small: Probe, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """RFC 8725 §3.10: as a kid, as the issuer, in each claim; nothing of it is in an answer or in a log."""
    caplog.set_level("DEBUG")
    assert await small.status(small.token(header={"kid": text})) == 401
    for name in ("iss", "aud", "scope", "sub", "client_id", "jti"):
        response = await small.ask("/admin/dashboard", token=small.token(**{name: text}))
        assert response.status_code == (401 if name in ("iss", "aud") else 403), name
        assert text not in response.text + str(response.headers)
    assert [record for record in caplog.records if text in record.getMessage()] == []


@requirement("RS-8725-3.10-a")
@pytest.mark.parametrize("kid", [None, 1, True, ["a"], {"a": 1}, ""])
async def test_rs_8725_3_10_a_a_kid_of_another_type_is_refused(small: Probe, kid: object) -> None:
    """RFC 8725 §3.10: never a failure of ours."""
    assert await small.status(small.token(header={"kid": kid})) == 401
