from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from resource_server.issuers import jwk_set
from resource_server.issuers.algorithms import ALGORITHMS, DEFAULT
from resource_server.issuers.jwk_set import JwkSet, Skipped
from tests.issuers.key_kinds import FITTING, KINDS, private_key, public_jwk, rsa_jwk, sign

ALL = tuple(ALGORITHMS)
TEXT = b"header.payload"


def read(*jwks: Any, allowed: tuple[str, ...] = ALL) -> JwkSet:
    return jwk_set.read({"keys": list(jwks)}, allowed)


def algorithms_of(keys: JwkSet, kid: str | None = "k") -> set[str]:
    """Which algorithms a token with that kid may be signed by."""
    return {name for name in ALL if keys.find(kid, name)}


def reason(jwk: Any, allowed: tuple[str, ...] = ALL) -> str:
    """Why the only key of a set was skipped."""
    keys = read(jwk, allowed=allowed)
    assert keys.keys == ()
    [skipped] = keys.skipped
    return skipped.reason


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_found_for_the_algorithms_that_fit_it_and_no_other(kind: str) -> None:
    """T16, RS-7518-3.3-a: the cross product of all kinds and all algorithms."""
    keys = read(public_jwk(kind, kid="k"))
    assert algorithms_of(keys) == FITTING.get(kind, set())
    for name in ("none", "HS256", "HS384", "HS512", "ES256K", "Ed448", "RSA-OAEP", "dir", ""):
        assert keys.find("k", name) is None


@pytest.mark.parametrize("kind", FITTING)
def test_a_signature_verifies_with_its_own_key_and_algorithm_alone(kind: str) -> None:
    """T16: ES256 with a P-384 key, RS256 for PS256 and every other pair of the cross product verify nothing."""
    keys = read(*(public_jwk(other, kid=other) for other in KINDS)).keys
    assert {(key.kid, key.algorithm.name) for key in keys} == {
        (k, name) for k, names in FITTING.items() for name in names
    }
    for name in FITTING[kind]:
        signature = sign(kind, name, TEXT)
        same = {"EdDSA", "Ed25519"} if kind == "Ed25519" else {name}
        for key in keys:
            good = key.kid == kind and key.algorithm.name in same
            assert key.verify(TEXT, signature) is good
            assert not key.verify(TEXT + b"x", signature)
            assert not key.verify(TEXT, b"")
            assert not key.verify(TEXT, signature + b"\x00")


@pytest.mark.parametrize("alg", [*ALL, "none", "HS256", "ES256K", "Ed448", "RSA-OAEP", "", None, 1, ["RS256"]], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_names_an_algorithm_is_used_with_no_other(kind: str, alg: Any) -> None:
    """RS-8725-3.1-a, RS-7517-4-a, CVE-2026-48523; the two names of Ed25519 are one (RS-9864-a)."""
    named = {"Ed25519", "EdDSA"} if alg in ("Ed25519", "EdDSA") else {alg} if isinstance(alg, str) else set()
    assert algorithms_of(read(public_jwk(kind, kid="k", alg=alg))) == named & FITTING.get(kind, set())


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_not_used_for_algorithms_that_the_operator_did_not_allow(kind: str) -> None:
    """RS-7518-3.1-a: the allow-list is the issuer's."""
    keys = read(public_jwk(kind, kid="k"), allowed=DEFAULT)
    assert algorithms_of(keys) == FITTING.get(kind, set()) & set(DEFAULT)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        pytest.param({"use": "enc"}, "use is not sig", id="use-enc"),
        pytest.param({"use": None}, "use is not sig", id="use-null"),
        pytest.param({"use": ["sig"]}, "use is not sig", id="use-array"),
        pytest.param({"use": "SIG"}, "use is not sig", id="use-in-capitals"),
        pytest.param({"key_ops": ["sign"]}, "key_ops has no verify", id="sign-only"),
        pytest.param({"key_ops": ["encrypt"]}, "key_ops has no verify", id="encrypt"),
        pytest.param({"key_ops": []}, "key_ops has no verify", id="no-operation"),
        pytest.param({"key_ops": "verify"}, "key_ops has no verify", id="key_ops-text"),
        pytest.param({"key_ops": None}, "key_ops has no verify", id="key_ops-null"),
        pytest.param({"kid": 1}, "kid is no text", id="kid-number"),
        pytest.param({"kid": ["k"]}, "kid is no text", id="kid-array"),
        pytest.param({"kty": "ec"}, "kty is none of RSA, EC, OKP", id="kty-in-small-letters"),
        pytest.param({"kty": "unknown"}, "kty is none of RSA, EC, OKP", id="kty-unknown"),
        pytest.param({"kty": None}, "kty is none of RSA, EC, OKP", id="kty-null"),
    ],
)
@pytest.mark.parametrize("kind", FITTING)
def test_a_key_for_another_purpose_is_skipped_with_the_reason(kind: str, members: dict[str, Any], why: str) -> None:
    """RS-7517-4-a: use, key_ops, kty."""
    assert reason(public_jwk(kind, **({"kid": "k"} | members))) == why


@pytest.mark.parametrize(
    "members", [{"use": "sig"}, {"key_ops": ["verify"]}, {"use": "sig", "key_ops": ["sign", "verify"]}]
)
def test_a_key_for_signatures_is_used(members: dict[str, Any]) -> None:
    """RS-7517-4-a; members that are not understood are ignored (RFC 7517 §4)."""
    assert algorithms_of(read(public_jwk("P-256", kid="k", x5c=["?"], foo=1, **members))) == {"ES256"}


@pytest.mark.parametrize("kind", [*FITTING, "secp256k1"])
def test_a_published_private_key_is_skipped(kind: str) -> None:
    """T16: whoever can read it can sign with it."""
    assert reason(private_key(kind).as_dict(private=True)) == "a private key is published"


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_one_private_member_makes_a_private_key(member: str) -> None:
    """T16, RFC 7518 §6."""
    assert reason(public_jwk("RSA", **{member: "AQAB"})) == "a private key is published"


@pytest.mark.parametrize(
    ("bits", "exponent", "good"),
    [
        (512, 65537, False),
        (1024, 65537, False),
        (2040, 65537, False),
        (2047, 65537, False),
        (2048, 65537, True),
        (3072, 65537, True),
        (4096, 65537, True),
        (4097, 65537, False),
        (8192, 65537, False),
        (16384, 65537, False),
        (2048, 1, False),
        (2048, 2, False),
        (2048, 3, False),
        (2048, 17, False),
        (2048, 65535, False),
        (2048, 65539, False),
        (2048, 2**2047 + 3, False),
    ],
)
def test_rsa_keys_have_2048_to_4096_bits_and_the_usual_exponent(bits: int, exponent: int, good: bool) -> None:
    """T17, RS-7518-3.3-a: the attacker does not choose the price; each bound, and one past it."""
    keys = read(rsa_jwk(bits, exponent) | {"kid": "k"})
    assert algorithms_of(keys) == (FITTING["RSA"] if good else set())
    assert len(keys.skipped) == (0 if good else 1)


def test_a_point_that_is_not_on_the_curve_is_skipped() -> None:
    """RS-8725-3.4-a."""
    good = public_jwk("P-256")
    other = ECKey.generate_key("P-256").as_dict(private=False)
    assert read(good | {"y": other["y"]}).keys == ()
    assert read(good | {"x": "AA", "y": "AA"}).keys == ()


def test_a_bad_key_never_spoils_the_others() -> None:
    """RS-7517-4-a, RFC 7517 §5: unknown kinds, foreign curves, nonsense."""
    bad: list[Any] = [
        None,
        1,
        "key",
        [],
        {},
        {"kty": "RSA"},
        {"kty": ["RSA"]},
        {"kty": "EC", "crv": "P-256", "x": 1, "y": 2},
    ]
    bad += [public_jwk(kind, kid="k") for kind in ("secp256k1", "X25519", "oct")]
    bad += [public_jwk("RSA", kid="k", use="enc"), {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "kid": "k"}]
    keys = read(*bad[:6], public_jwk("P-256", kid="k"), *bad[6:])
    assert algorithms_of(keys) == {"ES256"}
    assert len(keys.skipped) == len(bad)


JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "A",
    "AA",
    "=",
    "é",
    "\x00",
    "A" * 50,
    "P-256",
    "P-384",
    "RSA",
    "EC",
]
junk = st.sampled_from([*JUNK, [], ["verify"], ["x"], {"a": 1}])
names = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "use", "alg", "kid", "key_ops", "x5c", "d"])


@given(
    st.sampled_from(["RSA", "P-256", "Ed25519"]), st.dictionaries(names, junk, max_size=3), st.sets(names, max_size=1)
)
def test_no_members_of_a_key_spoil_the_others(kind: str, changes: dict[str, Any], missing: set[str]) -> None:
    """RS-7517-4-a: what an issuer publishes is hostile input; a key is used or skipped, and nothing is raised."""
    spoiled = {name: value for name, value in (public_jwk(kind) | changes).items() if name not in missing}
    keys = read(spoiled, public_jwk("P-384", kid="good"))
    assert keys.find("good", "ES384") is not None
    assert len(keys.keys) > 1 or len(keys.skipped) == 1


def test_a_reason_names_the_kid_of_the_key() -> None:
    """Design §4: the operator is told which line is wrong."""
    assert read(public_jwk("RSA", kid="old", use="enc")).skipped == (Skipped("old", "use is not sig"),)
    assert read("nonsense").skipped == (Skipped(None, "not an object"),)
