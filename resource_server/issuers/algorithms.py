"""The signature algorithms that an access token may use: the only way to the JOSE library's algorithm objects.

Called directly, such an object checks neither the kind of the key nor its curve: ES256 verifies with a P-384 key, and
``none`` verifies anything. So this table says what fits what, it is consulted when keys are imported, and it has no
row for ``none`` and none for the HMAC algorithms (RFC 8725 §3.1, CVE-2024-33663, CVE-2024-37568).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

DEFAULT: Final = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
"""The others cost a forger's victim up to twenty times as much to refuse, and are opt-in."""

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 4096
RSA_EXPONENT: Final = 65537


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A row: which key an algorithm needs (RFC 7518 §3.1, RFC 8037, RFC 9864)."""

    name: str
    key_type: str
    curve: str | None = None
    jwk_names: tuple[str, ...] = ()
    """Values of a JWK's ``alg`` that this algorithm may be used with: its own, and its alias."""

    def verify(self, signing_input: bytes, signature: bytes, key: object) -> bool:
        """Whether the signature is good. ``key`` is one that :mod:`.jwk_set` has found to fit this row."""
        good: bool = _library()[self.name].verify(signing_input, signature, key)
        return good


@cache
def _library() -> Mapping[str, Any]:
    """The library's algorithm objects. It and ``cryptography`` are loaded with the first key, not at import."""
    from joserfc.jws import JWSRegistry

    return JWSRegistry.algorithms


_EDWARDS = ("Ed25519", "EdDSA")  # RFC 9864 deprecates EdDSA; issuers and keys use the two names at will

ALGORITHMS: Final = MappingProxyType(
    {name: Algorithm(name, "RSA", None, (name,)) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")}
    | {
        name: Algorithm(name, "EC", curve, (name,))
        for name, curve in (("ES256", "P-256"), ("ES384", "P-384"), ("ES512", "P-521"))
    }
    | {name: Algorithm(name, "OKP", "Ed25519", _EDWARDS) for name in _EDWARDS}
)


def check(names: Sequence[str]) -> tuple[str, ...]:
    """Check a configured allow-list. Raises :class:`ValueError` with a sentence that names the cure."""
    if isinstance(names, str) or not names:
        raise ValueError(f"must be a list of at least one of {', '.join(ALGORITHMS)}")
    for name in names:
        if name not in ALGORITHMS:
            why = "no signature at all" if name.lower() == "none" else "not one of those a resource server may accept"
            why = "a shared secret: every API that checks tokens could mint them" if name.startswith("HS") else why
            raise ValueError(f"must not name {name!r} ({why}): choose from {', '.join(ALGORITHMS)}")
    return tuple(dict.fromkeys(names))
