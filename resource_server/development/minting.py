"""Keys and tokens made on the spot, for the development authorization server and for tests.

Imports nothing else of this project, so that a mistake of the validation can't hide behind the same mistake here.
Nothing made here is kept anywhere: a key lives as long as the process, or as the test that made it.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

PrivateKey: TypeAlias = RSAKey | ECKey | OKPKey

AUDIENCE: Final = "https://api.example.com"
"""Whom a token is for when nobody says."""

LIFETIME: Final = 300
"""How many seconds a token lives when nobody says."""

RSA_BITS: Final = 2048

TYPE: Final = "at+jwt"
"""The ``typ`` of a JWT access token (RFC 9068 §2.1)."""

_Curve: TypeAlias = Literal["P-256", "P-384", "P-521"]

_CURVES: Final[Mapping[str, _Curve]] = MappingProxyType({"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"})
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_EDWARDS: Final = ("Ed25519", "EdDSA")

ALGORITHMS: Final = (*_RSA, *_CURVES, *_EDWARDS)
"""What :meth:`SigningKey.generate` can make a key for."""


class Omit(Enum):
    """The type of :data:`OMIT`."""

    OMIT = "OMIT"

    def __repr__(self) -> str:
        return self.value


OMIT: Final = Omit.OMIT
"""As the value of a claim or of a header parameter: leave it out, though it has a default."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, the one algorithm it is for, and the name under which its public half is published.

    Its repr shows no private part, and neither does :attr:`public_jwk`.
    """

    algorithm: str
    private_key: PrivateKey = field(repr=False)
    kid: str = ""
    """The key's id in JOSE headers and key sets; its RFC 7638 thumbprint, unless another is given."""

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise ValueError(f"no key for the algorithm {self.algorithm!r}; choose from {', '.join(ALGORITHMS)}")
        if not self.kid:
            object.__setattr__(self, "kid", self.private_key.thumbprint())

    @classmethod
    def generate(cls, algorithm: str = "ES256", *, kid: str = "") -> "SigningKey":
        """Make a new key. RSA keys have 2048 bits and take a noticeable moment; the others are made at once."""
        return cls(algorithm, _generate(algorithm), kid)

    @property
    def public_jwk(self) -> dict[str, Any]:
        """What a key set publishes (RFC 7517 §4): the public half with ``kid``, ``use`` and ``alg``."""
        return {**self.private_key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def sign(self, signing_input: bytes) -> bytes:
        """Sign by this key's own algorithm, whatever a header may claim."""
        return JWSRegistry.algorithms[self.algorithm].sign(signing_input, self.private_key)

    def verify(self, signing_input: bytes, signature: bytes) -> bool:
        """Whether this key has signed that, by its own algorithm."""
        return JWSRegistry.algorithms[self.algorithm].verify(signing_input, signature, self.private_key)


class Mint:
    """An issuer's keys, and tokens signed with them.

    >>> mint = Mint("https://id.example.com", audience="https://notes.example.com")
    >>> token = mint.access_token(sub="alice", scope="notes:read", roles=["editor"])
    >>> late = mint.access_token(exp=0)
    >>> nameless = mint.access_token(sub=OMIT, header={"kid": OMIT, "typ": "JWT"})
    >>> forged = mint.access_token(key=SigningKey.generate("ES256", kid=mint.keys[0].kid))

    It checks nothing: what it is told to sign, it signs, well-formed or not. That is what tests need, and why no
    production code may import it.
    """

    keys: list[SigningKey]
    """What :meth:`jwks` publishes; the first one signs. Insert, append and remove to rotate them."""

    def __init__(
        self,
        issuer: str,
        keys: Sequence[SigningKey] = (),
        clock: Callable[[], float] = time.time,
        *,
        audience: str | Sequence[str] = AUDIENCE,
        lifetime: int = LIFETIME,
    ) -> None:
        self.issuer = issuer
        self.keys = list(keys) or [SigningKey.generate()]
        self.clock = clock
        self.audience = audience
        self.lifetime = lifetime

    def access_token(
        self, *, header: Mapping[str, Any] | None = None, key: SigningKey | None = None, **claims: Any
    ) -> str:
        """Make an access token (RFC 9068 §2): by default a good one, for ``alice``, with no scope.

        Args:
            header: JOSE header parameters that are added to ``typ``, ``alg`` and ``kid`` or replace them. They do not
                change how the token is signed: ``{"alg": "HS256"}`` makes a header that lies.
            key: Signs instead of the first of :attr:`keys`, and need not be one of them: then it is a forgery.
            claims: Added to the default claims ``iss``, ``sub``, ``client_id``, ``aud``, ``iat``, ``exp`` and ``jti``,
                or replacing them. :data:`OMIT` leaves one out. Values are written as they are, so a scope is one
                string with spaces.
        """
        return self.sign(self.claims(**claims), {"typ": TYPE, **(header or {})}, key=key)

    def claims(self, **claims: Any) -> dict[str, Any]:
        """Give the claims of a token that is yet to be signed, or to be kept behind an opaque one."""
        now = int(self.clock())
        defaults = {
            "iss": self.issuer,
            "sub": "alice",
            "client_id": "example-client",
            "aud": self.audience,
            "iat": now,
            "exp": now + self.lifetime,
            "jti": secrets.token_urlsafe(16),
        }
        return _without_omitted(defaults | claims)

    def sign(
        self,
        claims: Mapping[str, Any] | bytes,
        header: Mapping[str, Any] | bytes | None = None,
        *,
        key: SigningKey | None = None,
    ) -> str:
        """Make any JWT (RFC 7515 §7.1): no default claims, and a header of ``alg`` and ``kid`` alone.

        Bytes stand as they are, for a payload or a header that is no proper JSON, or has a member twice.
        """
        key = key or self.keys[0]
        if not isinstance(header, bytes):
            header = _json(_without_omitted({"alg": key.algorithm, "kid": key.kid, **(header or {})}))
        payload = claims if isinstance(claims, bytes) else _json(_without_omitted(claims))
        signing_input = _base64url(header) + b"." + _base64url(payload)
        return (signing_input + b"." + _base64url(key.sign(signing_input))).decode("ascii")

    def read(self, token: str) -> dict[str, Any] | None:
        """Give the claims of an access token that one of the published keys has signed; no other check is made."""
        try:
            signing_input, _, signature = token.encode("ascii").rpartition(b".")
            raw = _unbase64url(signature)
            if not any(key.verify(signing_input, raw) for key in self.keys):
                return None
            # from here on it is our own hand, though not always an access token that it wrote
            header, claims = (json.loads(_unbase64url(part)) for part in signing_input.split(b"."))
        except ValueError:
            return None
        proper = isinstance(header, dict) and isinstance(claims, dict) and header.get("typ") == TYPE
        return claims if proper else None

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Give the key set as it is published (RFC 7517 §5): public halves only."""
        return {"keys": [key.public_jwk for key in self.keys]}

    def __repr__(self) -> str:
        return f"Mint({self.issuer!r}, {self.keys!r})"


def _generate(algorithm: str) -> PrivateKey:
    if algorithm in _CURVES:
        return ECKey.generate_key(_CURVES[algorithm])
    if algorithm in _EDWARDS:
        return OKPKey.generate_key("Ed25519")
    if algorithm in _RSA:
        return RSAKey.generate_key(RSA_BITS)
    raise ValueError(f"no key for the algorithm {algorithm!r}; choose from {', '.join(ALGORITHMS)}")


def _without_omitted(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not OMIT}


def _json(members: Mapping[str, Any]) -> bytes:
    """NaN and lone surrogates pass on purpose: a test may want them in a token."""
    return json.dumps(members, separators=(",", ":")).encode("ascii")


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _unbase64url(data: bytes) -> bytes:
    return base64.b64decode(data + b"=" * (-len(data) % 4), b"-_", validate=True)
