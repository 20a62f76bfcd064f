"""One request's way through one resource server: decided once, however many ``requires()`` its route has."""

import logging
import math
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

from fastapi import HTTPException

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf
from resource_server.challenge import Answer, ProtectionSpace, answer
from resource_server.credentials import credential_fields
from resource_server.demands import Demands
from resource_server.fastapi.door import hang
from resource_server.fastapi.operation import Operation, Operations, matched_route, template
from resource_server.fastapi.overrides import supplied, supply_of
from resource_server.fastapi.refused import Refused
from resource_server.protector import ANY_TOKEN, ResourceProtector
from resource_server.public import PublicPaths, path_below
from resource_server.refusals import Kind, Refusal
from resource_server.stream import Judgement

_log = logging.getLogger("resource_server")
_BEFORE_CREDENTIALS = (Kind.PLAIN_HTTP, Kind.MALFORMED_FORWARDING, Kind.OVERSIZED_CREDENTIALS)


class RequestPassage:
    """What was decided about one request, kept in its ASGI scope, for one resource server.

    It is good for the credential lines that it judged and for no others: where middleware inside the gate puts others
    into the request, another passage takes its place. Until it has judged any, it takes whatever it finds.
    """

    # Where every request begins and most end: an attribute of the class need not be set for each of them.
    _next: "RequestPassage | None" = None
    _lines: list[Any] | None = None
    """The header fields that it began to judge, whatever becomes of them."""
    _parameters: Any = None
    _refusal: Refusal | None = None
    _covers: Mapping[int, AllOf] = MappingProxyType({})
    _requirement = ANY_TOKEN
    _overridden = _told = _unseen = False
    answer: Answer | None = None
    authenticated = False

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        protector: ResourceProtector,
        space: ProtectionSpace,
        operations: Operations,
        *,
        gated: bool,
        everything: bool = False,
        exempt: PublicPaths | None = None,
    ) -> None:
        self._scope = scope
        self._protector = protector
        self._space = space
        self._operations = operations
        self._gated = gated
        self._everything = everything
        self._exempt = exempt
        if exempt is not None:
            self._app, self._root = scope.get("app"), scope.get("root_path", "")
        self._walk = protector.begin()

    @property
    def current(self) -> "RequestPassage":
        """The passage that stands for the request by now."""
        passage = self
        while passage._next is not None:
            passage = passage._next
        return passage

    def of(self, scope: MutableMapping[str, Any]) -> "RequestPassage":
        """The passage that is about the credentials of a scope, which middleware may have copied and changed."""
        passage = self
        while not passage._bears(scope):
            if passage._next is None:
                passage._next = RequestPassage(scope, self._protector, self._space, self._operations, gated=self._gated)
            passage = passage._next
        passage._scope = scope
        return passage

    @property
    def bare_challenge(self) -> str:
        """For a 401 of the application's own, which needs a challenge like any other (RFC 9110 §15.5.2)."""
        missing = answer(Refusal(Kind.NO_CREDENTIALS), self._space, self._requirement.demands)
        return next(value for name, value in missing.headers if name == "www-authenticate")

    @property
    def unrouted(self) -> bool:
        """Whether anything is to be decided before routing."""
        return self._everything

    async def decide_unrouted(self) -> None:
        """Authenticate before routing, where everything is protected.

        Only a refusal costs the search for the route, whose scopes belong into the challenge.
        """
        try:
            await self._authenticate(self._scope, ANY_TOKEN, await self._supplied(self._scope))
        except Refusal as refusal:
            operation = self._operations.find(self._scope) or Operation(ANY_TOKEN)
            self._walk.route = operation.route
            if refusal.kind not in _BEFORE_CREDENTIALS:
                refusal = _barred(operation.requirement, self._walk.client, refusal)
            self._refuse(refusal, operation.requirement.demands)

    async def enter(self, scope: MutableMapping[str, Any]) -> Answer | None:
        """Take note of the scope that reaches the application, inside of all middleware.

        Where the gate let a public path pass and it is no longer that path, decide here. Gives a refusal's answer.
        """
        if self._bears(scope):
            self._scope = scope
        if self._exempt is None:
            return None
        if scope.get("app") is self._app:  # in a mounted one the root path is another by rights
            self._root = scope.get("root_path", "")
        if self._exempt.contains(path_below(self._root, scope["path"])):
            return None
        self._exempt = None
        if not self.authenticated:
            await self.decide_unrouted()
        return self.answer

    async def decide_routed(self) -> bool:
        """Decide for the matched route, if there is one. Raises :class:`Refused`, or a plain 404 for what is hidden.

        A framework that reads a body takes any other exception for a broken body and would blame the client, so a
        failure of ours is refused as one.
        """
        passage = self.of(self._scope)
        try:
            return await passage.decide(self._scope)
        except HTTPException:
            raise
        except Exception as error:
            raise passage._fault(error, ANY_TOKEN) from error

    async def decide(self, scope: MutableMapping[str, Any]) -> bool:
        """Decide for the route that a scope was routed to, unless that is done; False where it was not yet routed."""
        operation = self._operations.matched(scope)
        if operation is None:
            return "route" in scope
        decided = operation.covers is self._covers or operation.covers.keys() <= self._covers.keys()
        if not decided or self._refusal is not None or scope.get("path_params") is not self._parameters:
            await self._require(scope, operation)
        return True

    async def require(self, scope: MutableMapping[str, Any], requirement: AllOf) -> AccessToken:
        """Decide for one ``requires()``: by what was decided for its whole operation, if it belongs to that."""
        decided = id(requirement) in self._covers and self._refusal is None
        if not decided or scope.get("path_params") is not self._parameters:
            operation = self._operations.matched(scope)
            if operation is None or id(requirement) not in operation.covers:
                operation = Operation(requirement, covers={id(requirement): requirement})
            elif self._gated:  # a route that was added below after the first request, and not seen
                hang(matched_route(scope), self._operations.server)
            try:
                await self._require(scope, operation)
            finally:
                if not self._gated:
                    self.end()
                    self.close()
        assert self._walk.token is not None  # noqa: S101 - who is not authenticated was refused
        return self._walk.token

    def refuse_content(self) -> HTTPException:
        """For a body that is larger than allowed."""
        return self._refuse(
            Refusal(Kind.OVERSIZED_CONTENT, "the body is larger than max_body"), self._requirement.demands
        )

    def end(self) -> None:
        """Tell the observers, once of each credentials that were judged."""
        passage: RequestPassage | None = self
        while passage is not None:
            passage._tell()
            passage = passage._next

    def _tell(self) -> None:
        if self.authenticated or self._refusal is not None:
            if not self._told:
                self._told = True
                if self._protector.is_heard(self._refusal):
                    self._walk.route = self._walk.route or template(self._scope)
                    self._protector.tell(self._scope, self._walk, self._refusal)
        elif self._gated and not self._unseen:
            self._unseen = True
            supply_of(self._scope, self._operations.server)  # nothing was required, or all of that is overridden

    def close(self) -> None:
        """Break the circles of scope and passage, of refusal and frames: collecting them costs as much as judging."""
        passage: RequestPassage | None = self
        while passage is not None:
            passage._scope = {}
            if passage._refusal is not None:
                passage._refusal.__traceback__ = None
            passage = passage._next

    def seconds_left(self) -> float:
        """Until the token expires: when an open stream has to be judged again at the latest."""
        if self._overridden:
            return math.inf
        return self._protector.seconds_left(self._walk)

    async def judge_again(self) -> Judgement:
        """Judge whether an open stream would still be granted."""
        if self._overridden:
            return Judgement.GRANTED
        scope = {**self._scope, "headers": self._lines}  # middleware may have taken the credentials out
        try:
            await self._protector.judge_again(scope, self._requirement, self._walk)
        except Exception as error:  # noqa: BLE001 - whatever fails while judging, the stream is not granted
            refusal = error if isinstance(error, Refusal) else Refusal(Kind.POLICY_ERROR, type(error).__name__)
            if refusal is not error:
                _log.exception("an open stream could not be judged again")
            self._refusal = refusal
            self._protector.tell(self._scope, self._walk, refusal)
            return Judgement.UNDECIDED if refusal.is_temporary else Judgement.REFUSED
        return Judgement.GRANTED

    def _bears(self, scope: MutableMapping[str, Any]) -> bool:
        """Whether a scope bears the credentials that this passage has judged; any will do as long as it has not."""
        if self._lines is None or scope["headers"] == self._lines:
            return True
        try:
            return credential_fields(scope) == credential_fields({"headers": self._lines})
        except Refusal:
            return False

    async def _require(self, scope: MutableMapping[str, Any], operation: Operation) -> None:
        self._walk.route = operation.route or self._walk.route
        supplied = None if self.authenticated else await self._supplied(scope)
        try:
            if self._refusal is not None:
                raise self._refusal
            if not self.authenticated:
                await self._authenticate(scope, operation.requirement, supplied)
            else:
                operation.requirement.admit(self._walk.client)
            await self._protector.authorize(scope, operation.requirement, self._walk)
        except Refusal as refusal:
            raise self._refuse(refusal, operation.requirement.demands) from refusal
        except Exception as error:
            raise self._fault(error, operation.requirement) from error
        finally:
            self._protector.decided(self._walk)
        if self._covers:
            self._covers = {**self._covers, **operation.covers}
            self._requirement = AllOf((self._requirement, operation.requirement))
        else:
            self._covers, self._requirement = operation.covers, operation.requirement
        self._parameters = scope.get("path_params")

    async def _supplied(self, scope: MutableMapping[str, Any]) -> AccessToken | None:
        """The token that a test supplies; what is wrong with it is for the developer to see, not for a client."""
        self._lines = list(scope["headers"])
        supply = supply_of(scope, self._operations.server)
        return None if supply is None else await supplied(supply)

    async def _authenticate(
        self, scope: MutableMapping[str, Any], requirement: AllOf, supplied: AccessToken | None
    ) -> None:
        if supplied is None:
            await self._protector.authenticate(scope, requirement, self._walk)
        else:
            self._walk.token, self._overridden = supplied, True
        self.authenticated = True

    def _fault(self, error: Exception, requirement: AllOf) -> HTTPException:
        refusal = Refusal(Kind.POLICY_ERROR, f"{type(error).__name__} while deciding")
        refusal.__cause__ = error
        return self._refuse(refusal, requirement.demands)

    def _refuse(self, refusal: Refusal, demands: Demands) -> HTTPException:
        self._refusal = refusal
        self._told = False  # a grant that was told already does not silence a refusal
        if refusal.kind is Kind.POLICY_ERROR:
            _log.error("a requirement failed: %s", refusal.reason, exc_info=refusal.__cause__)
        accept = next((value.decode("latin-1") for name, value in self._scope["headers"] if name == b"accept"), "")
        rendered = answer(refusal, self._space, demands, accept=accept)
        if refusal.kind is Kind.HIDDEN:
            return HTTPException(404)  # the application's own 404, so identical by construction
        self.answer = rendered
        return Refused(rendered, refusal)


def _barred(requirement: AllOf, client: Any, refusal: Refusal) -> Refusal:
    """A network that is barred is told so before anything about credentials."""
    try:
        requirement.admit(client)
    except Refusal as barred:
        return barred
    return refusal
