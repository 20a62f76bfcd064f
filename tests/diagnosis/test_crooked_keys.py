"""Issuers whose key set has a fault, over real sockets: what is wrong is found, and the cure named."""

import gzip
import json
from typing import Any

import pytest

from resource_server.commands.doctor import render
from resource_server.diagnosis import diagnose
from tests.diagnosis.crooked import (
    KEY,
    KEYS,
    Routes,
    assert_shut,
    at,
    crooked,
    document,
    keys,
    marks,
)
from tests.issuers.key_kinds import private_key, public_jwk, rsa_jwk
from tests.issuers.loopback import answers
from tests.turnable_clock import TurnableClock

GOOD = json.dumps({"keys": [KEY.public_jwk]}).encode()


def key(*jwks: dict[str, Any]) -> Routes:
    """The issuer publishes these beside its good key."""
    return lambda origin: {KEYS: keys(KEY.public_jwk, *jwks)}


def only(*jwks: Any) -> Routes:
    """It publishes nothing else."""
    return lambda origin: {KEYS: keys(*jwks)}


KEY_SETS = [
    pytest.param(
        lambda origin: {KEYS: answers(b"", status="302 Found", headers=f"location: {origin}/k\r\n")},
        "key_set",
        (
            "status 302, a redirect to {origin}/k; none is followed",
            "",
            "RESOURCE_SERVER_JWKS_URI gives another address",
        ),
        id="redirect",
    ),
    pytest.param(
        lambda origin: {KEYS: answers(b"<!doctype html><title>Log in</title>")},
        "key_set",
        ("the answer is no JSON: {origin}/keys", "", "such as a login page"),
        id="html",
    ),
    pytest.param(
        lambda origin: {KEYS: answers(GOOD, length=9999)},
        "key_set",
        ("the answer ends early", "", "RESOURCE_SERVER_JWKS_URI gives another address"),
        id="truncated",
    ),
    pytest.param(
        lambda origin: {KEYS: answers(gzip.compress(GOOD), headers="content-encoding: gzip\r\n")},
        "key_set",
        ("the answer is compressed", "", "send it uncompressed"),
        id="compressed",
    ),
    pytest.param(
        lambda origin: {KEYS: answers(b'{"a": "' + b"x" * 1024 * 1024 + b'"}')},
        "key_set",
        ("the answer is larger than 1048576 bytes", "", "1048576 bytes are read at most"),
        id="too-large",
    ),
    pytest.param(
        lambda origin: {KEYS: document({"jwks": []})},
        "keys",
        ("the document has no keys array", "a JWK Set (RFC 7517 §5)", "RESOURCE_SERVER_JWKS_URI gives another"),
        id="no-key-set",
    ),
    pytest.param(
        only(),
        "keys",
        ("the key set is empty", "a key for one of RS256, PS256", "publish the keys by which it signs access tokens"),
        id="empty",
    ),
    pytest.param(
        only(public_jwk("P-384", kid="a")),
        "keys",
        (
            "none of 1 keys is usable; they offer ES384",
            "a key for one of RS256",
            "set RESOURCE_SERVER_ALGORITHMS=ES384",
        ),
        id="another-algorithm",
    ),
    pytest.param(
        only(public_jwk("secp256k1", kid="a", alg="ES256K")),
        "keys",
        ("none of 1 keys is usable; they offer ES256K", "a key for one of RS256", "publish the keys by which it signs"),
        id="an-algorithm-that-can-not-be-allowed",
    ),
    pytest.param(
        only(public_jwk("P-256", kid="a", use="enc")),
        "keys",
        ("none of 1 keys is usable", "a key for one of RS256", "publish the keys by which it signs"),
        id="for-encryption-alone",
    ),
    pytest.param(
        only(public_jwk("RSA", kid="a"), rsa_jwk() | {"kid": "a"}),
        "keys",
        ("none of 2 keys is usable", "a key for one of RS256", "publish the keys by which it signs"),
        id="nothing-but-one-kid",
    ),
]


@pytest.mark.parametrize(("routes", "name", "expected"), KEY_SETS)
async def test_a_key_set_that_keeps_all_tokens_out_is_wrong(
    time: TurnableClock, routes: Routes, name: str, expected: tuple[str, str, str]
) -> None:
    """DESIGN §6; RS-7517-4-a, DESIGN §9."""
    await assert_shut(routes, time, name, expected)


PRIVATE = private_key("P-256").as_dict(private=True)

SKIPPED = [
    pytest.param(
        key(PRIVATE | {"kid": "a"}),
        "✘",
        "kid a, EC P-256: not used (a private or secret key is published)",
        "let the issuer replace this key at once",
        id="private",
    ),
    pytest.param(
        key(public_jwk("oct", kid="a")),
        "✘",
        "kid a, oct: not used (a private or secret key is published)",
        "let the issuer replace this key at once",
        id="secret",
    ),
    pytest.param(
        key(rsa_jwk(1024) | {"kid": "a"}),
        "!",
        "kid a, RSA 1024 bits: not used (an RSA key of 1024 bits)",
        "by one that can be used (2048 to 4096 bits, exponent 65537): tokens that it signs are refused",
        id="1024-bits",
    ),
    pytest.param(
        key(public_jwk("P-256", kid="a") | {"x": "AA"}),
        "!",
        "kid a, EC P-256: not used (",
        "tokens that it signs are refused",
        id="broken",
    ),
    pytest.param(
        key(rsa_jwk() | {"kid": "a"}, rsa_jwk(2056) | {"kid": "a"}),
        "!",
        "kid a: not used, several keys share it (RS256, PS256)",
        "let the issuer give each key a kid of its own",
        id="duplicate-kid",
    ),
    pytest.param(key("text"), "!", "a key that is no object: not used (not an object)", "refused", id="no-object"),  # type: ignore[arg-type]
    pytest.param(
        key(public_jwk("RSA", kid="a", use="enc")),
        "",
        "kid a, RSA 2048 bits: not used (use is not sig)",
        "",
        id="for-encryption",
    ),
    pytest.param(
        key({"kty": "AKP", "kid": "a", "alg": "ML-DSA-44"}),
        "",
        "kid a, AKP: not used (kty is none of RSA, EC, OKP)",
        "",
        id="unknown-kty",
    ),
    pytest.param(
        key(public_jwk("P-384", kid="a")),
        "",
        "kid a, EC P-384: not used (no allowed algorithm fits the key; RESOURCE_SERVER_ALGORITHMS could allow ES384)",
        "",
        id="not-allowed",
    ),
]


@pytest.mark.parametrize(("routes", "mark", "found", "cure"), SKIPPED)
async def test_a_key_that_is_not_used_is_named_with_its_reason(
    time: TurnableClock, routes: Routes, mark: str, found: str, cure: str
) -> None:
    """RS-7517-4-a: it spoils no other; what issuers publish on purpose is no warning."""
    async with crooked(routes) as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert marks(diagnosis) == ({"key": mark} if mark else {})
    [check] = [one for one in diagnosis.checks if one.found.startswith(found)]
    assert cure in check.cure
    assert f"kid {KEY.kid}, EC P-256: for ES256" in [one.found for one in diagnosis.checks]
    assert str(PRIVATE["d"]) not in render(diagnosis)
