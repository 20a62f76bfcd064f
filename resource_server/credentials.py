"""Station 1: from an ASGI scope to the credentials it presents (RFC 6750 §2.1, RFC 9110 §11.6.2).

Only the Authorization header is read. The query is looked at for one name, so that a token sent twice is
refused; the body is never read here (RFC 6750 §2.2 and §2.3 are not supported, as RFC 9700 §4.3.2 advises).
"""

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
    query: bytes | None = scope.get("query_string")
    in_query = _names_access_token(query) if query else False
    if not fields:
        if in_query:
            raise Refusal(Kind.CREDENTIALS_IN_QUERY, "a token in the query is ignored")
        raise Refusal(Kind.NO_CREDENTIALS)
    if len(fields) > 1:
        raise Refusal(Kind.REPEATED_CREDENTIALS, f"{len(fields)} Authorization fields")
    credentials = _parse(fields[0], schemes)
    if in_query:
        raise Refusal(Kind.REPEATED_CREDENTIALS, "a token in the Authorization field and one in the query")
    return credentials


def _parse(value: bytes, schemes: tuple[str, ...]) -> Credentials:
    spoken, _, token = value.partition(b" ")
    scheme = _SCHEMES.get(spoken.lower())
    if scheme not in schemes:
        if not _SCHEME.match(value):
            raise Refusal(Kind.MALFORMED_CREDENTIALS, "no authentication scheme")
        raise Refusal(Kind.UNSUPPORTED_SCHEME, "the scheme is none of " + ", ".join(schemes))
    token = token.lstrip(b" ")
    # Of a JWT nothing is left without these letters, which takes a third of the grammar's time; it judges the others.
    if (not token or token.translate(None, _LETTERS)) and not _TOKEN68.fullmatch(token):
        raise Refusal(Kind.MALFORMED_CREDENTIALS, "what follows the scheme is not one token68")
    return Credentials(scheme, token.decode(), hashlib.sha256(token).digest())


def _names_access_token(query: bytes) -> bool:
    """Whether a raw query has a parameter ``access_token``, percent-decoded once."""
    return any(unquote_to_bytes(pair.partition(b"=")[0]) == b"access_token" for pair in query.split(b"&"))
