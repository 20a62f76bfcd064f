"""The differential oracle: our verdict on a token against PyJWT's and joserfc's on the same bytes.

A token that we accept and both refuse is a finding, and so are claims that one of them reads differently: two parsers
of one text are how claims get confused (CVE-2022-39227). That we refuse more than they do is meant.
"""

import asyncio
import warnings
from collections import Counter
from typing import Any

import jwt as pyjwt
from joserfc import jwt as jose
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry

from resource_server import Issuer
from resource_server.fastapi import ResourceServer
from resource_server.issuers.fetch import Fetched
from resource_server.refusals import Refusal
from tests.fuzz.target import demand
from tests.fuzz.tokens import AUDIENCE, ISSUER, MINT

ALGORITHMS = ["RS256", "PS256", "ES256", "Ed25519", "EdDSA"]
LEEWAY = 30
VERDICTS: Counter[str] = Counter()
"""How often who accepted: an oracle that never sees an acceptance shows nothing."""


class _Registry(JWSRegistry):
    """Has room, and ignores what we ignore (RFC 7515 §4), such as an x5u that is no URL."""

    max_header_length = 64 * 1024
    max_payload_length = 1024 * 1024

    def __init__(self) -> None:
        super().__init__(algorithms=ALGORITHMS, strict_check_header=False)
        used = ("alg", "kid", "typ", "crit", "b64")
        self.header_registry = {name: self.header_registry[name] for name in used if name in self.header_registry}


async def get_keys(url: str) -> Fetched:
    return Fetched(MINT.jwks() if url.endswith("/jwks") else {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"})


def _make_server() -> ResourceServer:
    server = ResourceServer(Issuer(url=ISSUER, audience=AUDIENCE, algorithms=ALGORITHMS), fetch=get_keys, memory=0)
    RUNNER.run(server.issuers.refresh())
    return server


RUNNER = asyncio.Runner()
SERVER = _make_server()
_PUBLIC = {jwk["kid"]: {name: jwk[name] for name in jwk if name != "alg"} for jwk in MINT.jwks()["keys"]}
_KID = {"ES256": "ec", "Ed25519": "ed", "EdDSA": "ed", "RS256": "rsa", "PS256": "rsa"}
"""Whose the only key for an algorithm is, where a token names none (RFC 7515 §4.1.4)."""
_PUBLISHED = {"ec": ["ES256"], "ed": ["Ed25519", "EdDSA"], "rsa": ["RS256"]}
"""What each key may be used for, by its ``alg``; the two names of Ed25519 are one (RFC 9864)."""
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What the peers also raise for a token that they don't understand."""
_PYJWT_KEYS: dict[tuple[str, str], Any] = {}
_JOSE_KEYS = {kid: import_key(jwk) for kid, jwk in _PUBLIC.items()}
_JOSE_CLAIMS = jose.JWTClaimsRegistry(
    leeway=LEEWAY,
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    exp={"essential": True},
)


def check_verdicts(data: bytes) -> None:
    """One token, three verdicts."""
    data = data.lstrip(b" ")  # which belongs to the field: the scheme is followed by one or more (RFC 6750 §2.1)
    ours = read_by_us(data)
    if ours is None:
        VERDICTS["refused"] += 1
        return
    theirs = {"PyJWT": read_by_pyjwt(data), "joserfc": read_by_joserfc(data)}
    accepting = [name for name, read in theirs.items() if read is not None]
    VERDICTS["accepted, as by " + (" and ".join(accepting) or "nobody else")] += 1
    demand(accepting, "we accept what PyJWT and joserfc refuse")
    for name in accepting:
        demand(theirs[name] == ours, f"{name} reads other claims")


def read_by_us(data: bytes) -> dict[str, Any] | None:
    """The payload that the path itself accepts, from an Authorization field on."""
    headers = [(b"authorization", b"Bearer " + data)]
    scope = {"type": "http", "method": "GET", "headers": headers, "query_string": b""}
    try:
        token = RUNNER.run(SERVER.protector.protect(scope))
    except Refusal:
        return None
    payload: dict[str, Any] = _thaw(token.claims)
    return payload


def _thaw(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_thaw(member) for member in value]
    return {name: _thaw(member) for name, member in value.items()} if hasattr(value, "items") else value


def read_by_pyjwt(data: bytes) -> dict[str, Any] | None:
    try:
        header = pyjwt.get_unverified_header(data)
        alg, kid = header["alg"], header.get("kid") or _KID[header["alg"]]
        if alg not in _PUBLISHED[kid]:
            return None
        if (kid, alg) not in _PYJWT_KEYS:
            _PYJWT_KEYS[kid, alg] = pyjwt.PyJWK({**_PUBLIC[kid], "alg": alg}).key
        read: dict[str, Any] = pyjwt.decode(
            data, _PYJWT_KEYS[kid, alg], algorithms=[alg], audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY,
            options={"require": ["exp", "aud", "iss"]},
        )  # fmt: skip
    except (pyjwt.PyJWTError, *_BROKEN):
        return None
    return read


def read_by_joserfc(data: bytes) -> dict[str, Any] | None:
    token = decode_by_joserfc(data)
    try:
        with warnings.catch_warnings(action="ignore"):
            _JOSE_CLAIMS.validate(token.claims if token is not None else {})
    except (JoseError, *_BROKEN):
        return None
    claims: dict[str, Any] | None = token.claims if token is not None else None
    return claims


def decode_by_joserfc(data: bytes) -> Any:
    """What one of the three keys has signed; None for anything else."""

    def choose(token: Any) -> Any:
        alg = token.headers()["alg"]
        kid = token.headers().get("kid") or _KID[alg]
        if alg not in _PUBLISHED[kid]:
            raise ValueError("the key is for another algorithm")
        return _JOSE_KEYS[kid]

    try:
        with warnings.catch_warnings(action="ignore"):
            return jose.decode(data, choose, algorithms=ALGORITHMS, registry=_Registry())
    except (JoseError, *_BROKEN):
        return None
