"""An explanation: the checks of a token, and how a request with it would end.

The verdict is the path's own: the very protector that judges requests says how this one would end. The checks go on
where the path stops at the first failure, by the same functions, so that all that is wrong is seen at once.
"""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf
from resource_server.authorization.requirement import Requirement
from resource_server.authorization.scopes import Scopes
from resource_server.challenge import Answer, answer
from resource_server.check import Check
from resource_server.credentials import credential_fields, extract
from resource_server.explain.jwt_checks import check_jwt
from resource_server.explain.opaque_checks import check_opaque, check_unasked
from resource_server.fastapi import ResourceServer
from resource_server.protector import ANY_TOKEN, Walk
from resource_server.refusals import TABLE, Kind, Refusal


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
    token: str,
    server: ResourceServer,
    *,
    route: str = "",
    requirement: AllOf = ANY_TOKEN,
    path_params: Any = None,
    ask_issuers: bool = True,
) -> Explanation:
    """Explain a token against a resource server, and against one route's requirement if one is given.

    Uses the keys that the server has or can fetch, and asks an introspection endpoint as a request would; resolves no
    URL that a token names. Without ``ask_issuers`` it uses the known keys alone, fetches nothing and shows the token to
    nobody, so that strangers may paste theirs (T36): what only the issuer could tell ends as if that were down. The
    explanation quotes claims of a token that may be forged: it is for whoever holds both the token and the
    configuration.
    """
    scope = _scope(token) | {"path_params": path_params or {}}
    protector = server.protector
    if not ask_issuers:
        protector = protector.judging_by(server.formats.asking_nobody())
    walk = protector.begin()
    refusal: Refusal | None = None
    try:
        await protector.authenticate(scope, requirement, walk)
        await protector.authorize(scope, requirement, walk)
    except Refusal as found:
        refusal = found
    checks = [check async for check in _checks(scope, server, ask_issuers=ask_issuers)]
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


async def _checks(scope: dict[str, Any], server: ResourceServer, *, ask_issuers: bool) -> AsyncIterator[Check]:
    now = server.protector.now()
    try:
        credentials = extract(scope, credential_fields(scope))
        asked = server.formats.introspecting(credentials.token)
    except Refusal as refusal:
        cure = "give the token alone, as the issuer sent it"
        yield Check("syntax", passed=False, found=refusal.reason, cure=cure)
        return
    if asked is not None:
        found = check_opaque(credentials, asked, now) if ask_issuers else check_unasked(credentials, asked)
        async for check in found:
            yield check
        return
    for check in check_jwt(credentials.token, server.issuers, now):
        yield check


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
