from typing import Any

import pytest

from resource_server.issuers import jwk_set
from resource_server.issuers.algorithms import ALGORITHMS
from resource_server.issuers.jwk_set import JwkSet
from tests.issuers.key_kinds import public_jwk, signing_key


def read(*jwks: Any) -> JwkSet:
    return jwk_set.read({"keys": list(jwks)}, tuple(ALGORITHMS))


def jwk(algorithm: str, number: int = 0, **members: Any) -> dict[str, Any]:
    """A published key; number tells keys of one algorithm apart."""
    return {name: value for name, value in (signing_key(algorithm, number).public_jwk | members).items() if value != ""}


@pytest.mark.parametrize(
    "document", [{}, {"keys": None}, {"keys": {}}, {"keys": "x"}, {"Keys": []}, {"jwks": []}], ids=str
)
def test_a_document_without_a_keys_array_is_no_jwk_set(document: dict[str, Any]) -> None:
    """RFC 7517 §5.1; T7: only a well-formed set is authoritative."""
    with pytest.raises(ValueError, match="no keys array"):
        jwk_set.read(document, tuple(ALGORITHMS))


def test_an_empty_set_is_a_set() -> None:
    """T7: authoritative even when empty."""
    assert read() == JwkSet((), (), {})


def test_a_set_may_have_1000_keys_and_no_more() -> None:
    """T28, RS-8414-2-a: bounds are part of the type."""
    assert len(read(*[None] * 1000).skipped) == 1000
    with pytest.raises(ValueError, match="more than 1000 keys"):
        read(*[None] * 1001)


def test_a_key_is_found_by_kid_and_algorithm() -> None:
    """RS-7517-4-a."""
    keys = read(jwk("ES256"), jwk("ES384"))
    found = keys.find("ES256-0", "ES256")
    assert found is not None
    assert found.thumbprint == signing_key("ES256").private_key.thumbprint()
    assert keys.find("ES256-0", "ES384") is None
    assert keys.find("es256-0", "ES256") is None
    assert keys.find("", "ES256") is None


@pytest.mark.parametrize("kid", ["../../etc/passwd", "' or 1=1 --", "k" * 10_000, "a\r\nb", "\u202e", ""], ids=ascii)
def test_a_hostile_kid_is_a_key_of_a_dictionary(kid: str) -> None:
    """RS-8725-3.10-a: compared, never interpreted."""
    assert read(jwk("ES256")).find(kid, "ES256") is None
    named = read(jwk("ES256") | {"kid": kid})
    assert named.find(kid, "ES256") is not None


def test_a_token_without_kid_gets_the_only_key_that_fits() -> None:
    """RS-7517-4.5-a, ruling 15: one usable key → accept; more → refuse; no trial of all keys."""
    assert read(jwk("ES256"), jwk("ES384")).find(None, "ES256") is not None
    assert read(jwk("ES256"), jwk("ES256", 1)).find(None, "ES256") is None
    assert read(jwk("ES256"), jwk("ES256", 1, use="enc")).find(None, "ES256") is not None


def test_a_key_without_kid_serves_tokens_without_kid_alone() -> None:
    """RFC 7515 §4.1.4: a kid that nobody published names no key."""
    keys = read(jwk("ES256", kid=""))
    assert keys.find(None, "ES256") is not None
    assert keys.find("ES256-0", "ES256") is None


def test_keys_that_share_a_kid_are_told_apart_by_algorithm() -> None:
    """RS-7517-x-a: kty, use, alg, crv."""
    keys = read(*(jwk(name, kid="k") for name in ("ES256", "ES384", "Ed25519")), public_jwk("RSA", kid="k", use="enc"))
    for name in ("ES256", "ES384", "Ed25519"):
        found = keys.find("k", name)
        assert found is not None
        assert found.thumbprint == signing_key(name).private_key.thumbprint()
    assert keys.find("k", "RS256") is None


def test_keys_that_share_kid_and_algorithm_are_not_used() -> None:
    """Ruling 15: no trial of several keys; the operator is told."""
    keys = read(jwk("ES256", kid="k"), jwk("ES256", 1, kid="k"))
    assert keys.find("k", "ES256") is None
    assert [(skipped.kid, skipped.reason) for skipped in keys.skipped] == [
        ("k", "2 keys share this kid and ES256; tokens can't choose")
    ]


def test_a_key_that_is_published_twice_is_one_key() -> None:
    """RFC 7517 §5: the same key under one kid, or under two, is no ambiguity."""
    same = read(jwk("ES256"), jwk("ES256"))
    assert same.find("ES256-0", "ES256") is not None
    assert same.find(None, "ES256") is not None
    two = read(jwk("ES256"), jwk("ES256", kid="second"))
    assert two.find("ES256-0", "ES256") is not None
    assert two.find("second", "ES256") is not None
    assert two.find(None, "ES256") is not None


def test_the_identity_is_what_can_be_verified_whatever_it_is_called() -> None:
    """T7: judged by thumbprint and usable algorithms, never by kid."""
    one = read(jwk("ES256"))
    assert one.identity == {(signing_key("ES256").private_key.thumbprint(), "ES256")}
    assert one.identity == read(jwk("ES256", kid="renamed")).identity
    assert one.identity != read(jwk("ES256", 1, kid="ES256-0")).identity
    assert one.identity < read(jwk("ES256"), jwk("ES256", 1)).identity
    assert one.identity > read(jwk("ES256", use="enc")).identity


def test_a_key_that_loses_an_algorithm_changes_the_identity() -> None:
    """T7: disabled for an algorithm is withdrawn for it."""
    both, one = read(public_jwk("RSA", kid="k")), read(public_jwk("RSA", kid="k", alg="PS256"))
    assert {name for _, name in both.identity} == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert {name for _, name in one.identity} == {"PS256"}


def test_a_key_that_tokens_can_no_longer_choose_is_not_in_the_identity() -> None:
    """T7: a key that a collision has disabled is as good as withdrawn."""
    assert read(jwk("ES256", kid="k"), jwk("ES256", 1, kid="k")).identity == frozenset()
    assert read(jwk("ES256", kid=""), jwk("ES256", 1, kid="")).identity == frozenset()
    assert len(read(jwk("ES256"), jwk("ES256", 1)).identity) == 2


def test_a_repr_shows_no_key() -> None:
    """RS-6750-5.3-a's spirit: logs hold no key material, not even a public one's."""
    keys = read(jwk("ES256"))
    assert jwk("ES256")["x"] not in repr(keys)
