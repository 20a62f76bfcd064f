"""A JWK Set (RFC 7517 §5) becomes the keys that may verify access tokens. Pure; done once per refresh.

A key that can't be used is skipped with a reason and never spoils the others. What comes out is an index, so that the
request path looks up and checks nothing: CVE-2026-48523 was an algorithm checked here and a key used there.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from resource_server.issuers.algorithms import ALGORITHMS, MAX_RSA_BITS, MIN_RSA_BITS, RSA_EXPONENT, Algorithm

MAX_KEYS: Final = 1000

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PUBLIC: Final[dict[str, tuple[str, ...]]] = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}


@dataclass(frozen=True, slots=True)
class Key:
    """One key for one algorithm."""

    kid: str | None
    algorithm: Algorithm
    thumbprint: str
    """RFC 7638, base64url of SHA-256."""
    issuer: str | None
    """The issuer that the key is for, where issuers share a set and it says so (Entra ID)."""
    _key: object = field(repr=False)

    def verify(self, signing_input: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's."""
        return self.algorithm.verify(signing_input, signature, self._key)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A key that was left out, and why."""

    kid: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class JwkSet:
    """The usable keys of an issuer."""

    keys: tuple[Key, ...]
    skipped: tuple[Skipped, ...]
    _index: dict[tuple[str | None, str], Key] = field(repr=False)

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The one key for a token's header; without a kid, the only one that fits the algorithm."""
        return self._index.get((kid, algorithm))

    @property
    def identity(self) -> frozenset[tuple[str, str]]:
        """What the set can verify, by thumbprint and algorithm: a kid may be given to another key.

        A key that no token can choose any more, because another has taken its kid, verifies nothing.
        """
        return frozenset((key.thumbprint, key.algorithm.name) for key in self._index.values())


def read(document: dict[str, Any], allowed: Sequence[str]) -> JwkSet:
    """Read a JWK Set for these algorithms. Raises :class:`ValueError` where the document is no JWK Set at all."""
    members = document.get("keys")
    if not isinstance(members, list):
        raise ValueError("the document has no keys array")
    if len(members) > MAX_KEYS:
        raise ValueError(f"the document has more than {MAX_KEYS} keys")
    keys: list[Key] = []
    skipped: list[Skipped] = []
    for jwk in members:
        try:
            keys += _read_key(jwk, allowed)
        except (ValueError, TypeError, KeyError) as error:
            kid = jwk.get("kid") if isinstance(jwk, dict) else None
            skipped.append(Skipped(kid if isinstance(kid, str) else None, str(error) or type(error).__name__))
    index = _index(keys, skipped)
    return JwkSet(tuple(keys), tuple(skipped), index)


def _index(keys: list[Key], skipped: list[Skipped]) -> dict[tuple[str | None, str], Key]:
    found: dict[tuple[str | None, str], dict[str, Key]] = {}
    for key in keys:
        for kid in {key.kid, None}:
            found.setdefault((kid, key.algorithm.name), {})[key.thumbprint] = key
    for (kid, name), same in found.items():
        if kid is not None and len(same) > 1:
            skipped.append(Skipped(kid, f"{len(same)} keys share this kid and {name}; tokens can't choose"))
    return {entry: next(iter(same.values())) for entry, same in found.items() if len(same) == 1}


def _read_key(jwk: Any, allowed: Sequence[str]) -> list[Key]:
    if not isinstance(jwk, dict):
        raise ValueError("not an object")
    kid, kty, issuer = jwk.get("kid"), jwk.get("kty"), jwk.get("issuer")
    if not isinstance(kid, str | None):
        raise ValueError("kid is no text")
    if not isinstance(issuer, str | None):
        raise ValueError("issuer is no text")
    if kty not in _PUBLIC:
        raise ValueError("kty is none of RSA, EC, OKP")
    if _PRIVATE & jwk.keys():
        raise ValueError("a private key is published")
    if jwk.get("use", "sig") != "sig":
        raise ValueError("use is not sig")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("key_ops has no verify")
    fitting = [
        row
        for row in (ALGORITHMS[name] for name in allowed)
        if row.key_type == kty and row.curve in (None, jwk.get("crv")) and jwk.get("alg", row.name) in row.jwk_names
    ]
    if not fitting:
        raise ValueError("no allowed algorithm fits the key")
    # Only what defines the key: alg, use and key_ops were judged above, where both names of Ed25519 are known.
    key = _import({"kty": kty} | {name: jwk[name] for name in _PUBLIC[kty]})
    if kty == "RSA":
        numbers = key.public_key.public_numbers()
        if not MIN_RSA_BITS <= numbers.n.bit_length() <= MAX_RSA_BITS:
            raise ValueError(f"an RSA key of {numbers.n.bit_length()} bits")
        if numbers.e != RSA_EXPONENT:
            raise ValueError("an RSA key with an unusual exponent")
    thumbprint = key.thumbprint()
    return [Key(kid, row, thumbprint, issuer, key) for row in fitting]


def _import(jwk: dict[str, Any]) -> Any:
    """Let the library read a key. It is loaded with the first one: importing this package should cost little."""
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    kinds: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a short RSA key, which is skipped afterwards
        try:
            return kinds[jwk["kty"]].import_key(jwk)
        except JoseError as error:
            raise ValueError(str(error) or type(error).__name__) from error
