"""Key sets in which some keys are bad: the others stand, and no token of a bad one is good."""

from typing import Any

import pytest

from resource_server.development.minting import SigningKey
from tests.faults.scene import Scene
from tests.faults.scripted_issuer import KEYS, NEW, NEWER, OLD, OPENID, ScriptedIssuer
from tests.issuers.key_kinds import private_key, public_jwk, rsa_jwk, signing_key

RSA = signing_key("RS256")
PRIVATE = NEW.private_key.as_dict(private=True)

BAD_KEYS = [
    pytest.param(None, id="null"),
    pytest.param("key", id="text"),
    pytest.param([], id="array"),
    pytest.param({}, id="empty"),
    pytest.param({"kty": "XYZ", "kid": NEW.kid}, id="unknown-type"),
    pytest.param({"kty": ["EC"], "kid": NEW.kid}, id="type-is-no-text"),
    pytest.param(NEW.public_jwk | {"kid": 1}, id="kid-is-no-text"),
    pytest.param(NEW.public_jwk | {"x": "AAAA"}, id="off-the-curve"),
    pytest.param(NEW.public_jwk | {"x": None}, id="no-number"),
    pytest.param(NEW.public_jwk | {"x": "\ud800"}, id="lone-surrogate"),
    pytest.param(NEW.public_jwk | {"crv": "P-999"}, id="unknown-curve"),
    pytest.param(NEW.public_jwk | {"use": "enc"}, id="for-encryption"),
    pytest.param(NEW.public_jwk | {"key_ops": ["sign"]}, id="for-another-operation"),
    pytest.param(NEW.public_jwk | {"alg": "ES384"}, id="for-another-algorithm"),
    pytest.param(PRIVATE | {"kid": NEW.kid}, id="private"),
    pytest.param(rsa_jwk(1024) | {"kid": NEW.kid}, id="weak"),
    pytest.param(rsa_jwk(16_384) | {"kid": NEW.kid}, id="costly"),
    pytest.param(rsa_jwk(2048, 3) | {"kid": NEW.kid}, id="unusual-exponent"),
    pytest.param(public_jwk("oct", kid=NEW.kid), id="shared-secret"),
    pytest.param(public_jwk("X25519", kid=NEW.kid), id="for-key-agreement"),
    pytest.param(public_jwk("secp256k1", kid=NEW.kid), id="curve-that-is-not-allowed"),
]


@pytest.mark.parametrize("bad", BAD_KEYS)
async def test_one_bad_key_spoils_no_other(scene: Scene, issuer: ScriptedIssuer, bad: Any) -> None:
    """Design §9, RS-7517-4-a; a token of the bad key forces one fetch and is the client's fault."""
    issuer.key_set = {"keys": [OLD.public_jwk, bad, RSA.public_jwk]}
    assert await scene.statuses([issuer.token(key=key) for key in (OLD, RSA) * 10]) == {200}
    assert issuer.count() == {OPENID: 1, KEYS: 1}
    assert [await scene.status(issuer.token(key=NEW)) for _ in range(10)] == [401] * 10
    assert issuer.count() == {KEYS: 1}


async def test_all_bad_keys_at_once_leave_the_good_one(scene: Scene, issuer: ScriptedIssuer) -> None:
    """Design §9."""
    issuer.key_set = {"keys": [*(row.values[0] for row in BAD_KEYS), OLD.public_jwk]}
    assert await scene.status(issuer.token()) == 200
    assert await scene.status(issuer.token(key=NEW)) == 401


async def test_an_empty_set_lets_nobody_in_and_is_no_fault_of_the_issuer(scene: Scene, issuer: ScriptedIssuer) -> None:
    """T7: authoritative, so 401 and not 503; /readyz is content."""
    issuer.publish()
    assert await scene.status(issuer.token(key=OLD)) == 401
    assert (await scene.ask(None, "/readyz")).status == 200


async def test_two_keys_of_one_kid_and_algorithm_are_good_for_nothing(scene: Scene, issuer: ScriptedIssuer) -> None:
    """RS-7517-x-a: no trial of both; a third key and the same key twice are no matter."""
    twin = SigningKey("ES256", NEW.private_key, OLD.kid)
    issuer.publish(OLD, twin, NEWER)
    assert await scene.status(issuer.token(key=OLD)) == 401
    assert await scene.status(issuer.token(key=twin)) == 401
    assert await scene.status(issuer.token(key=NEWER)) == 200


async def test_one_key_that_is_published_twice_is_one_key(scene: Scene, issuer: ScriptedIssuer) -> None:
    """RS-7517-x-a."""
    issuer.publish(OLD, OLD)
    assert await scene.status(issuer.token()) == 200


async def test_one_kid_for_keys_of_two_kinds_is_told_apart_by_the_algorithm(
    scene: Scene, issuer: ScriptedIssuer
) -> None:
    """RS-7517-x-a, FAPI 2.0 §5.4.3: kty, use, alg and crv."""
    issuer.publish(SigningKey("RS256", private_key("RSA"), "one"), SigningKey("ES256", OLD.private_key, "one"))
    for key in issuer.mint.keys:
        assert await scene.status(issuer.token(key=key)) == 200
    assert issuer.count() == {OPENID: 1, KEYS: 1}
