"""What the claims of an access token must say (RFC 9068 §4, RFC 7519 §4.1).

Pure: values in, a token or a refusal out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from resource_server.access_token import AccessToken, freeze, seal
from resource_server.issuers.grants import Grants
from resource_server.issuers.issuer import TENANT, Issuer
from resource_server.issuers.token_kind import AT_JWT, bears, spellings
from resource_server.refusals import Kind, Refusal

RFC9068_TYPES = spellings((AT_JWT,))
MAX_SHARED: Final = 16
"""Names in one set that is shared between tokens."""
_TEXT: Final = frozenset((str,))
_NOTHING: Final[frozenset[str]] = frozenset()

Granted = tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]
"""Scopes, roles, groups and entitlements."""


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What the tokens of one issuer's name are held against."""

    issuer: str
    audience: frozenset[str]
    """A token must name at least one of these, whole and to the letter."""
    leeway: float = 30.0
    """Seconds by which clocks may differ; for exp, nbf and iat alike."""
    types: frozenset[str | None] = RFC9068_TYPES
    """The values of ``typ``, in lower case; None for a missing one."""
    markers: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    """Claims that access tokens alone bear: one of the alternatives must be met in whole."""
    foreign_markers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Claims that other tokens bear: none may be there."""
    audience_is_no_client_id: bool = False
    audience_claim: str = "aud"
    client_id_claim: str = "client_id"
    required_claims: tuple[str, ...] = ("jti",)
    scope_claim: str = "scope"
    scope_shape: str = "text"
    roles_claim: tuple[str, ...] = ("roles",)
    """A path of member names, outermost first; so are the next two."""
    roles_shape: str = "names"
    groups_claim: tuple[str, ...] = ("groups",)
    entitlements_claim: tuple[str, ...] = ("entitlements",)
    grants: Grants | None = None
    """What counts of the scopes, roles, groups and entitlements; None for everything."""
    tenant_claim: str = "tid"
    tenant: str | None = None
    """Whose name ``issuer`` is, where it is a tenant's."""


def rules_of(issuer: Issuer, name: str, grants: Grants | None = None, tenant: str | None = None) -> ClaimRules:
    """What an issuer's configuration means for the claims of the tokens that bear this name of it."""
    return ClaimRules(
        issuer=name,
        audience=issuer.audiences,
        leeway=issuer.leeway,
        types=spellings(issuer.accept_typ),
        markers=tuple(issuer.markers),  # type: ignore[arg-type]  # the issuer has made tuples of their values
        foreign_markers=issuer.foreign_markers,  # type: ignore[arg-type]
        audience_is_no_client_id=issuer.audience_is_no_client_id,
        audience_claim=issuer.audience_claim,
        client_id_claim=issuer.client_id_claim,
        required_claims=tuple(issuer.required_claims),
        scope_claim=issuer.scope_claim,
        scope_shape=issuer.scope_shape,
        roles_claim=tuple(issuer.roles_claim),
        roles_shape=issuer.roles_shape,
        groups_claim=tuple(issuer.groups_claim),
        entitlements_claim=tuple(issuer.entitlements_claim),
        grants=grants,
        tenant_claim=issuer.tenant_claim,
        tenant=tenant,
    )


def check_type(typ: str | None, types: frozenset[str | None] = RFC9068_TYPES) -> None:
    """Demand the media type of an access token, so that no other JWT of the issuer passes (RFC 9068 §4 no. 1).

    Compared without regard to case; a value without a slash stands for ``application/`` plus it (RFC 7515 §4.1.9).
    """
    if (typ if typ is None else typ.lower()) not in types:
        raise Refusal(Kind.WRONG_TOKEN_TYPE, "typ is none of those of the issuer's access tokens")


def check_kind(payload: Mapping[str, Any], rules: ClaimRules) -> None:
    """Demand that the claims are those of an access token, where ``typ`` alone does not tell (T18)."""
    for name, values in rules.foreign_markers.items():
        if bears(payload, name, values):
            raise Refusal(Kind.WRONG_TOKEN_TYPE, f"{name} is that of another token than an access token")
    if rules.markers and not any(
        all(bears(payload, name, values) for name, values in alternative.items()) for alternative in rules.markers
    ):
        raise Refusal(Kind.WRONG_TOKEN_TYPE, "no claim marks it as an access token")


def check_tenant(payload: Mapping[str, Any], rules: ClaimRules, key_issuer: str | None) -> None:
    """Demand that a tenant's token says so, and was signed by a key that is that tenant's, too (T19)."""
    if rules.tenant is None:
        return
    if payload.get(rules.tenant_claim) != rules.tenant:
        raise Refusal(Kind.WRONG_ISSUER, f"{rules.tenant_claim} is not the tenant that iss names")
    if key_issuer is not None and key_issuer.replace(TENANT, rules.tenant) != rules.issuer:
        raise Refusal(Kind.WRONG_ISSUER, "the key is another tenant's")


def read(payload: Mapping[str, Any], rules: ClaimRules, now: float, text: bytes | None = None) -> AccessToken:
    """Judge the claims of a token whose signature is good, and read them.

    ``text`` is the JSON that the payload was read from, where it is at hand: the token keeps that, and not the objects.
    ``exp`` must be there, but whether it has passed is not judged here: that comes after the sender's
    confirmation, and on every request (:func:`is_expired`). Raises :class:`Refusal`.
    """
    check_kind(payload, rules)
    subject, client_id, expires_at = check_required(payload, rules)
    audience = check_audience(payload, rules)
    issued_at = check_begun(payload, rules, now)
    granted = check_granted(payload, rules)
    bound_to = _confirmation(payload) if "cnf" in payload else None
    kept = json.dumps(payload, ensure_ascii=False).encode() if text is None else text
    return seal(rules.issuer, subject, client_id, audience, granted, issued_at, expires_at, bound_to, kept)


def check_required(payload: Mapping[str, Any], rules: ClaimRules) -> tuple[str, str, float]:
    """Demand the claims that every access token has (RFC 9068 §2.2); answer sub, client_id and exp."""
    for name in (*rules.required_claims, "sub", rules.client_id_claim):
        value = payload.get(name)
        if type(value) is not str or not value:
            raise Refusal(Kind.INVALID_CLAIM, f"{name} is missing or no text")
    _time(payload, "iat")
    return payload["sub"], payload[rules.client_id_claim], _time(payload, "exp")


def check_audience(payload: Mapping[str, Any], rules: ClaimRules) -> tuple[str, ...]:
    """Demand that the token is for us; answer all that it is for (RFC 7519 §4.1.3)."""
    value = payload.get(rules.audience_claim)
    if type(value) is str:
        audience: tuple[str, ...] = (value,)
    elif type(value) is list and _TEXT.issuperset(map(type, value)):
        audience = tuple(value)
    else:
        reason = f"{rules.audience_claim} is missing or neither a text nor an array of texts"
        raise Refusal(Kind.WRONG_AUDIENCE, reason)
    if rules.audience.isdisjoint(audience):
        said, wanted = ", ".join(audience), ", ".join(sorted(rules.audience))
        raise Refusal(Kind.WRONG_AUDIENCE, f"{rules.audience_claim} is {said}, not {wanted}")
    if rules.audience_is_no_client_id and payload.get(rules.client_id_claim) in tuple(rules.audience):
        raise Refusal(Kind.WRONG_TOKEN_TYPE, "it is for its own client, as an ID token is")
    return audience


def check_begun(payload: Mapping[str, Any], rules: ClaimRules, now: float) -> float:
    """Demand that the token is valid already; answer iat (RFC 7519 §4.1.5 and §4.1.6)."""
    issued_at = _time(payload, "iat")
    if "nbf" in payload and now < (not_before := _time(payload, "nbf")) - rules.leeway:
        raise Refusal(Kind.NOT_YET_VALID, f"nbf is {not_before - now:.0f} s ahead")
    if issued_at > now + rules.leeway:
        raise Refusal(Kind.NOT_YET_VALID, f"iat is {issued_at - now:.0f} s ahead")
    return issued_at


def check_granted(payload: Mapping[str, Any], rules: ClaimRules) -> Granted:
    """Demand that what is granted can be read, or is absent; answer scopes, roles, groups and entitlements.

    What the issuer may not grant is dropped: a partner's word does not make an administrator here (T1).
    """
    scopes = _scopes(payload, rules.scope_claim, rules.scope_shape)
    roles = _names(payload, rules.roles_claim, rules.roles_shape) if rules.roles_claim[0] in payload else _NOTHING
    groups = _names(payload, rules.groups_claim) if rules.groups_claim[0] in payload else _NOTHING
    entitled = _names(payload, rules.entitlements_claim) if rules.entitlements_claim[0] in payload else _NOTHING
    if (grants := rules.grants) is None:
        return scopes, roles, groups, entitled
    return (
        scopes.intersection(grants.scopes),
        roles.intersection(grants.roles),
        groups.intersection(grants.groups),
        entitled.intersection(grants.entitlements),
    )


def is_expired(expires_at: float, leeway: float, now: float) -> bool:
    """At the very second of ``exp`` a token is expired (RFC 7519 §4.1.4)."""
    return now >= expires_at + leeway


def _time(payload: Mapping[str, Any], name: str) -> float:
    value = payload.get(name)
    if type(value) is not int and type(value) is not float:  # a bool is an int to isinstance
        raise Refusal(Kind.INVALID_CLAIM, f"{name} is missing or no number")
    return float(value)


def _scopes(payload: Mapping[str, Any], name: str, shape: str) -> frozenset[str]:
    """A space-delimited text (RFC 9068 §2.2.3), or an array where the issuer is known for one; absent means none."""
    value = payload.get(name, "" if shape == "text" else [])
    if shape == "array":
        if type(value) is not list or not all(type(scope) is str for scope in value):
            raise Refusal(Kind.INVALID_CLAIM, f"{name} is no array of texts")
        return frozenset(value) - {""}
    if type(value) is not str:
        raise Refusal(Kind.INVALID_CLAIM, f"{name} is no text")
    return _listed(value) if value.count(" ") < MAX_SHARED else frozenset(value.split(" ")) - {""}


def _names(payload: Mapping[str, Any], path: tuple[str, ...], shape: str = "names") -> frozenset[str]:
    """Roles, groups or entitlements: texts, or objects with a ``value`` (RFC 9068 §2.2.3.1, RFC 7643 §4.1.2).

    In the shape ``members``, an object whose members bear the names.
    """
    value: Any = payload
    for step in path:
        if type(value) is not dict:
            raise Refusal(Kind.INVALID_CLAIM, f"{'.'.join(path)} has an unknown shape")
        if step not in value:
            return _NOTHING
        value = value[step]
    if shape == "members":
        if type(value) is not dict:
            raise Refusal(Kind.INVALID_CLAIM, f"{'.'.join(path)} is no object")
        return frozenset(value)
    members = [value] if type(value) is str else value
    if type(members) is not list:
        raise Refusal(Kind.INVALID_CLAIM, f"{'.'.join(path)} is no array")
    names: list[Any] = [member.get("value") if type(member) is dict else member for member in members]
    if not _TEXT.issuperset(map(type, names)):
        raise Refusal(Kind.INVALID_CLAIM, f"{'.'.join(path)} has a member that is no text")
    return _set(tuple(names))


def _set(names: tuple[str, ...]) -> frozenset[str]:
    """The same object for the same few names: of thousands of remembered tokens most are granted the same."""
    return _shared(names) if len(names) <= MAX_SHARED else frozenset(names)


@lru_cache(maxsize=1024)
def _listed(names: str) -> frozenset[str]:
    return frozenset(names.split(" ")) - {""}


@lru_cache(maxsize=1024)
def _shared(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names)


def _confirmation(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """A ``cnf`` that is present binds, whatever its value: null and nonsense become an empty, unmeetable one."""
    value = payload["cnf"]
    frozen: Mapping[str, Any] = freeze(value) if type(value) is dict else MappingProxyType({})
    return frozen
