"""Station 1: from an ASGI scope to the credentials it presents (RFC 6750 §2.1, RFC 9110 §11.6.2).

Only the Authorization header is read. The query is looked at for one name, so that a token sent twice is
refused; the body is never read here (RFC 6750 §2.2 and §2.3 are not supported, as RFC 9700 §4.3.2 advises).
"""

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from resource_server.refusals import Kind, Refusal

MAX_FIELD: Final = 16 * 1024
"""Bytes of an Authorization or DPoP field: above it the answer is 431, before any other work."""

_SCHEME = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +|\Z)")
_TOKEN68 = re.compile(rb"[A-Za-z0-9\-._~+/]+=*")
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
_SHA256: Final = functools.cache(hashlib.sha256)  # not at import: OpenSSL may be configured not to have it
_SCHEMES: Final = {b"bearer": "Bearer", b"dpop": "DPoP"}


@dataclass(slots=True)
class Credentials:
    """An access token as it was presented. Its repr shows no token.

    Not frozen, which would triple the time that it takes to make one; nobody keeps it for longer than a request.
    """

    scheme: str
    """In its registered spelling: ``Bearer`` or ``DPoP``."""
    token: str = field(repr=False)
    digest: bytes = field(repr=False)
    """All 32 bytes of SHA-256 over the token: what memories are keyed by, so that they hold no token."""


def credential_fields(scope: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The Authorization fields of an ASGI scope, unread. Raises :class:`Refusal` (OVERSIZED_CREDENTIALS)."""
    fields: list[bytes] = []
    for name, value in scope["headers"]:
        if name == b"authorization" or name == b"dpop":
            if len(value) > MAX_FIELD:
                raise Refusal(Kind.OVERSIZED_CREDENTIALS, f"a field of {len(value)} bytes")
            if name == b"authorization":
                fields.append(value)
    return tuple(fields)


def extract(
    scope: Mapping[str, Any], fields: tuple[bytes, ...], *, schemes: tuple[str, ...] = ("Bearer",)
) -> Credentials:
    """Find the one access token of a request whose Authorization fields are these.

    Raises :class:`Refusal` of the kinds REPEATED_ and MALFORMED_CREDENTIALS, UNSUPPORTED_SCHEME,
    CREDENTIALS_IN_QUERY and NO_CREDENTIALS. Does not look into the token.
    """
    scheme, token = presented(scope, fields, schemes)
    credentials = of_token68(scheme, token, digest(token))
    demand_one_way(scope)
    return credentials


def presented(
    scope: Mapping[str, Any], fields: tuple[bytes, ...], schemes: tuple[str, ...] = ("Bearer",)
) -> tuple[str, bytes]:
    """The scheme, and what follows it: not yet known to be a token68, nor to be the only token of the request.

    Raises :class:`Refusal` as :func:`extract` does.
    """
    if len(fields) != 1:
        if fields:
            raise Refusal(Kind.REPEATED_CREDENTIALS, f"{len(fields)} Authorization fields")
        if _is_in_query(scope):
            raise Refusal(Kind.CREDENTIALS_IN_QUERY, "a token in the query is ignored")
        raise Refusal(Kind.NO_CREDENTIALS)
    spoken, _, token = fields[0].partition(b" ")
    scheme = _SCHEMES.get(spoken.lower())
    if scheme not in schemes:
        if not _SCHEME.match(fields[0]):
            raise Refusal(Kind.MALFORMED_CREDENTIALS, "no authentication scheme")
        raise Refusal(Kind.UNSUPPORTED_SCHEME, "the scheme is none of " + ", ".join(schemes))
    return scheme, token.lstrip(b" ")


def digest(token: bytes) -> bytes:
    """What a token is remembered by."""
    hashing = _SHA256().copy()  # OpenSSL looks for an algorithm that is asked for by name, each time
    hashing.update(token)
    return hashing.digest()


def of_token68(scheme: str, token: bytes, digest: bytes) -> Credentials:
    """Credentials whose token has the grammar of one. Raises :class:`Refusal` (MALFORMED_CREDENTIALS)."""
    # Of a JWT nothing is left without these letters, which takes a third of the grammar's time; it judges the others.
    if (not token or token.translate(None, _LETTERS)) and not _TOKEN68.fullmatch(token):
        raise Refusal(Kind.MALFORMED_CREDENTIALS, "what follows the scheme is not one token68")
    return Credentials(scheme, token.decode(), digest)


def demand_one_way(scope: Mapping[str, Any]) -> None:
    """Demand of a request with a token in the header field that there is none in its query (RFC 6750 §2).

    Raises :class:`Refusal` (REPEATED_CREDENTIALS).
    """
    if _is_in_query(scope):
        raise Refusal(Kind.REPEATED_CREDENTIALS, "a token in the Authorization field and one in the query")


def _is_in_query(scope: Mapping[str, Any]) -> bool:
    """Whether the raw query has a parameter ``access_token``, percent-decoded once."""
    query: bytes | None = scope.get("query_string")
    if not query:
        return False
    return any(unquote_to_bytes(pair.partition(b"=")[0]) == b"access_token" for pair in query.split(b"&"))
