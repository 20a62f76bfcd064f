"""Other libraries on the same token, as well as each can do it: keys imported beforehand, found by kid where the
library can, and the same claims demanded where it offers that.
"""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import jwt as pyjwt
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from jose import jwk as python_jose_jwk
from jose import jwt as python_jose
from joserfc import jwt as joserfc
from joserfc.jwk import KeySet
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jwt as jwcrypto

from tests.benchmarks.tokens import Subject

REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "client_id"]

Peer = Callable[[str], Mapping[str, Any]]
"""Answers the claims of a token; raises for one that is not good."""


def peers_of(subject: Subject, algorithm: str) -> dict[str, Callable[[], object]]:
    """The peers that can verify this algorithm: they accept the token, and refuse it with another signature."""
    found: dict[str, Callable[[], object]] = {}
    for name, make in PEERS.items():
        peer = None
        with contextlib.suppress(Exception):  # each has errors of its own for what it does not offer
            peer = make(subject, algorithm)
            assert peer(subject.token)["sub"] == "alice"
            found[name] = lambda peer=peer: peer(subject.token)  # type: ignore[misc]
        if name in found:
            assert peer is not None
            demand_refusal(name, peer, subject.token)
    return found


def demand_refusal(name: str, peer: Peer, token: str) -> None:
    """A row that verified nothing would be fast."""
    try:
        peer(token[:-40] + "A" * 38 + token[-2:])
    except Exception:  # noqa: BLE001 - each has its own
        return
    raise AssertionError(f"{name} accepts a forged token")


def by_pyjwt(subject: Subject, algorithm: str) -> Peer:
    """PyJWT, with the key looked up by kid."""
    keys = pyjwt.PyJWKSet.from_dict(subject.jwks)
    url, audience = subject.issuer.url, subject.issuer.audience

    def verify(token: str) -> Mapping[str, Any]:
        key = keys[pyjwt.get_unverified_header(token)["kid"]]
        claims: Mapping[str, Any] = pyjwt.decode(
            token, key, algorithms=[algorithm], audience=audience, issuer=url, options={"require": REQUIRED}
        )
        return claims

    return verify


def by_joserfc(subject: Subject, algorithm: str) -> Peer:
    """joserfc: a key set, and a registry of claims."""
    keys = KeySet.import_key_set(subject.jwks)  # type: ignore[arg-type]
    essential: dict[str, Any] = {name: {"essential": True} for name in REQUIRED}
    essential["iss"]["value"] = subject.issuer.url
    essential["aud"]["value"] = subject.issuer.audience
    registry = joserfc.JWTClaimsRegistry(**essential)

    def verify(token: str) -> Mapping[str, Any]:
        claims = joserfc.decode(token, keys, algorithms=[algorithm]).claims
        registry.validate(claims)
        return claims

    return verify


def by_authlib(subject: Subject, algorithm: str) -> Peer:
    """Authlib's validator of RFC 9068 tokens."""
    keys = KeySet.import_key_set(subject.jwks)  # type: ignore[arg-type]

    class Validator(JWTBearerTokenValidator):
        def get_jwks(self) -> KeySet:
            return keys

    validator: Any = Validator(subject.issuer.url, subject.issuer.audience)

    def verify(token: str) -> Mapping[str, Any]:
        claims: Mapping[str, Any] = validator.authenticate_token(token)
        validator.validate_token(claims, None, None)
        return claims

    return verify


def by_python_jose(subject: Subject, algorithm: str) -> Peer:
    """python-jose, with the one key at hand."""
    key: Any = python_jose_jwk.construct(subject.jwks["keys"][0], algorithm)
    options = {f"require_{name}": True for name in ("exp", "iat", "iss", "aud", "sub", "jti")}
    url, audience = subject.issuer.url, subject.issuer.audience

    def verify(token: str) -> Mapping[str, Any]:
        claims: Mapping[str, Any] = python_jose.decode(
            token, key, algorithms=[algorithm], audience=audience, issuer=url, options=options
        )
        return claims

    return verify


def by_jwcrypto(subject: Subject, algorithm: str) -> Peer:
    """jwcrypto: a key set, and the claims to check."""
    keys = jwcrypto_jwk.JWKSet()
    for member in subject.jwks["keys"]:
        keys.add(jwcrypto_jwk.JWK(**member))
    demanded = {**dict.fromkeys(REQUIRED), "iss": subject.issuer.url, "aud": subject.issuer.audience}

    def verify(token: str) -> Mapping[str, Any]:
        read: Any = jwcrypto.JWT(jwt=token, key=keys, algs=[algorithm], check_claims=demanded)
        claims: Mapping[str, Any] = jwcrypto.json_decode(read.claims)
        return claims

    return verify


PEERS: Mapping[str, Callable[[Subject, str], Peer]] = {
    "joserfc": by_joserfc,
    "Authlib (RFC 9068)": by_authlib,
    "PyJWT": by_pyjwt,
    "python-jose": by_python_jose,
    "jwcrypto": by_jwcrypto,
}
