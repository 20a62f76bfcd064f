"""One key of every kind that an issuer might publish, made once: RSA keys take a moment."""

import base64
from functools import cache
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey

from resource_server.development.minting import SigningKey

KINDS = ("RSA", "P-256", "P-384", "P-521", "secp256k1", "Ed25519", "Ed448", "X25519", "oct")
FITTING = {
    "RSA": {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
    "P-256": {"ES256"},
    "P-384": {"ES384"},
    "P-521": {"ES512"},
    "Ed25519": {"Ed25519", "EdDSA"},
}
"""Which algorithms each kind may be used with (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864)."""


def base64url(raw: bytes) -> str:
    """As JWKs write their numbers."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@cache
def private_key(kind: str) -> RSAKey | ECKey | OKPKey:
    """The private key of an asymmetric kind."""
    if kind == "RSA":
        return RSAKey.generate_key(2048)
    if kind.startswith(("P-", "secp")):
        return ECKey.generate_key(kind)
    return OKPKey.generate_key(kind)  # type: ignore[arg-type]


def public_jwk(kind: str, **members: Any) -> dict[str, Any]:
    """The key of a kind as it is published; the symmetric one is the text of a public key, as in CVE-2024-33663."""
    if kind == "oct":
        return {"kty": "oct", "k": base64url(private_key("RSA").as_pem(private=False))} | members
    return private_key(kind).as_dict(private=False) | members


def rsa_jwk(bits: int = 2048, exponent: int = 65537) -> dict[str, Any]:
    """A public RSA key of any size and exponent; nobody knows its primes."""
    modulus, e = (1 << (bits - 1)) + 1, exponent.to_bytes((exponent.bit_length() + 7) // 8, "big")
    return {"kty": "RSA", "n": base64url(modulus.to_bytes((bits + 7) // 8, "big")), "e": base64url(e)}


def sign(kind: str, algorithm: str, signing_input: bytes) -> bytes:
    """What the kind's key signs by the algorithm."""
    return SigningKey(algorithm, private_key(kind)).sign(signing_input)


def signing_key(algorithm: str, number: int = 0) -> SigningKey:
    """A signing key for the algorithm, always the same; different numbers, different keys."""
    return _signing_key(algorithm, number)


@cache
def _signing_key(algorithm: str, number: int) -> SigningKey:
    return SigningKey.generate(algorithm, kid=f"{algorithm}-{number}")
