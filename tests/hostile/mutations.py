"""Mutations of good tokens, none of which is a good token: the same for the same seed."""

import base64
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from resource_server.development.minting import OMIT, Mint, SigningKey

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
FOREIGN = bytes(set(range(256)) - set(ALPHABET) - set(b"\r\n"))
"""Line ends would be other header fields, which is another test's matter."""
TEXT = "abc019 /.-_\"'\\\n\x1b\u202e\u00e9\U0001f600"
AUDIENCE = "https://api.example.com"


class Mutator:
    """Changes a token's text, forges tokens, and mints tokens that are good in all but one thing."""

    def __init__(self, mint: Mint, seed: int) -> None:
        self._mint = mint
        self._source = random.Random(seed)
        self._good = [mint.access_token(key=key, scope="orders:read").encode() for key in mint.keys]
        self._forgers = [SigningKey.generate(key.algorithm, kid=key.kid) for key in mint.keys]
        self._ways: list[Callable[[bytes], bytes]] = [
            self._other_character, self._other_character, self._other_bytes, self._shorter, self._longer, self._parts,
            self._respelt, self._other_header, self._other_payload, self._forged, self._wrong_claim, self._mixed,
        ]  # fmt: skip

    def tokens(self, count: int) -> Iterator[bytes]:
        """So many different tokens that no server may accept."""
        seen = {good.strip() for good in self._good}
        while count:
            source = self._source
            token = source.choice(self._ways)(source.choice(self._good))
            if token.strip(b" \t") not in seen:  # white space around a field's value is no part of it
                seen.add(token.strip(b" \t"))
                count -= 1
                yield token

    def _other_character(self, good: bytes) -> bytes:
        at = self._source.randrange(len(good))
        return good[:at] + bytes([self._source.choice(ALPHABET)]) + good[at + 1 :]

    def _other_bytes(self, good: bytes) -> bytes:
        changed = bytearray(good)
        for _ in range(self._source.randint(1, 4)):
            changed[self._source.randrange(len(good))] = self._source.choice(FOREIGN)
        return bytes(changed)

    def _shorter(self, good: bytes) -> bytes:
        begin, end = sorted(self._source.sample(range(len(good) + 1), 2))
        return good[:begin] + good[end:]

    def _longer(self, good: bytes) -> bytes:
        at = self._source.randint(0, len(good))
        more = bytes(self._source.choices(ALPHABET, k=self._source.choice((1, 2, 3, 4, 100, 170))))
        return good[:at] + (more if len(more) < 170 else more * 100) + good[at:]

    def _parts(self, good: bytes) -> bytes:
        parts = good.split(b".")
        self._source.shuffle(parts)
        del parts[self._source.randint(1, 3) :]
        parts += [bytes(self._source.choices(ALPHABET, k=self._source.randrange(9))) for _ in range(2)]
        return b".".join(parts)

    def _respelt(self, good: bytes) -> bytes:
        """The same bytes in another spelling: padding, spare bits, the other alphabet, spaces within."""
        parts = good.split(b".")
        which = self._source.randrange(3)
        part = parts[which]
        spare = ALPHABET[(ALPHABET.index(part[-1]) + self._source.randint(1, 15)) % 64 if len(part) % 4 else 0]
        at = self._source.randrange(1, len(part))
        parts[which] = self._source.choice(
            [part + b"=", part + b"==", part[:-1] + bytes([spare]), part[:at] + b" " + part[at:], part + b"A"]
        )
        return b".".join(parts).replace(*self._source.choice([(b"-", b"+"), (b"_", b"/"), (b"~", b"~")]))

    def _other_header(self, good: bytes) -> bytes:
        header = json.loads(decode(good.split(b".")[0]))
        header |= self._source.choice([
            {"alg": "none"}, {"alg": "HS256"}, {"alg": self._source.choice(["ES256", "RS256", "Ed25519", "PS256"])},
            {"kid": self._text()}, {"kid": self._source.choice(self._mint.keys).kid}, {"typ": self._text()},
            {"crit": ["exp"]}, {"jwk": self._forgers[0].public_jwk}, {"jku": "https://evil.example/" + self._text()},
            {"alg": self._text()}, {self._text(): self._text()},
        ])  # fmt: skip
        rest = good.split(b".", 1)[1]
        return encode(json.dumps(header).encode()) + b"." + self._source.choice([rest, rest.rpartition(b".")[0] + b"."])

    def _other_payload(self, good: bytes) -> bytes:
        header, payload, signature = good.split(b".")
        claims = json.loads(decode(payload))
        claims[self._source.choice([*claims, "roles", self._text()])] = self._text()
        return b".".join((header, encode(json.dumps(claims).encode()), signature))

    def _forged(self, _good: bytes) -> bytes:
        """All is good, but another key has signed, which says that it is ours."""
        forger = self._source.choice(self._forgers)
        return self._mint.access_token(key=forger, roles=["admin"], jti=self._text()).encode()

    def _wrong_claim(self, _good: bytes) -> bytes:
        """Our issuer's own signature, under what is not for us; none of it has merely expired."""
        now = int(self._mint.clock())
        claim: dict[str, Any] = self._source.choice([
            {"aud": self._text()}, {"aud": AUDIENCE + "/"}, {"aud": OMIT}, {"aud": [[AUDIENCE]]}, {"iss": self._text()},
            {"nbf": now + 3600}, {"iat": now + 3600}, {"exp": OMIT}, {"exp": "4102444800"}, {"exp": True}, {"sub": 1},
            {"client_id": OMIT}, {"jti": OMIT}, {"scope": ["a"]}, {"cnf": {"jkt": self._text()}}, {"cnf": None},
        ])  # fmt: skip
        key = self._source.choice(self._mint.keys)
        if self._source.random() < 0.3:
            return self._mint.access_token(key=key, header={"typ": self._source.choice(["JWT", "logout+jwt"])}).encode()
        return self._mint.access_token(key=key, **({"jti": self._text()} | claim)).encode()

    def _mixed(self, good: bytes) -> bytes:
        """Parts of two good tokens."""
        other = self._mint.access_token(key=self._source.choice(self._mint.keys)).encode().split(b".")
        parts = good.split(b".")
        which = self._source.randrange(3)
        return b".".join([*parts[:which], other[which], *parts[which + 1 :]])

    def _text(self) -> str:
        return "".join(self._source.choices(TEXT, k=self._source.randint(1, 12)))


def encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def is_http(token: bytes) -> bool:
    """Whether a field's value may hold it (RFC 9110 §5.5)."""
    return re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", token) is None


def is_token68(token: bytes) -> bool:
    """Whether the credentials are well-formed (RFC 9110 §11.2)."""
    return re.fullmatch(rb"[A-Za-z0-9\-._~+/]+=*", token.strip(b" \t")) is not None
