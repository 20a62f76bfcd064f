"""The refusals that an operation can give, as OpenAPI responses: their examples are made by what makes the answers."""

from collections.abc import Iterator
from typing import Any, Final

from resource_server.authorization.combination import AllOf, AnyOf
from resource_server.authorization.policy import Owner
from resource_server.authorization.requirement import Requirement
from resource_server.authorization.scopes import Acr
from resource_server.challenge import ProtectionSpace, answer
from resource_server.refusals import TABLE, Kind, Refusal

_DESCRIPTIONS: Final = {
    400: "The Authorization header is malformed, or the token was sent in more than one way.",
    401: "An access token is missing, or the one presented is not valid here. The challenge says how to get one.",
    403: (
        "The token is good and does not allow this. With a challenge, a token of more scope would; without one, no "
        "other token of the same user would."
    ),
    404: "There is no such thing, or it is hidden from this caller.",
    413: "The body is too large.",
    431: "The Authorization header is too large.",
    503: "It can't be decided at the moment, since the issuer can't be reached. The token may well be good: keep it.",
}
REFERENCE: Final = {"$ref": "#/components/schemas/Refusal"}
SCHEMA: Final[dict[str, Any]] = {
    "title": "Refusal",
    "description": "Why a request was refused. Clients decide by the status and by WWW-Authenticate.",
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "integer", "description": "The HTTP status."},
        "error": {
            "type": "string",
            "description": "A code of RFC 6750 or RFC 9470, or access_denied. Absent where no token was sent.",
        },
        "error_description": {"type": "string", "description": "For developers; the same for every cause of a code."},
        "scope": {"type": "string", "description": "All scopes of the operation, with spaces between them."},
        "title": {"type": "string"},
        "detail": {"type": "string", "description": "How to authenticate."},
        "required_roles": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The roles of which one is needed, where the API discloses them.",
        },
    },
}


def refusals_of(requirement: AllOf, *, bounded: bool) -> dict[int, list[Kind]]:
    """The kinds by which an operation may refuse, by status. ``bounded``: whether bodies may be too large for it."""
    parts = list(_parts(requirement))
    kinds = [Kind.MALFORMED_CREDENTIALS, Kind.NO_CREDENTIALS, Kind.BAD_SIGNATURE, Kind.EXPIRED]
    if any(isinstance(part, Acr) for part in parts):
        kinds.append(Kind.INSUFFICIENT_AUTHENTICATION)
    if requirement.demands.scopes:
        kinds.append(Kind.INSUFFICIENT_SCOPE)
    if any(not part.demands.scopes and not isinstance(part, Acr) for part in parts):
        kinds.append(Kind.MISSING_ROLE if requirement.demands.roles else Kind.POLICY)
    if any(isinstance(part, Owner) and part.hide for part in parts):
        kinds.append(Kind.HIDDEN)
    kinds += [Kind.OVERSIZED_CONTENT] if bounded else []
    kinds += [Kind.OVERSIZED_CREDENTIALS, Kind.ISSUER_UNAVAILABLE]
    by_status: dict[int, list[Kind]] = {}
    for kind in kinds:
        by_status.setdefault(TABLE[kind].status, []).append(kind)
    return by_status


def _parts(requirement: Requirement) -> Iterator[Requirement]:
    if isinstance(requirement, AllOf | AnyOf):
        for member in requirement.members:
            yield from _parts(member)
    else:
        yield requirement


def response_of(status: int, kinds: list[Kind], space: ProtectionSpace, requirement: AllOf) -> dict[str, Any]:
    """One response: its headers and body, with an example for each kind, as the path itself renders it."""
    rendered = {kind.value: answer(Refusal(kind), space, requirement.demands) for kind in kinds}
    challenges = [
        value for one in rendered.values() for name, value in one.headers if name.lower() == "www-authenticate"
    ]
    headers: dict[str, Any] = {}
    if challenges:
        headers["WWW-Authenticate"] = {
            "description": "How to authenticate, or what the token lacks (RFC 6750 §3).",
            "schema": {"type": "string", "examples": list(dict.fromkeys(challenges))},
        }
    if status == 503:
        headers["Retry-After"] = {
            "description": "Seconds after which another try makes sense.",
            "schema": {"type": "integer", "minimum": 1, "examples": [30]},
        }
    content = {"schema": REFERENCE, "examples": {name: {"value": one.body} for name, one in rendered.items()}}
    return {"description": _DESCRIPTIONS[status], "headers": headers, "content": {"application/json": content}}
