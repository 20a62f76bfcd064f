"""The checks of a JWT that its issuer's keys judge."""

from collections.abc import Iterator
from dataclasses import replace

from resource_server.check import Check
from resource_server.explain.claim_checks import check_claims, passes
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwk_set import Key
from resource_server.issuers.trusted_issuers import TrustedIssuer, TrustedIssuers
from resource_server.issuers.urls import difference
from resource_server.refusals import Refusal
from resource_server.validation import claims, compact
from resource_server.validation.claims import ClaimRules, rules_of
from resource_server.validation.compact import CompactJws
from resource_server.validation.jwt import check_algorithm, check_signature


def check_jwt(token: str, issuers: TrustedIssuers, now: float) -> Iterator[Check]:
    """All that is wrong with it, against the issuer that it names or nearly names. Fetches nothing."""
    try:
        jws = compact.parse(token)
    except Refusal as refusal:
        cure = "give the token alone, as the issuer sent it: three parts of base64url, joined by two periods"
        yield Check("syntax", passed=False, found=refusal.reason, cure=cure)
        return
    yield Check("syntax", passed=True, found="a signed JWT")
    trusted = _nearest(jws, issuers)
    rules = rules_of(trusted.issuer, trusted.name, trusted.grants, trusted.tenant)
    yield _type(jws, rules)
    yield _issuer(jws, issuers, trusted)
    yield _algorithm(jws, trusted.issuer)
    yield _signature(jws, trusted, rules)
    yield from check_claims(jws.payload, rules, now)


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
    return passes(
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
    return passes(
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
    check = passes("signature", lambda: _check_signed(jws, key, rules), cure, found=described)
    return replace(check, found=f"valid ({described}, key set {age:.0f} s old)") if check.passed else check


def _check_signed(jws: CompactJws, key: Key, rules: ClaimRules) -> None:
    check_signature(jws, key)
    claims.check_tenant(jws.payload, rules, key.issuer)
