"""How we prove to an authorization server that it is us who ask (RFC 6749 §2.3, RFC 7523, RFC 8705).

Each way is a value with one method that completes a request. The credentials are shown in no repr. The token that is
being asked about is never a credential of ours (RFC 7662 §2.1).
"""

import base64
import json
import re
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote_plus

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.algorithms import ALGORITHMS

ASSERTION_LIFE: Final = 60
"""Seconds for which a client assertion is good."""
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MIN_SECRET: Final = 32
"""Bytes of a secret that signs assertions (RFC 7518 §3.2)."""

_ALGORITHM_OF: Final = {
    "RSA": "PS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "Ed25519"
}  # fmt: skip
"""What a key of that kind or curve signs by, where it does not say itself."""
_TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")

Fields = MutableMapping[str, str]


class ClientAuthentication(Protocol):
    """A way to authenticate."""

    @property
    def client_id(self) -> str:
        """Who we are at the issuer."""
        ...

    def complete(self, form: Fields, headers: Fields, audience: str, now: float) -> None:
        """Add our credentials to a request's form or headers; ``audience`` is the issuer."""
        ...

    @property
    def certificate(self) -> tuple[Path, Path] | None:
        """The certificate and key (PEM) to connect with, where we authenticate by mutual TLS."""
        ...


@dataclass(frozen=True, slots=True)
class _Authentication:
    client_id: str

    def __post_init__(self) -> None:
        if not self.client_id:
            raise ConfigurationError("client_id", "is missing: name the client that this API is at the issuer")
        _check_text(self.client_id, "client_id")

    @property
    def certificate(self) -> tuple[Path, Path] | None:
        return None


@dataclass(frozen=True, slots=True)
class SecretBasic(_Authentication):
    """A secret in the Authorization header.

    Both parts are form-urlencoded before they are joined (RFC 6749 §2.3.1). Some servers compare them as they are; for
    these, ``raw=True``.
    """

    secret: str = field(repr=False)
    raw: bool = False

    def __post_init__(self) -> None:
        _Authentication.__post_init__(self)
        _check_text(self.secret, "client_secret")
        if self.raw and ":" in self.client_id:  # it would move the border between the two (RFC 7617 §2)
            raise ConfigurationError("client_id", "has a colon, which client_secret_basic_raw can't send")

    def complete(self, form: Fields, headers: Fields, audience: str, now: float) -> None:
        """Add the header."""
        del form, audience, now
        parts = [self.client_id, self.secret]
        joined = ":".join(parts if self.raw else map(quote_plus, parts))
        headers["authorization"] = "Basic " + base64.b64encode(joined.encode()).decode()


@dataclass(frozen=True, slots=True)
class SecretPost(_Authentication):
    """A secret in the form."""

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        _Authentication.__post_init__(self)
        _check_text(self.secret, "client_secret")

    def complete(self, form: Fields, headers: Fields, audience: str, now: float) -> None:
        """Add the members."""
        del headers, audience, now
        form["client_id"] = self.client_id
        form["client_secret"] = self.secret


@dataclass(frozen=True, slots=True)
class _Assertion(_Authentication):
    """A JWT that we sign: good for a minute, for the issuer itself, once (RFC 7523 §3, its update for the audience)."""

    def _sign(self, audience: str, now: float) -> str:
        raise NotImplementedError

    def complete(self, form: Fields, headers: Fields, audience: str, now: float) -> None:
        """Add the assertion."""
        del headers
        form["client_assertion_type"] = ASSERTION_TYPE
        form["client_assertion"] = self._sign(audience, now)

    def _claims(self, audience: str, now: float) -> dict[str, str | int]:
        return {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "iat": int(now),
            "exp": int(now) + ASSERTION_LIFE,
            "jti": secrets.token_urlsafe(16),
        }


@dataclass(frozen=True, slots=True)
class PrivateKeyJwt(_Assertion):
    """An assertion that our private key signs (``private_key_jwt``)."""

    key: RSAKey | ECKey | OKPKey = field(repr=False)
    algorithm: str

    def __post_init__(self) -> None:
        _Authentication.__post_init__(self)
        try:
            if not _fits(self.key, self.algorithm):
                raise ValueError
            self._sign("", 0)  # what the key may not be used for ends the start, not a request
        except Exception:  # noqa: BLE001 - what the library says may quote the key
            raise _no_key() from None

    def _sign(self, audience: str, now: float) -> str:
        header = {"alg": self.algorithm, "typ": "JWT"} | ({"kid": self.key.kid} if self.key.kid else {})
        return jwt.encode(header, self._claims(audience, now), self.key, algorithms=[self.algorithm])


@dataclass(frozen=True, slots=True)
class SecretJwt(_Assertion):
    """An assertion that a shared secret signs (``client_secret_jwt``)."""

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        _Authentication.__post_init__(self)
        _check_text(self.secret, "client_secret")
        if len(self.secret.encode()) < MIN_SECRET:
            raise ConfigurationError("client_secret", f"must have at least {MIN_SECRET} bytes to sign assertions with")
        try:
            self._sign("", 0)
        except Exception:  # noqa: BLE001 - the text of a key, say, which the library takes for no secret
            raise ConfigurationError(
                "client_secret", "can't sign assertions: give the text that the issuer knows, too"
            ) from None

    def _sign(self, audience: str, now: float) -> str:
        key = OctKey.import_key(self.secret)
        return jwt.encode({"alg": "HS256", "typ": "JWT"}, self._claims(audience, now), key, algorithms=["HS256"])


@dataclass(frozen=True, slots=True)
class TlsClient(_Authentication):
    """A certificate (``tls_client_auth``, ``self_signed_tls_client_auth``)."""

    certificate_file: Path
    key_file: Path

    def complete(self, form: Fields, headers: Fields, audience: str, now: float) -> None:
        """Add who we are; the connection proves it."""
        del headers, audience, now
        form["client_id"] = self.client_id

    @property
    def certificate(self) -> tuple[Path, Path] | None:
        """What to connect with."""
        return self.certificate_file, self.key_file


@dataclass(frozen=True, slots=True)
class BearerCredential(_Authentication):
    """An access token of our own, which some servers want at their introspection endpoint (RFC 7662 §2.1)."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _Authentication.__post_init__(self)
        if not _TOKEN68.fullmatch(self.token):
            raise ConfigurationError("client_secret", "is no access token, which client_auth_method bearer sends")

    def complete(self, form: Fields, headers: Fields, audience: str, now: float) -> None:
        """Add the header."""
        del form, audience, now
        headers["authorization"] = f"Bearer {self.token}"


def read_private_key(content: bytes) -> tuple[RSAKey | ECKey | OKPKey, str]:
    """Read a private key, PEM or JWK, and choose its algorithm.

    Raises :class:`ConfigurationError`, never quoting it.
    """
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            key = kind.import_key(content if content.lstrip()[:1] != b"{" else _jwk(content))
        except Exception:  # noqa: BLE001, S112 - of another kind; what the library says may quote the key
            continue
        if key.is_private:
            return key, str(key.alg or _ALGORITHM_OF.get(_curve_of(key), ""))
    raise _no_key()


def _jwk(content: bytes) -> dict[str, str | list[str]]:
    jwk: dict[str, str | list[str]] = json.loads(content)
    return jwk


def _curve_of(key: RSAKey | ECKey | OKPKey) -> str:
    return "RSA" if isinstance(key, RSAKey) else str(key.curve_name)


def _fits(key: RSAKey | ECKey | OKPKey, algorithm: str) -> bool:
    row = ALGORITHMS[algorithm]
    return _curve_of(key) == (row.curve or row.key_type)


def _no_key() -> ConfigurationError:
    return ConfigurationError(
        "client_key_file", "holds no private key that signs: give one of RSA, EC or Ed25519, as PEM or JWK"
    )


def _check_text(text: str, option: str) -> None:
    """What can't be sent ends the start, not a request."""
    try:
        if text.encode():
            return
    except UnicodeEncodeError:  # a byte of the environment that was no UTF-8
        pass
    raise ConfigurationError(option, "must be a text in UTF-8, and not empty")
