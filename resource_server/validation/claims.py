"""What the claims of an access token must say (RFC 9068 §4, RFC 7519 §4.1).

Pure: values in, a token or a refusal out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from resource_server.access_token import AccessToken, freeze
from resource_server.refusals import Kind, Refusal

_ACCESS_TOKEN_TYPES = frozenset({"at+jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What one issuer's tokens are held against."""

    issuer: str
    audience: frozenset[str]
    """A token must name at least one of these, whole and to the letter."""
    leeway: float = 30.0
    """Seconds by which clocks may differ; for exp, nbf and iat alike."""
    scope_claim: str = "scope"
    roles_claim: tuple[str, ...] = ("roles",)
    """A path of member names, outermost first; so are the next two."""
    groups_claim: tuple[str, ...] = ("groups",)
    entitlements_claim: tuple[str, ...] = ("entitlements",)


def check_type(typ: str | None) -> None:
    """Demand the media type of an access token, so that no other JWT of the issuer passes (RFC 9068 §4 no. 1).

    Compared without regard to case; a value without a slash stands for ``application/`` plus it (RFC 7515 §4.1.9).
    """
    if typ is None or typ.lower() not in _ACCESS_TOKEN_TYPES:
        raise Refusal(Kind.WRONG_TOKEN_TYPE, "typ is not at+jwt")


def check_issuer(payload: Mapping[str, Any], trusted: Iterable[str]) -> str:
    """Demand an issuer that we trust, to the letter (RFC 8725 §3.8): a trailing slash makes another issuer."""
    issuer = payload.get("iss")
    if type(issuer) is not str or issuer not in trusted:
        raise Refusal(Kind.WRONG_ISSUER, "iss is no issuer of ours")
    return issuer


def read(payload: Mapping[str, Any], rules: ClaimRules, now: float) -> AccessToken:
    """Judge the claims of a token whose signature is good, and read them.

    ``exp`` must be there, but whether it has passed is not judged here: that comes after the sender's
    confirmation, and on every request (:func:`is_expired`). Raises :class:`Refusal`.
    """
    subject, client_id, expires_at = check_required(payload)
    audience = check_audience(payload, rules)
    issued_at = check_begun(payload, rules, now)
    scopes, roles, groups, entitlements = check_granted(payload, rules)
    return AccessToken(
        issuer=rules.issuer,
        subject=subject,
        client_id=client_id,
        audience=audience,
        scopes=scopes,
        roles=roles,
        groups=groups,
        entitlements=entitlements,
        issued_at=issued_at,
        expires_at=expires_at,
        confirmation=_confirmation(payload),
        claims=freeze(payload),
    )


def check_required(payload: Mapping[str, Any]) -> tuple[str, str, float]:
    """Demand the claims that every access token has (RFC 9068 §2.2); answer sub, client_id and exp."""
    _text(payload, "jti")
    _time(payload, "iat")
    return _text(payload, "sub"), _text(payload, "client_id"), _time(payload, "exp")


def check_audience(payload: Mapping[str, Any], rules: ClaimRules) -> tuple[str, ...]:
    """Demand that the token is for us; answer all that it is for (RFC 7519 §4.1.3)."""
    audience = _audience(payload.get("aud"))
    if rules.audience.isdisjoint(audience):
        raise Refusal(Kind.WRONG_AUDIENCE, f"aud is {', '.join(audience)}, not {', '.join(sorted(rules.audience))}")
    return audience


def check_begun(payload: Mapping[str, Any], rules: ClaimRules, now: float) -> float:
    """Demand that the token is valid already; answer iat (RFC 7519 §4.1.5 and §4.1.6)."""
    issued_at = _time(payload, "iat")
    not_before = _time(payload, "nbf") if "nbf" in payload else None
    if not_before is not None and now < not_before - rules.leeway:
        raise Refusal(Kind.NOT_YET_VALID, f"nbf is {not_before - now:.0f} s ahead")
    if issued_at > now + rules.leeway:
        raise Refusal(Kind.NOT_YET_VALID, f"iat is {issued_at - now:.0f} s ahead")
    return issued_at


def check_granted(payload: Mapping[str, Any], rules: ClaimRules) -> tuple[frozenset[str], ...]:
    """Demand that what is granted can be read, or is absent; answer scopes, roles, groups and entitlements."""
    paths = (rules.roles_claim, rules.groups_claim, rules.entitlements_claim)
    return (_scopes(payload, rules.scope_claim), *(_names(payload, path) for path in paths))


def is_expired(expires_at: float, leeway: float, now: float) -> bool:
    """At the very second of ``exp`` a token is expired (RFC 7519 §4.1.4)."""
    return now >= expires_at + leeway


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    if type(value) is not str or not value:
        raise Refusal(Kind.INVALID_CLAIM, f"{name} is missing or no text")
    return value


def _time(payload: Mapping[str, Any], name: str) -> float:
    value = payload.get(name)
    if type(value) is not int and type(value) is not float:  # a bool is an int to isinstance
        raise Refusal(Kind.INVALID_CLAIM, f"{name} is missing or no number")
    return float(value)


def _audience(value: Any) -> tuple[str, ...]:
    if type(value) is str:
        return (value,)
    if type(value) is list and all(type(member) is str for member in value):
        return tuple(value)
    raise Refusal(Kind.WRONG_AUDIENCE, "aud is missing or neither a text nor an array of texts")


def _scopes(payload: Mapping[str, Any], name: str) -> frozenset[str]:
    """A space-delimited text (RFC 9068 §2.2.3); absent means none."""
    value = payload.get(name, "")
    if type(value) is not str:
        raise Refusal(Kind.INVALID_CLAIM, f"{name} is no text")
    return frozenset(value.split(" ")) - {""}


def _names(payload: Mapping[str, Any], path: tuple[str, ...]) -> frozenset[str]:
    """Roles, groups or entitlements: texts, or objects with a ``value`` (RFC 9068 §2.2.3.1, RFC 7643 §4.1.2)."""
    value: Any = payload
    for step in path:
        if type(value) is not dict:
            raise Refusal(Kind.INVALID_CLAIM, f"{'.'.join(path)} has an unknown shape")
        if step not in value:
            return frozenset()
        value = value[step]
    members = [value] if type(value) is str else value
    if type(members) is not list:
        raise Refusal(Kind.INVALID_CLAIM, f"{'.'.join(path)} is no array")
    names: list[Any] = [member.get("value") if type(member) is dict else member for member in members]
    if not all(type(name) is str for name in names):
        raise Refusal(Kind.INVALID_CLAIM, f"{'.'.join(path)} has a member that is no text")
    return frozenset(names)


def _confirmation(payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A ``cnf`` that is present binds, whatever its value: null and nonsense become an empty, unmeetable one."""
    if "cnf" not in payload:
        return None
    value = payload["cnf"]
    frozen: Mapping[str, Any] = freeze(value) if type(value) is dict else MappingProxyType({})
    return frozen
