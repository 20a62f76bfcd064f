"""Three keys that are the same in every run, and mutations that know what a token is made of."""

import base64
import json
import math
import random
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey

from resource_server.development.minting import Mint, SigningKey

ISSUER = "https://id.example.com"
AUDIENCE = "https://api.example.com"
LATE = 4_102_444_800
"""The first second of the year 2100: a corpus must not expire."""

_HEADER_VALUES: dict[str, list[Any]] = {
    "alg": ["none", "None", "HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519", "es256", "", None, 1],
    "typ": ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "at+jwt;x=y", "logout+jwt", "dpop+jwt", None, []],
    "kid": [None, 1, "", "ec", "ed", "rsa", "../../etc/passwd", "' or 1=1", "\r\n", "\ud800"],
    "crit": [["exp"], [], None], "b64": [False, True], "enc": ["A256GCM"], "zip": ["DEF"], "cty": ["JWT"],
    "jwk": [{}], "jku": ["https://x"], "x5u": ["https://x"], "nonce": ["n"],
}  # fmt: skip
_CLAIM_VALUES: dict[str, list[Any]] = {
    "aud": [[AUDIENCE], [], [AUDIENCE, 1], ["x", AUDIENCE], AUDIENCE + "/", AUDIENCE.upper(), {}, None, ["x"], "x"],
    "exp": [0, 1, -1, True, None, "4102444800", 4102444800.5, 1e308, 10**19, [], "NaN"],
    "iss": [ISSUER + "/", [ISSUER], None, 1, "https://ID.example.com", "", {}],
    "nbf": [LATE, "0", None, 0, -1e300], "iat": [LATE, None, "1", True, 0.5, -1],
    "sub": [1, "", None, "\u202e"], "jti": [1, ""], "client_id": [[], "alice"], "cnf": [{"jkt": "x"}, None, {}, "x"],
    "scope": [["a"], "a  b", None, 1], "roles": [["a", {"value": "b"}], 1, [1], {}, "a"], "\ud800": [1],
}  # fmt: skip
HEADERS: list[dict[str, Any]] = [{name: value} for name, values in _HEADER_VALUES.items() for value in values]
CLAIMS: list[dict[str, Any]] = [{name: value} for name, values in _CLAIM_VALUES.items() for value in values]


_SMALL = math.prod(number for number in range(3, 3000) if all(number % factor for factor in range(2, 55)))


_SKIPPED = (1357, 155)
"""How many of the numbers that are drawn come before each prime: to find that out anew takes seconds."""


def _prime(bits: int, source: random.Random, skipped: int) -> int:
    for _ in range(skipped):
        source.getrandbits(bits)
    while True:
        number = source.getrandbits(bits) | (3 << (bits - 2)) | 1
        if (
            number % 65537 != 1
            and math.gcd(number, _SMALL) == 1
            and all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7))
        ):
            return number


def _rsa_key() -> RSAKey:
    """Made anew from a fixed seed, so that no private key lies in the repository; good for nothing but this."""
    source = random.Random(6750)
    p, q = (_prime(1024, source, skipped) for skipped in _SKIPPED)
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65537, p * q)
    )
    key: RSAKey = RSAKey.import_key(numbers.private_key())
    return key


def make_keys() -> list[SigningKey]:
    """One key of each kind that is allowed by default."""
    curve = ECKey.import_key(ec.derive_private_key(6750, ec.SECP256R1()))
    edwards = OKPKey.import_key(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
    return [
        SigningKey("ES256", curve, "ec"),
        SigningKey("Ed25519", edwards, "ed"),
        SigningKey("RS256", _rsa_key(), "rsa"),
    ]


MINT = Mint(ISSUER, make_keys(), clock=lambda: 1_700_000_000, audience=AUDIENCE)


def good_token(key: SigningKey) -> bytes:
    """A token that is accepted."""
    return MINT.access_token(key=key, exp=LATE, jti="1", scope="orders:read").encode()


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change a token: its text, or its header and payload, which are then signed again or not."""
    source = random.Random(seed)
    changed = source.choice(_MUTATIONS)(data, source)
    if source.random() < 0.2:
        changed = source.choice(_MUTATIONS)(changed, source)
    return changed[:max_size]


def _edited(data: bytes, source: random.Random) -> bytes:
    """Other members, in the order of a dictionary, signed by any key or still bearing the old signature."""
    header, payload, signature = split(data)
    members = _object(header) or {"alg": "ES256", "kid": "ec", "typ": "at+jwt"}
    claims = _object(payload) or _object(split(good_token(MINT.keys[0]))[1]) or {}
    part, choices = source.choice([(members, HEADERS), (claims, CLAIMS)])
    part.update(source.choice(choices))
    if source.random() < 0.2:
        part.pop(source.choice(sorted(part)), None)
    return signed(json.dumps(members).encode(), json.dumps(claims).encode(), signature, source)


def _doubled(data: bytes, source: random.Random) -> bytes:
    """A member twice: two parsers may read two different ones."""
    parts = split(data)
    which = source.randrange(2)
    members = _object(parts[which]) or {"alg": "ES256"}
    extra = source.choice((HEADERS, CLAIMS)[which])
    text, more = json.dumps(members), json.dumps(extra)
    joined = text[:-1] + ", " + more[1:] if source.random() < 0.5 else more[:-1] + ", " + text[1:]
    parts[which] = joined.encode()
    return signed(parts[0], parts[1], parts[2], source)


def _raw_json(data: bytes, source: random.Random) -> bytes:
    """JSON that is read by some: comments, NaN, byte order marks, other encodings, spaces, nothing."""
    parts = split(data)
    which = source.randrange(2)
    text = parts[which]
    parts[which] = source.choice([
        b"\xef\xbb\xbf" + text, text + b" ", b"\n\t" + text, text + b"\0", text[:-1] + b', "a": NaN}',
        text[:-1] + b', "a": 1e999}', text[:-1] + b",}", b"[" + text + b"]", b"null", b"", b"{}", text + text,
        text.decode("latin-1").encode("utf-16"), text.replace(b"sub", b"\\u0073ub"), text.replace(b'"', b"'"),
        text[:-1] + b', "a": ' + b"[" * 40 + b"]" * 40 + b"}", text[:-1] + b', "a": ' + b"9" * 25 + b"}",
    ])  # fmt: skip
    return signed(parts[0], parts[1], parts[2], source)


def _respelt(data: bytes, source: random.Random) -> bytes:
    """Another spelling of the same bytes, or a token of more or fewer parts."""
    parts = data.split(b".")
    which = source.randrange(len(parts))
    part = parts[which]
    last = bytes([part[-1] ^ 1]) if part else b"A"
    parts[which] = source.choice([
        part + b"=", part + b"==", part[:-1] + last, part + b"\n", b" " + part, part.replace(b"_", b"/"),
        part.replace(b"-", b"+"), part + b"A", part[:-1], b"", part[:9] + b"\r\n" + part[9:],
    ])  # fmt: skip
    joined = b".".join(parts)
    return source.choice([joined, joined, joined, joined + b".", b"." + joined, joined + b"." + part])


def _flipped(data: bytes, source: random.Random) -> bytes:
    """Some bytes are others."""
    changed = bytearray(data or b".")
    for _ in range(source.choice((1, 1, 1, 2, 8))):
        changed[source.randrange(len(changed))] = source.choice(b'ABCabc019-_.=~+/ \0\xff{}"')
    return bytes(changed)


def _malleated(data: bytes, source: random.Random) -> bytes:
    """The other of the two signatures (r, s) and (r, n - s) that ECDSA takes for good; zeros; another length."""
    header, payload, signature = split(data)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = signature[:32], int.from_bytes(signature[32:64], "big")
    other = source.choice([
        r + ((order - s) % order).to_bytes(32, "big"), bytes(64), r + order.to_bytes(32, "big"), signature + b"\0",
        b"\0" + signature, signature[:-1], r + bytes(32), order.to_bytes(32, "big") * 2, b"",
    ])  # fmt: skip
    return b".".join(encode(part) for part in (header, payload, other))


_MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    _edited, _edited, _edited, _doubled, _raw_json, _respelt, _flipped, _malleated,
]  # fmt: skip


def signed(header: bytes, payload: bytes, signature: bytes, source: random.Random) -> bytes:
    if source.random() < 0.3:
        return b".".join(encode(part) for part in (header, payload, signature))
    named = _object(header) or {}
    fitting = [key for key in MINT.keys if key.kid == named.get("kid")]
    key = fitting[0] if fitting and source.random() < 0.9 else source.choice(MINT.keys)
    signing_input = encode(header) + b"." + encode(payload)
    return signing_input + b"." + encode(key.sign(signing_input))


def split(data: bytes) -> list[bytes]:
    parts = []
    for part in [*data.split(b"."), b"", b"", b""][:3]:
        try:
            parts.append(base64.urlsafe_b64decode(part + b"=="))
        except ValueError:
            parts.append(part)
    return parts


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
