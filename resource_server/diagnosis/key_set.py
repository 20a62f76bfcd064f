"""What an issuer's key set is good for: its keys one by one, and whether any can verify a token here."""

import binascii
from base64 import urlsafe_b64decode
from typing import Any, Final

from resource_server.diagnosis.findings import Findings, quoted
from resource_server.diagnosis.spelling import Spelling
from resource_server.issuers import jwk_set
from resource_server.issuers.algorithms import ALGORITHMS, DEFAULT, MAX_RSA_BITS, MIN_RSA_BITS, RSA_EXPONENT
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwk_set import JwkSet

MOST_SHOWN: Final = 20
"""Keys that get a line of their own."""

_PRIVATE: Final = "a private key is published"
_ORDINARY: Final = ("use is not sig", "key_ops has no verify", "kty is none of", "no allowed algorithm fits")
"""Reasons to skip a key that issuers have on purpose: keys for encryption, and for others (RFC 7517 §5)."""


def examine_keys(document: dict[str, Any], issuer: Issuer, spelling: Spelling, findings: Findings) -> None:
    """Write down which keys can verify tokens, by which algorithms, and why the others can't."""
    try:
        found = jwk_set.read(document, issuer.algorithms)
    except ValueError as error:
        advice = f"see that this is the address of the issuer's key set; {spelling.name('jwks_uri')} gives another"
        findings.wrong("keys", str(error), expected="a JWK Set (RFC 7517 §5)", cure=advice)
        return
    members: list[Any] = document["keys"]
    for member in members[:MOST_SHOWN]:
        _key(member, issuer, found, spelling, findings)
    if len(members) > MOST_SHOWN:
        findings.fine("key", f"and {len(members) - MOST_SHOWN} more")
    _shared(found, findings)
    usable = _usable(found)
    if not usable:
        _useless(document, issuer, spelling, findings)
        return
    findings.fine("keys", f"{sum(_is_usable(one, issuer, found) for one in members)} of {len(members)} usable")
    idle = [name for name in issuer.algorithms if name not in usable]
    unused = f"; no key is there for {', '.join(idle)}, which are allowed too" if idle else ""
    findings.fine("algorithms", f"{', '.join(name for name in issuer.algorithms if name in usable)}{unused}")


def _usable(found: JwkSet) -> set[str]:
    return {key.algorithm.name for key in found.keys if found.find(key.kid, key.algorithm.name) is not None}


def _alone(member: Any, issuer: Issuer) -> JwkSet:
    """One key, judged as in the set."""
    return jwk_set.read({"keys": [member]}, issuer.algorithms)


def _is_usable(member: Any, issuer: Issuer, found: JwkSet) -> bool:
    return any(found.find(key.kid, key.algorithm.name) is not None for key in _alone(member, issuer).keys)


def _key(member: Any, issuer: Issuer, found: JwkSet, spelling: Spelling, findings: Findings) -> None:
    alone, described = _alone(member, issuer), _described(member)
    if not alone.skipped:
        names = [key.algorithm.name for key in alone.keys if found.find(key.kid, key.algorithm.name) is not None]
        if names:
            findings.fine("key", f"{described}: for {', '.join(names)}")
        return
    reason = alone.skipped[0].reason
    if reason == _PRIVATE or (isinstance(member, dict) and "k" in member):
        advice = "whoever reads it can sign tokens: let the issuer replace this key at once, and publish public parts"
        findings.wrong("key", f"{described}: not used (a private or secret key is published)", cure=advice)
    elif reason.startswith(_ORDINARY):
        fitting = _usable(jwk_set.read({"keys": [member]}, tuple(ALGORITHMS)))
        hint = f"; {spelling.name('algorithms')} could allow {', '.join(sorted(fitting))}" if fitting else ""
        findings.fine("key", f"{described}: not used ({reason}{hint})")
    else:
        fit = f" ({MIN_RSA_BITS} to {MAX_RSA_BITS} bits, exponent {RSA_EXPONENT})" if _is_rsa(member) else ""
        advice = f"let the issuer replace it by one that can be used{fit}: tokens that it signs are refused"
        findings.warn("key", f"{described}: not used ({quoted(reason)})", cure=advice)


def _is_rsa(member: Any) -> bool:
    return isinstance(member, dict) and member.get("kty") == "RSA"


def _shared(found: JwkSet, findings: Findings) -> None:
    """Keys that can't be told apart."""
    shared: dict[str | None, list[str]] = {}
    for key in found.keys:
        if key.kid is not None and found.find(key.kid, key.algorithm.name) is None:
            names = shared.setdefault(key.kid, [])
            names += [key.algorithm.name] if key.algorithm.name not in names else []
    for kid, names in list(shared.items())[:MOST_SHOWN]:
        advice = "let the issuer give each key a kid of its own: tokens that bear this one are refused"
        findings.warn("key", f"kid {quoted(kid)}: not used, several keys share it ({', '.join(names)})", cure=advice)


def _useless(document: dict[str, Any], issuer: Issuer, spelling: Spelling, findings: Findings) -> None:
    count = len(document["keys"])
    offered = _usable(jwk_set.read(document, tuple(ALGORITHMS)))
    named = {one["alg"] for one in document["keys"] if isinstance(one, dict) and isinstance(one.get("alg"), str)}
    said = quoted(", ".join(sorted(offered | named))) or "no algorithm"
    found = f"none of {count} keys is usable; they offer {said}" if count else "the key set is empty"
    allowed = ", ".join(issuer.algorithms)
    if offered:
        cheap = [name for name in DEFAULT if name in offered]  # T17: the others cost more to refuse
        advice = f"set {spelling.line('algorithms', cheap or [name for name in ALGORITHMS if name in offered])}"
    else:
        advice = "let the issuer publish the keys by which it signs access tokens"
    findings.wrong("keys", found, expected=f"a key for one of {allowed}", cure=advice)


def _described(member: Any) -> str:
    """A key by its kid, kind and size; never its parts."""
    if not isinstance(member, dict):
        return "a key that is no object"
    kid, curve = member.get("kid"), member.get("crv")
    bits = f" {_bits(member.get('n'))} bits" if _is_rsa(member) and _bits(member.get("n")) else ""
    curve = f" {quoted(curve)}" if isinstance(curve, str) else ""
    return f"kid {quoted(kid)}, {quoted(member.get('kty'))}{curve}{bits}"


def _bits(number: object) -> int:
    """The size of a number in base64url; 0 where it is none."""
    if not isinstance(number, str):
        return 0
    try:
        return int.from_bytes(urlsafe_b64decode(number + "=" * (-len(number) % 4)), "big").bit_length()
    except (ValueError, binascii.Error):
        return 0
