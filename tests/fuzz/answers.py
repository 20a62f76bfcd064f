"""What an introspection endpoint answers (RFC 7662), plainly or signed (RFC 9701), from whoever stands in its place.

Whatever it is, the caller is granted only what it says in so many words, and is never blamed for nonsense.
"""

import asyncio
import itertools
import json
import random
from collections.abc import Mapping
from typing import Any

from resource_server import AccessToken, Issuer, ResourceServer
from resource_server.clock import Clock
from resource_server.issuers.client_authentication import SecretBasic
from resource_server.issuers.introspection import OMISSIBLE, Introspection
from resource_server.issuers.introspection_endpoint import PLAIN, SIGNED, Answered
from resource_server.refusals import Kind, Refusal
from tests.fuzz import tokens
from tests.fuzz.oracle import ALGORITHMS, LEEWAY, decode_by_joserfc, get_keys
from tests.fuzz.target import demand
from tests.fuzz.tokens import AUDIENCE, ISSUER, LATE, MINT

NOW = 1_700_000_000
CLIENT = "orders-api"
WORDS = (
    b'"active":true', b'"active":false', b'"token_type":"DPoP"', b'"token_use":"refresh"', b'"cnf":', b"null", b"1e999",
)  # fmt: skip
GOOD: dict[str, Any] = {
    "active": True, "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "client_id": "shop", "scope": "orders:read",
    "iat": NOW - 10, "exp": LATE, "token_type": "Bearer",
}  # fmt: skip
_VALUES: dict[str, list[Any]] = {
    "active": [False, "true", "false", 1, 0, None, [], {}, [True]],
    "token_type": ["DPoP", "refresh_token", "N_A", None, ["Bearer"], "bearer "],
    "token_use": ["refresh", "access", "at+jwt", "ID", None, ["access"]],
    "typ": ["Refresh", "Bearer", "at+jwt", "JWT", None, ["access"]],
    "username": ["bob"],
}
MEMBERS = [*tokens.CLAIMS, *({name: value} for name, values in _VALUES.items() for value in values)]
REFUSED = frozenset(
    {
        Kind.ISSUER_UNAVAILABLE, Kind.REVOKED, Kind.INVALID_CLAIM, Kind.WRONG_AUDIENCE, Kind.WRONG_ISSUER, Kind.EXPIRED,
        Kind.WRONG_TOKEN_TYPE, Kind.NOT_YET_VALID, Kind.UNCONFIRMED_TOKEN,
    }
)  # fmt: skip
_RUNNER = asyncio.Runner()
_NAMES = map("token-{}".format, itertools.count())  # each another, since it is remembered which are not active


class Endpoint:
    """Answers every question with the bytes that are tried."""

    body = b""

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type

    async def __call__(self, url: str, form: dict[str, str], headers: dict[str, str]) -> Answered:
        return Answered(200, self._content_type, self.body)

    async def aclose(self) -> None:
        """Nothing is kept."""


def _server(endpoint: Endpoint, *, signed: bool = False, may_omit: tuple[str, ...] = ()) -> ResourceServer:
    asked = Introspection(
        endpoint=f"{ISSUER}/introspect", client=SecretBasic(CLIENT, "secret"), signed=signed, may_omit=may_omit
    )
    issuer = Issuer(url=ISSUER, audience=AUDIENCE, algorithms=ALGORITHMS, introspection=asked)
    still = Clock(wall=lambda: NOW, monotonic=lambda: 1000.0)
    server = ResourceServer(issuer, fetch=get_keys, post=endpoint, clock=still, memory=0, observers=())
    _RUNNER.run(server.issuers.refresh())
    return server


_PLAIN, _SIGNED = Endpoint(PLAIN), Endpoint(SIGNED)
_STRICT, _LAX = _server(_PLAIN), _server(_PLAIN, may_omit=tuple(name for name in OMISSIBLE if name != "token_type"))
_BY_SIGNATURE = _server(_SIGNED, signed=True)


def judge_plain(data: bytes) -> Kind | None:
    """Why a token is refused of which the issuer says so plainly; None for one that is granted."""
    _PLAIN.body = data
    found = _judge(_STRICT)
    return found if isinstance(found, Kind) else None


def judge_signed(data: bytes) -> Kind | None:
    """The same of a signed answer."""
    _SIGNED.body = data
    found = _judge(_BY_SIGNATURE)
    return found if isinstance(found, Kind) else None


def _judge(server: ResourceServer) -> AccessToken | Kind:
    """The path's verdict on an opaque token whose issuer answers so."""
    headers = [(b"authorization", b"Bearer " + next(_NAMES).encode())]
    scope = {"type": "http", "method": "GET", "headers": headers, "query_string": b""}
    try:
        return _RUNNER.run(server.protector.protect(scope))
    except Refusal as refusal:
        demand(refusal.kind in REFUSED, f"refused as {refusal.kind}")
        return refusal.kind


def check_answer(data: bytes) -> None:
    """A plain answer, where the issuer has to say everything, and where it may leave out what it likes."""
    _PLAIN.body = data
    strict, lax = _judge(_STRICT), _judge(_LAX)
    members = _object(data)
    for found in (strict, lax):
        _demand_said(found, members)
    if isinstance(strict, AccessToken):
        assert members is not None
        demand({"iss", "aud", "sub", "client_id", "exp", "iat"} <= members.keys(), "granted what was left unsaid")
        demand(lax == strict, "what may be left out is judged where it is there")


def check_signed_answer(data: bytes) -> None:
    """A signed answer; what it says counts only if another library finds the signature good."""
    _SIGNED.body = data
    found = _judge(_BY_SIGNATURE)
    if found is Kind.ISSUER_UNAVAILABLE:
        return
    outer = decode_by_joserfc(data)
    demand(outer is not None, "believed what no key of the issuer has signed")
    said, members = outer.claims, outer.claims["token_introspection"]
    demand(str(outer.header["typ"]).lower().endswith("token-introspection+jwt"), "another kind of JWT")
    audience = said["aud"] if isinstance(said["aud"], list) else [said["aud"]]
    demand(said["iss"] == ISSUER and {CLIENT, AUDIENCE} & set(map(str, audience)), "not from the issuer, or not for us")
    demand(-LEEWAY <= NOW - said["iat"] <= 60 + LEEWAY, "somebody's recording")
    _demand_said(found, members)


def _demand_said(found: AccessToken | Kind, members: Mapping[str, Any] | None) -> None:
    """What was granted, or called inactive, was said so."""
    if found is Kind.ISSUER_UNAVAILABLE:
        return
    demand(members is not None, "judged by what is no object")
    assert members is not None
    demand(members.get("active") is (found is not Kind.REVOKED), "active is taken for another value than it has")
    if not isinstance(found, AccessToken):
        return
    demand(members.get("iss") in (ISSUER, None) and found.issuer == ISSUER, "another issuer's")
    aud = members.get("aud")
    demand(aud is None or AUDIENCE in (aud if isinstance(aud, list) else [aud]), "not for us")
    demand(members.get("exp") is None or members["exp"] + LEEWAY > NOW, "expired")
    demand(str(members["token_type"]).lower() == "bearer", "no bearer token")
    demand(members.get("token_use") in (None, "access", "access_token", "at+jwt", "bearer", "Bearer"), "another use")
    demand("cnf" not in members, "bound to its sender")
    demand(members.get("sub") in (found.subject, None), "another subject")
    demand(members.get("client_id") in (found.client_id, None), "another client")
    demand(found.scopes <= set(str(members.get("scope", "")).split(" ")), "scopes that were not granted")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Other members."""
    source = random.Random(seed)
    return json.dumps(_edited(_object(data), source)).encode()[:max_size]


def mutate_signed(data: bytes, max_size: int, seed: int) -> bytes:
    """Other members within, or without, or any other change to a JWT."""
    source = random.Random(seed)
    if source.random() < 0.5:
        return tokens.mutate(data, max_size, seed)
    header, payload, signature = tokens.split(data)
    outer = _object(payload) or {}
    inner = outer.get("token_introspection")
    if source.random() < 0.7:
        outer["token_introspection"] = _edited(inner if isinstance(inner, dict) else None, source)
    else:
        outer.update(source.choice([
            {"iat": source.choice([NOW, NOW - 89, NOW - 91, NOW + 31, NOW + 29, True, "1", None])},
            {"aud": source.choice([CLIENT, [CLIENT], ["x"], [], AUDIENCE, None, {}, [CLIENT, 1]])},
            {"token_introspection": source.choice([None, [], "x", {}, True])},
        ]))  # fmt: skip
    return tokens.signed(header, json.dumps(outer).encode(), signature, source)[:max_size]


def plain_answer(**members: Any) -> bytes:
    """An answer that is believed."""
    return json.dumps(GOOD | members).encode()


def signed_answer(kid: str = "ec", **members: Any) -> bytes:
    """The same, signed."""
    key = next(key for key in MINT.keys if key.kid == kid)
    claims = {"iss": ISSUER, "aud": CLIENT, "iat": NOW, "token_introspection": GOOD | members}
    return MINT.sign(claims, {"typ": "token-introspection+jwt"}, key=key).encode()


def _edited(members: dict[str, Any] | None, source: random.Random) -> dict[str, Any]:
    changed = dict(members or GOOD)
    for _ in range(source.choice((1, 1, 2))):
        changed.update(source.choice(MEMBERS))
    if source.random() < 0.3:
        changed.pop(source.choice(sorted(changed)))
    return changed


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
