"""Why a token is, or is not, accepted: one list of checks, rendered as text, JSON or a page.

The verdict is the path's own: the very protector that judges requests says how this one would end. The checks go on
where the path stops at the first failure, by the same functions, so that all that is wrong is seen at once.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf
from resource_server.authorization.requirement import Requirement
from resource_server.authorization.scopes import Scopes
from resource_server.challenge import Answer, answer
from resource_server.check import Check
from resource_server.credentials import credential_fields, extract
from resource_server.fastapi import ResourceServer
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwk_set import Key
from resource_server.issuers.trusted_issuers import TrustedIssuer, TrustedIssuers
from resource_server.issuers.urls import difference
from resource_server.protector import ANY_TOKEN, Walk
from resource_server.refusals import TABLE, Kind, Refusal
from resource_server.validation import claims, compact
from resource_server.validation.claims import ClaimRules, rules_of
from resource_server.validation.compact import CompactJws
from resource_server.validation.jwt import check_algorithm, check_signature


@dataclass(frozen=True, slots=True)
class Explanation:
    """All checks, and how a request with this token would end."""

    checks: tuple[Check, ...]
    kind: Kind | None
    """None where it would be granted."""
    status: int
    challenges: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


async def explain(
    token: str, server: ResourceServer, *, route: str = "", requirement: AllOf = ANY_TOKEN, path_params: Any = None
) -> Explanation:
    """Explain a token against a resource server, and against one route's requirement if one is given.

    Uses the keys that the server has or can fetch; resolves no URL that a token names. The explanation quotes claims of
    a token that may be forged: it is for whoever holds both the token and the configuration.
    """
    scope = _scope(token) | {"path_params": path_params or {}}
    walk = server.protector.begin()
    refusal: Refusal | None = None
    try:
        await server.protector.authenticate(scope, requirement, walk)
        await server.protector.authorize(scope, requirement, walk)
    except Refusal as found:
        refusal = found
    checks = list(_checks(token, server))
    if all(check.passed for check in checks) and requirement.members:
        checks += [check async for check in _requirements(server, route, requirement, scope, walk)]
    rendered: Answer | None = answer(refusal, server.space, requirement.demands) if refusal else None
    challenges = tuple(value for name, value in rendered.headers if name == "www-authenticate") if rendered else ()
    return Explanation(
        tuple(checks), refusal.kind if refusal else None, rendered.status if rendered else 200, challenges
    )


def _scope(token: str) -> dict[str, Any]:
    field = b"Bearer " + token.encode("utf-8", "surrogateescape")
    return {"type": "http", "method": "GET", "headers": [(b"authorization", field)], "query_string": b""}


def _checks(token: str, server: ResourceServer) -> Iterator[Check]:
    scope = _scope(token)
    try:
        jws = compact.parse(extract(scope, credential_fields(scope)).token)
    except Refusal as refusal:
        cure = "give the token alone, as the issuer sent it: three parts of base64url, joined by two periods"
        yield Check("syntax", passed=False, found=refusal.reason, cure=cure)
        return
    yield Check("syntax", passed=True, found="a signed JWT")
    trusted = _nearest(jws, server.issuers)
    rules = rules_of(trusted.issuer, trusted.name, trusted.grants, trusted.tenant)
    yield _type(jws, rules)
    yield _issuer(jws, server.issuers, trusted)
    yield _algorithm(jws, trusted.issuer)
    yield _signature(jws, trusted, rules)
    yield _audience(jws, rules)
    yield _passes(
        "claims",
        lambda: (claims.check_required(jws.payload, rules), claims.check_granted(jws.payload, rules)),
        "ask the issuer for RFC 9068 access tokens, or use the preset of your provider",
    )
    yield from _lifetime(jws, rules, server.protector.now())
    yield Check(
        "confirmation",
        passed="cnf" not in jws.payload,
        found="bound to its sender" if "cnf" in jws.payload else "a bearer token",
        cure="nothing here confirms a sender yet: ask the issuer for bearer tokens" if "cnf" in jws.payload else "",
    )


def _passes(name: str, check: Callable[[], object], cure: str, *, found: str = "", expected: str = "") -> Check:
    try:
        check()
    except Refusal as refusal:
        return Check(name, passed=False, found=found or refusal.reason, expected=expected, cure=cure)
    return Check(name, passed=True, found=found, expected="")


def _nearest(jws: CompactJws, issuers: TrustedIssuers) -> TrustedIssuer:
    """The issuer that the token names; else the one that it nearly names, else the first."""
    said = str(jws.payload.get("iss"))
    found = issuers.find(said)
    if found is None:
        name = next((name for name in issuers.names if difference(said, name)), issuers.first)
        found = issuers.find(name)
    if found is None:  # every tenant of the world is trusted, and this is none
        keys = next(iter(issuers))
        found = TrustedIssuer(keys.issuer.url, keys, issuers.grants(keys.issuer.url))
    return found


def _type(jws: CompactJws, rules: ClaimRules) -> Check:
    looks_like_id_token = {"nonce", "at_hash"} & jws.payload.keys()
    cure = "this looks like an ID token: send the access token" if looks_like_id_token else ""
    return _passes(
        "type",
        lambda: _check_kind(jws, rules),
        cure or "ask the issuer for access tokens of RFC 9068, whose typ is at+jwt",
        found=jws.header.type or "(no typ)",
        expected=", ".join(sorted(one or "missing" for one in rules.types if not one or "/" not in one)),
    )


def _check_kind(jws: CompactJws, rules: ClaimRules) -> None:
    claims.check_type(jws.header.type, rules.types)
    claims.check_kind(jws.payload, rules)


def _issuer(jws: CompactJws, issuers: TrustedIssuers, nearest: TrustedIssuer) -> Check:
    said = jws.payload.get("iss")
    near = difference(str(said), nearest.name)
    cure = f"{near}; set RESOURCE_SERVER_ISSUER={said}" if near else "this token is another issuer's"
    if issuers.find(said) is not None:
        return Check("issuer", passed=True, found=str(said))
    return Check("issuer", passed=False, found=str(said), expected=nearest.name, cure=cure)


def _algorithm(jws: CompactJws, issuer: Issuer) -> Check:
    return _passes(
        "algorithm",
        lambda: check_algorithm(jws, issuer),
        "add it to RESOURCE_SERVER_ALGORITHMS if it is one of those that can be, or let the issuer sign by another",
        found=jws.header.algorithm,
        expected=", ".join(issuer.algorithms),
    )


def _signature(jws: CompactJws, trusted: TrustedIssuer, rules: ClaimRules) -> Check:
    known, age = trusted.keys.known, trusted.keys.age
    if known is None or age is None:
        cure = "see that this machine can reach the issuer (resource-server doctor), or set RESOURCE_SERVER_JWKS_URI"
        return Check("signature", passed=False, expected=f"no keys: {trusted.keys.problem}", cure=cure)
    described = f"{jws.header.algorithm}, kid {jws.header.key_id or '(none)'}"
    key = known.find(jws.header.key_id, jws.header.algorithm)
    if key is None:
        kids = ", ".join(sorted({f"{one.kid or '(none)'} {one.algorithm.name}" for one in known.keys})) or "none"
        cure = "no usable key of the issuer has this kid and algorithm: was the token signed by another issuer or key?"
        return Check("signature", passed=False, found=described, expected=f"keys: {kids}", cure=cure)
    cure = "the token was changed, or signed by another key of the same kid"
    check = _passes("signature", lambda: _check_signed(jws, key, rules), cure, found=described)
    return replace(check, found=f"valid ({described}, key set {age:.0f} s old)") if check.passed else check


def _check_signed(jws: CompactJws, key: Key, rules: ClaimRules) -> None:
    check_signature(jws, key)
    claims.check_tenant(jws.payload, rules, key.issuer)


def _audience(jws: CompactJws, rules: ClaimRules) -> Check:
    said = jws.payload.get(rules.audience_claim)
    names = said if isinstance(said, list) else [said]
    wanted = sorted(rules.audience)
    near = [difference(str(name), one) for name in names for one in wanted]
    cure = next(filter(None, near), "")
    return _passes(
        "audience",
        lambda: claims.check_audience(jws.payload, rules),
        f"{cure}; set RESOURCE_SERVER_AUDIENCE to the token's" if cure else "ask the issuer for a token for this API",
        found=", ".join(map(str, names)) if said is not None else f"(no {rules.audience_claim})",
        expected=", ".join(wanted),
    )


def _lifetime(jws: CompactJws, rules: ClaimRules, now: float) -> Iterator[Check]:
    yield _passes(
        "begun",
        lambda: claims.check_begun(jws.payload, rules, now),
        "compare the clocks of the issuer and of this machine",
        found=f"issued {_ago(jws.payload.get('iat'), now)}",
        expected=f"{rules.leeway:.0f} s are forgiven",
    )
    expires: Any = jws.payload.get("exp")
    is_time = isinstance(expires, int | float) and not isinstance(expires, bool)
    expired = not is_time or claims.is_expired(expires, rules.leeway, now)
    word = "expired" if expired else "expires"
    cure = "get a new token; if it is new, compare the clocks" if expired else ""
    forgiven = f"{rules.leeway:.0f} s are forgiven" if expired else ""
    yield Check("expiry", passed=not expired, found=f"{word} {_ago(expires, now)}", expected=forgiven, cure=cure)


def _ago(value: Any, now: float) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "(no time)"
    seconds = timedelta(seconds=min(abs(round(value - now)), 10**9))
    return f"in {seconds}" if value > now else f"{seconds} ago"


async def _requirements(
    server: ResourceServer, route: str, requirement: AllOf, scope: dict[str, Any], walk: Walk
) -> AsyncIterator[Check]:
    assert walk.token is not None  # noqa: S101 - only a token that passed all checks comes here
    circumstances = server.protector.circumstances(scope, walk)
    for member in requirement.members:
        refusal = await member.judge(walk.token, circumstances)
        name = type(member).__name__.lower()
        if refusal is None:
            yield Check(name, passed=True, found=route)
        else:
            row = TABLE[refusal.kind]
            cure = f"would be {row.status} {row.error or row.title}"
            yield Check(name, passed=False, found=_held(member, walk.token), expected=refusal.reason, cure=cure)


def _held(member: Requirement, token: AccessToken) -> str:
    """What the token has of what is required."""
    held = token.scopes if isinstance(member, Scopes) else token.roles
    return " ".join(sorted(held)) or "none"
