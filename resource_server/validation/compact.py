"""The JWS Compact Serialization (RFC 7515 §7.1), read strictly.

Every check here is ours because the algorithm objects of the JOSE library are called directly: alphabet, padding,
canonical tails, number of parts, sizes, ``crit``, ``b64`` and the types of the header members that we use.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pybase64

from resource_server.refusals import Kind, Refusal
from resource_server.validation import strict_json

MAX_HEADER: Final = 8 * 1024
"""Bytes of the decoded JOSE header."""

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BASE64URL_AND_DOT: Final = _ALPHABET + b"."
# The last character of a group of two or three bears spare bits, which must be zero: otherwise one token has
# several spellings (RFC 4648 §3.5).
_LAST_OF_TWO: Final = frozenset(_ALPHABET[::16])
_LAST_OF_THREE: Final = frozenset(_ALPHABET[::4])


@dataclass(frozen=True, slots=True)
class Header:
    """The members of a JOSE header that we use. The others are ignored (RFC 7515 §4).

    ``jku``, ``jwk``, ``x5u`` and ``x5c`` are among the ignored: a token never names its own key (RFC 8725 §3.10).
    """

    algorithm: str
    key_id: str | None
    type: str | None


@dataclass(slots=True)  # frozen, it would take three times as long to make, for each token that a stranger sends
class CompactJws:
    """A JWS whose signature nobody has checked yet. Its repr shows nothing of it."""

    header: Header
    header_text: str = field(repr=False)
    """The encoded header: equal texts have equal headers."""
    payload: dict[str, Any] = field(repr=False)
    payload_text: bytes = field(repr=False)
    """The JSON that the payload was read from."""
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse(text: str, known_headers: dict[str, Header] | None = None) -> CompactJws:
    """Take a token apart.

    ``known_headers`` maps encoded headers that were read before to what they said. Raises :class:`Refusal`
    (MALFORMED_TOKEN), without quoting the token.
    """
    raw = text.encode(errors="replace")
    parts = split(raw)
    header_text = parts[0].decode()
    header = known_headers.get(header_text) if known_headers else None
    try:
        header = header or parse_header(decode(parts[0]))
        payload_text = decode(parts[1])
        payload = strict_json.parse_object(payload_text)
        signature = decode(parts[2])
    except ValueError as error:
        raise Refusal(Kind.MALFORMED_TOKEN, str(error)) from error
    return CompactJws(header, header_text, payload, payload_text, raw[: -len(parts[2]) - 1], signature)


def split(raw: bytes) -> list[bytes]:
    """Divide a token into its three encoded parts. Raises :class:`Refusal`."""
    if raw.translate(None, _BASE64URL_AND_DOT):
        raise Refusal(Kind.MALFORMED_TOKEN, "a character outside of base64url and the period")
    parts = raw.split(b".")
    if len(parts) != 3:
        raise Refusal(Kind.MALFORMED_TOKEN, f"{len(parts)} parts; a signed JWT has three")
    return parts


def decode(part: bytes) -> bytes:
    """Decode base64url without padding (RFC 7515 §2). Raises :class:`ValueError`. Expects the right alphabet."""
    remainder = len(part) % 4
    if remainder == 1 or not part:
        raise ValueError("not base64url")
    if (remainder == 2 and part[-1] not in _LAST_OF_TWO) or (remainder == 3 and part[-1] not in _LAST_OF_THREE):
        raise ValueError("not canonical base64url")
    return pybase64.b64decode(part + b"=" * (-remainder % 4), b"-_", validate=True)


def parse_header(raw: bytes) -> Header:
    """Read a decoded JOSE header. Raises :class:`ValueError`."""
    if len(raw) > MAX_HEADER:
        raise ValueError("the header is too large")
    members = strict_json.parse_object(raw)
    if "crit" in members:
        raise ValueError("the header has critical members; we understand none (RFC 7515 §4.1.11)")
    if members.get("b64", True) is not True or "enc" in members:
        raise ValueError("not a plain JWS")
    if type(members.get("alg")) is not str:
        raise ValueError("the header has no alg")
    if any(type(members[name]) is not str for name in ("kid", "typ") if name in members):
        raise ValueError("kid and typ must be text")
    return Header(members["alg"], members.get("kid"), members.get("typ"))
