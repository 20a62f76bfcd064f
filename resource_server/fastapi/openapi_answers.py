"""The refusals that an operation can give, as OpenAPI responses: their examples are made by what makes the answers."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any, Final

from resource_server.authorization.combination import AllOf, AnyOf
from resource_server.authorization.network import FromNetwork
from resource_server.authorization.policy import Claim, Membership, Owner
from resource_server.authorization.requirement import Requirement
from resource_server.authorization.scopes import Acr, Scopes
from resource_server.challenge import ProtectionSpace, answer
from resource_server.demands import Demands
from resource_server.fastapi.openapi_schemas import PROBLEM, REFUSAL
from resource_server.rate_limit import RateLimit
from resource_server.refusals import TABLE, Kind, Refusal

# No operation documents 500, which is a fault of the API's own code.
_DESCRIPTIONS: Final = {
    400: "The Authorization header is malformed, or the token was sent in more than one way.",
    401: "An access token is missing, or the one presented is not valid here. The challenge says how to get one.",
    403: (
        "The token is good and does not allow this. With a challenge, a token of more scope would; without one, no "
        "other token of the same user would."
    ),
    404: "There is no such thing, or it is hidden from this caller.",
    405: "The path is known and has no such method. Allow names those that it has.",
    413: "The body is too large.",
    422: "The content is not what the operation takes. As a problem, it says what is wrong where.",
    429: (
        "Too many tokens from the caller's address were no good, so this one was not looked at. It may well be good: "
        "keep it, and wait."
    ),
    431: "The Authorization header is too large.",
    503: "It can't be decided at the moment, since the issuer can't be reached. The token may well be good: keep it.",
}
_HEADERS: Final[dict[int, tuple[str, dict[str, Any]]]] = {
    405: (
        "Allow",
        {
            "description": "The methods of the path (RFC 9110 §10.2.1).",
            "schema": {"type": "string", "examples": ["GET, HEAD"]},
        },
    ),
    429: (
        "Retry-After",
        {"description": "Seconds after which another token is looked at.", "schema": {"type": "integer", "minimum": 1}},
    ),
    503: (
        "Retry-After",
        {
            "description": "Seconds after which another try makes sense.",
            "schema": {"type": "integer", "minimum": 1, "examples": [30]},
        },
    ),
}
_REFUSED_BY: Final[dict[type[Requirement], Kind]] = {
    FromNetwork: Kind.NETWORK,
    Acr: Kind.INSUFFICIENT_AUTHENTICATION,
    Scopes: Kind.INSUFFICIENT_SCOPE,
    Membership: Kind.MISSING_ROLE,
    Claim: Kind.MISSING_CLAIM,
    Owner: Kind.NOT_OWNER,
}
"""What each requirement refuses with; a callable of the API's own, by its policy."""
_UNREADABLE: Final = {"title": "Bad Request", "status": 400, "detail": "There was an error parsing the body"}
"""What FastAPI says of a body that it can't read, in the form of the others."""
PLAIN_NOT_FOUND: Final[dict[str, Any]] = {
    "description": _DESCRIPTIONS[404],
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}},
            "examples": {"hidden": {"value": {"detail": "Not Found"}}},
        }
    },
}
"""The 404 of an application that answers in FastAPI's own form; what is hidden looks like it."""

NOTHING: Final = Demands()


def refusals_of(requirement: AllOf, *, limited: bool = False) -> list[Kind]:
    """The kinds by which an operation may refuse; ``limited`` where failed authentications are."""
    kinds = [Kind.MALFORMED_CREDENTIALS, Kind.NO_CREDENTIALS, Kind.BAD_SIGNATURE, Kind.EXPIRED]
    for part in _parts(requirement):
        if isinstance(part, Owner) and part.hide:
            kinds.append(Kind.HIDDEN)
        else:
            kinds.append(_REFUSED_BY.get(type(part), Kind.POLICY))
    if Kind.INSUFFICIENT_AUTHENTICATION in kinds and Kind.INSUFFICIENT_SCOPE in kinds:
        kinds.append(Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE)
    kinds += [Kind.RATE_LIMITED] if limited else []
    return [*kinds, Kind.OVERSIZED_CREDENTIALS, Kind.ISSUER_UNAVAILABLE]


def _parts(requirement: Requirement) -> Iterator[Requirement]:
    if isinstance(requirement, AllOf | AnyOf):
        for member in requirement.members:
            yield from _parts(member)
    else:
        yield requirement


class Responses:
    """Makes the responses of an application's operations, and the schemas that they refer to.

    ``taken`` are the names of the application's own schemas, which stand. ``rate`` limits failed authentications.
    """

    def __init__(self, space: ProtectionSpace, taken: Iterable[str], rate: RateLimit | None = None) -> None:
        prefix = "ResourceServer" if {"Refusal", "Problem"} & set(taken) else ""
        self._space = space
        self.rate = rate
        self._refusal, self._problem = f"{prefix}Refusal", f"{prefix}Problem"

    @property
    def schemas(self) -> dict[str, Any]:
        """By name."""
        problem = {"allOf": [_reference(self._refusal)], **PROBLEM}
        return deepcopy({self._refusal: REFUSAL, self._problem: problem})  # users write into an application's schema

    def of(self, kinds: Iterable[Kind], demands: Demands = NOTHING) -> dict[int, dict[str, Any]]:
        """A response for each status of some kinds."""
        by_status: dict[int, list[Kind]] = {}
        for kind in dict.fromkeys(kinds):
            by_status.setdefault(TABLE[kind].status, []).append(kind)
        return {status: self._response(status, found, demands) for status, found in by_status.items()}

    def of_unreadable(self, refused: dict[str, Any] | None) -> dict[str, Any]:
        """A 400 that is also given to content that is no text, or is nested too deeply; it has no challenge then."""
        if refused is None:
            response: dict[str, Any] = {"description": "The content can't be read.", "content": self._content({})}
        else:
            response = {**refused, "description": f"{refused['description']} Or the content can't be read."}
        response["content"]["application/json"]["examples"]["unreadable_content"] = {"value": dict(_UNREADABLE)}
        return response

    def _response(self, status: int, kinds: list[Kind], demands: Demands) -> dict[str, Any]:
        """Its headers and body, with an example for each kind, as the path itself renders it."""
        rendered = {kind.value: answer(Refusal(kind), self._space, demands) for kind in kinds}
        challenges = [value for one in rendered.values() for name, value in one.headers if name == "www-authenticate"]
        headers: dict[str, Any] = {}
        if challenges:
            headers["WWW-Authenticate"] = {
                "description": "How to authenticate, or what the token lacks (RFC 6750 §3).",
                "schema": {"type": "string", "examples": list(dict.fromkeys(challenges))},
            }
        if status in _HEADERS:
            name, headers[name] = deepcopy(_HEADERS[status])
        if status == TABLE[Kind.RATE_LIMITED].status and self.rate is not None:
            headers["Retry-After"]["schema"]["examples"] = [self.rate.longest_wait]
        content = self._content({name: {"value": one.body} for name, one in rendered.items()})
        return {"description": _DESCRIPTIONS[status], "headers": headers, "content": content}

    def _content(self, examples: dict[str, Any]) -> dict[str, Any]:
        return {
            "application/json": {"schema": _reference(self._refusal), "examples": examples},
            "application/problem+json": {"schema": _reference(self._problem)},
        }


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def own_answers(path: str, operation: dict[str, Any]) -> list[Kind]:
    """The kinds by which an application itself refuses, where it gives all answers in their form."""
    kinds = [Kind.METHOD_NOT_ALLOWED]
    if "{" in path:
        kinds.append(Kind.HIDDEN)  # with a slash in a parameter, it is another path
    if "422" in operation["responses"]:
        kinds.append(Kind.INVALID_CONTENT)
    return kinds
