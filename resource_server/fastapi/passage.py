"""One request's way through one resource server: decided once, however many ``requires()`` its route has."""

import contextlib
import logging
import math
from collections.abc import Mapping, MutableMapping
from typing import Any

from fastapi import HTTPException

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf
from resource_server.challenge import Answer, ProtectionSpace, answer
from resource_server.credentials import credential_fields
from resource_server.demands import Demands
from resource_server.fastapi.operation import Operation, Operations, template
from resource_server.fastapi.overrides import overriding_token
from resource_server.fastapi.refused import Refused
from resource_server.protector import ANY_TOKEN, ResourceProtector
from resource_server.refusals import Kind, Refusal

_log = logging.getLogger("resource_server")


class RequestPassage:
    """What was decided about one request, kept in its ASGI scope, for one resource server.

    It is good for the credential lines that it judged and for no others.
    """

    __slots__ = (
        "_covers", "_everything", "_gated", "_operations", "_overridden", "_protector", "_refusal", "_replaced",
        "_requirement", "_scope", "_space", "_told", "_walk", "answer", "authenticated", "headers",
    )  # fmt: skip

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        protector: ResourceProtector,
        space: ProtectionSpace,
        operations: Operations,
        *,
        gated: bool,
        everything: bool = False,
        replaced: bool = False,
    ) -> None:
        self._scope = scope
        self._protector = protector
        self._space = space
        self._operations = operations
        self._gated = gated
        self._everything = everything
        self._replaced = replaced
        self._walk = protector.begin()
        self._refusal: Refusal | None = None
        self._covers: Mapping[int, AllOf] = {}
        self._requirement = ANY_TOKEN
        self._overridden = False
        self._told = False
        self.headers = scope["headers"]
        self.answer: Answer | None = None
        self.authenticated = False

    def judged(self, scope: MutableMapping[str, Any]) -> bool:
        """Whether a scope still bears the credentials that this passage is about."""
        if scope["headers"] is self.headers:
            return True
        try:
            return credential_fields(scope) == credential_fields({"headers": self.headers})
        except Refusal:
            return False

    @property
    def bare_challenge(self) -> str:
        """For a 401 of the application's own, which needs a challenge like any other (RFC 9110 §15.5.2)."""
        missing = answer(Refusal(Kind.NO_CREDENTIALS), self._space, self._requirement.demands)
        return next(value for name, value in missing.headers if name == "www-authenticate")

    @property
    def unrouted(self) -> bool:
        """Whether anything is to be decided before routing."""
        return self._everything or self._replaced

    async def decide_unrouted(self) -> None:
        """Authenticate before routing, where everything is protected.

        Judge there, too, where an override stands in the place of a dependency that would: ``Security(api, …)``.
        """
        if self._everything:
            await self._authenticate_unrouted()
        found = self._operations.find(self._scope) if self._replaced and self.answer is None else None
        if found is not None and found[0].replaced:
            with contextlib.suppress(HTTPException):  # its answer is kept
                await self._require(found[1], found[0])

    async def _authenticate_unrouted(self) -> None:
        """Only a refusal costs the search for the route, whose scopes belong into the challenge."""
        try:
            await self._authenticate(self._scope, ANY_TOKEN)
        except Refusal as refusal:
            found = self._operations.find(self._scope)
            operation = found[0] if found is not None else Operation(ANY_TOKEN)
            self._walk.route = operation.route
            if refusal.kind not in (Kind.PLAIN_HTTP, Kind.MALFORMED_FORWARDING, Kind.OVERSIZED_CREDENTIALS):
                refusal = _barred(operation.requirement, self._walk.client, refusal)
            self._refuse(refusal, operation.requirement.demands)

    async def decide_routed(self) -> bool:
        """Decide for the matched route. Raises :class:`Refused`, or a plain 404 for what is hidden.

        A framework that reads a body takes any other exception for a broken body and would blame the client, so a
        failure of ours is refused as one.
        """
        operation = self._operations.matched(self._scope)
        if operation is not None:
            try:
                await self._require(self._scope, operation)
            except HTTPException:
                raise
            except Exception as error:  # noqa: BLE001 - told to the operator, and refused
                refusal = Refusal(Kind.POLICY_ERROR, f"{type(error).__name__} while deciding")
                refusal.__cause__ = error
                raise self._refuse(refusal, operation.requirement.demands) from refusal
        return operation is not None or "route" in self._scope

    async def require(self, scope: MutableMapping[str, Any], requirement: AllOf) -> AccessToken:
        """Decide for one ``requires()``: by what was decided for its whole operation, if it belongs to that."""
        if id(requirement) not in self._covers or self._refusal is not None:
            operation = self._operations.matched(scope)
            if operation is None or id(requirement) not in operation.covers:
                operation = Operation(requirement, covers={id(requirement): requirement})
            await self._require(scope, operation)
            if not self._gated:
                self.end()
        assert self._walk.token is not None  # noqa: S101 - who is not authenticated was refused
        return self._walk.token

    def refuse_content(self) -> HTTPException:
        """For a body that is larger than allowed."""
        return self._refuse(
            Refusal(Kind.OVERSIZED_CONTENT, "the body is larger than max_body"), self._requirement.demands
        )

    def end(self) -> None:
        """Tell the observers, once."""
        if not self._told and (self.authenticated or self._refusal is not None):
            self._told = True
            self._walk.route = self._walk.route or template(self._scope)
            self._protector.tell(self._scope, self._walk, self._refusal)

    def seconds_left(self) -> float:
        """Until the token expires: when an open stream has to be judged again at the latest."""
        if self._overridden:
            return math.inf
        return self._protector.seconds_left(self._walk)

    async def judge_again(self) -> bool:
        """Whether an open stream would still be granted: key, expiry, confirmation and requirements anew."""
        if self._overridden:
            return True
        try:
            await self._protector.authenticate(self._scope, self._requirement, self._walk)
            await self._protector.authorize(self._scope, self._requirement, self._walk)
        except Exception as error:  # noqa: BLE001 - whatever fails while judging, the stream is not granted
            refusal = error if isinstance(error, Refusal) else Refusal(Kind.POLICY_ERROR, type(error).__name__)
            if refusal is not error:
                _log.exception("an open stream could not be judged again")
            self._refusal = refusal
            self._protector.tell(self._scope, self._walk, refusal)
            return False
        return True

    async def _require(self, scope: MutableMapping[str, Any], operation: Operation) -> None:
        self._walk.route = operation.route or self._walk.route
        self._scope = scope  # a middleware may have copied it, and routing has written into the copy
        try:
            if self._refusal is not None:
                raise self._refusal
            if not self.authenticated:
                await self._authenticate(scope, operation.requirement)
            else:
                operation.requirement.admit(self._walk.client)
            await self._protector.authorize(scope, operation.requirement, self._walk)
        except Refusal as refusal:
            raise self._refuse(refusal, operation.requirement.demands) from refusal
        finally:
            self._protector.decided(self._walk)
        if self._covers:
            self._covers = {**self._covers, **operation.covers}
            self._requirement = AllOf((self._requirement, operation.requirement))
        else:
            self._covers, self._requirement = operation.covers, operation.requirement

    async def _authenticate(self, scope: MutableMapping[str, Any], requirement: AllOf) -> None:
        self._walk.token = await overriding_token(scope, self._operations.server)
        self._overridden = self._walk.token is not None
        if not self._overridden:
            await self._protector.authenticate(scope, requirement, self._walk)
        self.authenticated = True

    def _refuse(self, refusal: Refusal, demands: Demands) -> HTTPException:
        self._refusal = refusal
        self._told = False  # a grant that was told already does not silence a refusal
        if refusal.kind is Kind.POLICY_ERROR:
            _log.error("a requirement failed: %s", refusal.reason, exc_info=refusal.__cause__)
        accept = next((value.decode("latin-1") for name, value in self.headers if name == b"accept"), "")
        rendered = answer(refusal, self._space, demands, accept=accept)
        if refusal.kind is Kind.HIDDEN:
            return HTTPException(404)  # the application's own 404, so identical by construction
        self.answer = rendered
        exception = Refused(rendered, refusal)
        if not self._gated:
            self.end()
        return exception


def _barred(requirement: AllOf, client: Any, refusal: Refusal) -> Refusal:
    """A network that is barred is told so before anything about credentials."""
    try:
        requirement.admit(client)
    except Refusal as barred:
        return barred
    return refusal
