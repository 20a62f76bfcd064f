"""Our own parsers: each raises what its docstring says and nothing else, and what it accepts is what was written."""

import base64
import json
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from resource_server import challenge, credentials
from resource_server.access_token import AccessToken
from resource_server.challenge import prefers_problem
from resource_server.forwarding import Forwarding
from resource_server.issuers import algorithms, jwk_set
from resource_server.refusals import Kind, Refusal
from resource_server.validation import claims, compact, strict_json
from resource_server.validation.claims import ClaimRules
from tests.fuzz.target import Finding, demand

NOW = 1_800_000_000.0
RULES = ClaimRules("https://id.example.com", frozenset({"https://api.example.com"}), roles_claim=("realm", "roles"))
TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
FORWARDINGS = [Forwarding(["10.0.0.0/8", "::1"], family=family) for family in ("x-forwarded", "forwarded")]


def refused_as(*kinds: Kind) -> Callable[[Refusal], None]:
    return lambda refusal: demand(refusal.kind in kinds, f"refused as {refusal.kind}")


def check_base64url(data: bytes) -> None:
    """Against the encoder: what is accepted is the one spelling of what comes out."""
    alphabet = re.fullmatch(rb"[A-Za-z0-9_-]*", data) is not None
    if not alphabet:
        return
    try:
        decoded = compact.decode(data)
    except ValueError:
        decoded = None
    try:
        reference = base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4)) if data else None
    except ValueError:
        reference = None
    if reference is not None and base64.urlsafe_b64encode(reference).rstrip(b"=") != data:
        reference = None
    demand(decoded == reference, "not what the reference decodes")


def check_compact(data: bytes) -> None:
    """A token as the Authorization field may hold it, and any other text."""
    text = data.decode("latin-1")
    try:
        jws = compact.parse(text)
    except Refusal as refusal:
        refused_as(Kind.MALFORMED_TOKEN)(refusal)
        return
    header, payload, signature = (base64.urlsafe_b64decode(part + "==") for part in text.split("."))
    demand(jws.signing_input == text.rpartition(".")[0].encode(), "other bytes are verified than were sent")
    demand(jws.signature == signature, "another signature is verified than was sent")
    demand(json.loads(header)["alg"] == jws.header.algorithm, "another alg is used than was sent")
    demand(json.loads(payload) == jws.payload, "other claims are read than were sent")
    known = {jws.header_text: jws.header}
    demand(compact.parse(text, known) == jws, "a header that is known reads differently")


def check_header(data: bytes) -> None:
    """A decoded JOSE header."""
    try:
        header = compact.parse_header(data)
    except ValueError:
        return
    members = json.loads(data)
    read = (header.algorithm, header.key_id, header.type)
    demand(read == (members["alg"], members.get("kid"), members.get("typ")), "other members are used than were sent")
    demand(not {"crit", "enc"} & members.keys(), "critical, or encrypted")


def check_json(data: bytes) -> None:
    """JSON: the standard library must read the same, with no name twice, within the bounds; and the judge too."""
    try:
        value = strict_json.parse_object(data)
    except ValueError as error:
        refused_by_the_judge(data, error)
        return
    demand(repr(value) == repr(strict_json.read_exactly(data)), "the judge reads something else")
    demand(value == json.loads(data.decode(), object_pairs_hook=_once), "read differently")
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    members, depth = _measure(value)
    demand(depth <= strict_json.MAX_DEPTH, f"{depth} levels")
    demand(members <= strict_json.MAX_MEMBERS, f"{members} members")


def refused_by_the_judge(data: bytes, error: ValueError) -> None:
    """The faster parser refuses nothing by itself."""
    try:
        strict_json.read_exactly(data)
    except ValueError as exact:
        demand(str(error) == str(exact), "the judge gives another reason")
        return
    raise Finding("the judge accepts")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    demand(len(dict(pairs)) == len(pairs), "a name occurs twice")
    return dict(pairs)


def _measure(value: Any) -> tuple[int, int]:
    if not isinstance(value, dict | list):
        return 0, 0
    inner = [_measure(member) for member in (value.values() if isinstance(value, dict) else value)]
    return len(value) + sum(members for members, _ in inner), 1 + max((depth for _, depth in inner), default=0)


def check_credentials(data: bytes) -> None:
    """A raw query in the first line, then raw Authorization fields."""
    query, *fields = data.split(b"\n")
    headers = [(b"authorization", field) for field in fields]
    scope = {"headers": headers, "query_string": query}
    try:
        found = credentials.extract(scope, credentials.credential_fields(scope), schemes=("Bearer", "DPoP"))
    except Refusal as refusal:
        refused_as(
            Kind.NO_CREDENTIALS, Kind.CREDENTIALS_IN_QUERY, Kind.UNSUPPORTED_SCHEME, Kind.MALFORMED_CREDENTIALS,
            Kind.REPEATED_CREDENTIALS, Kind.OVERSIZED_CREDENTIALS,
        )(refusal)  # fmt: skip
        return
    demand(len(fields) == 1, "taken from one of several fields")
    demand(TOKEN68.fullmatch(found.token), "not a token68")
    written = f"{found.scheme} {found.token}".lower()
    demand(re.sub(" +", " ", fields[0].decode("ascii")).lower() == written, "not what was sent")


def check_challenges(data: bytes) -> None:
    """A WWW-Authenticate field; what can be written reads back the same."""
    text = data.decode("latin-1")
    try:
        found = challenge.parse(text)
    except ValueError:
        return
    try:
        written = ", ".join(map(str, found))
    except ValueError:
        return  # read are obs-text and tabs too, written are they never
    demand(challenge.parse(written) == found, "reads back differently")


def check_forwarding(data: bytes) -> None:
    """Each line is a field: X-Forwarded-For by default, X-Forwarded-Proto after ``p``, Forwarded after ``f``."""
    names = {b"p": b"x-forwarded-proto", b"f": b"forwarded"}
    headers = [
        (names[line[:1]], line[1:]) if line[:1] in names else (b"x-forwarded-for", line) for line in data.split(b"\n")
    ]
    for forwarding in FORWARDINGS:
        try:
            client = forwarding.client({"headers": headers, "client": ("10.0.0.1", 1), "scheme": "http"})
        except Refusal as refusal:
            refused_as(Kind.PLAIN_HTTP, Kind.MALFORMED_FORWARDING)(refusal)
        else:
            demand(re.fullmatch("[0-9a-f.:]+|None", str(client.address)), "an address with a stranger's text in it")


def check_jwk_set(data: bytes) -> None:
    """A key set, from whoever answers in the issuer's place."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(document, dict):
        return
    try:
        keys = jwk_set.read(document, algorithms.DEFAULT)
    except ValueError:
        return
    for key in keys.keys:
        demand(key.algorithm.name in algorithms.DEFAULT, "an algorithm that is not allowed")
        demand(keys.find(key.kid, "none") is None and keys.find(key.kid, "HS256") is None, "a key for none or HS256")
        try:
            good = key.verify(b"a.b", bytes(64))
        except Exception:  # noqa: BLE001 - the validator takes any for a bad signature
            good = False
        demand(not good, "a signature of zeros is good")


def check_claims(data: bytes) -> None:
    """A payload whose signature is good."""
    try:
        payload = strict_json.parse_object(data)
    except ValueError:
        return
    try:
        token = claims.read(payload, RULES, NOW)
    except Refusal as refusal:
        refused_as(Kind.INVALID_CLAIM, Kind.WRONG_AUDIENCE, Kind.NOT_YET_VALID)(refusal)
        return
    claims.is_expired(token.expires_at, RULES.leeway, NOW)
    _demand_facts(token, payload)


def _demand_facts(token: AccessToken, payload: dict[str, Any]) -> None:
    demand(token.subject == payload["sub"] and token.client_id == payload["client_id"], "not what was claimed")
    demand("https://api.example.com" in token.audience, "not our audience")
    demand(all(isinstance(name, str) for name in (*token.scopes, *token.roles, *token.groups)), "a name is no text")
    demand((token.confirmation is None) == ("cnf" not in payload), "a confirmation is lost")
    demand(isinstance(token.claims, MappingProxyType) and hash(token.audience), "can be changed")


def check_accept(data: bytes) -> None:
    """An Accept field."""
    prefers_problem(data.decode("latin-1"))
