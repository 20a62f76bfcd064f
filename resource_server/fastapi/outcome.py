"""What one resource server has decided about one request, for one set of credentials."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from fastapi import HTTPException

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf
from resource_server.challenge import Answer, ProtectionSpace, answer
from resource_server.credentials import credential_fields
from resource_server.fastapi.operation import UNROUTED, Operation, Operations, template
from resource_server.fastapi.overrides import supplied, supply_of
from resource_server.fastapi.refused import Refused
from resource_server.protector import ANY_TOKEN, ResourceProtector, Walk
from resource_server.refusals import Kind, Refusal
from resource_server.stream import Judgement

_BEFORE_CREDENTIALS: Final = (Kind.PLAIN_HTTP, Kind.MALFORMED_FORWARDING, Kind.OVERSIZED_CREDENTIALS)

_log = logging.getLogger("resource_server")


class Judging(Protocol):
    """The resource server, as far as requests are judged by it."""

    protector: ResourceProtector
    space: ProtectionSpace
    operations: Operations


class Outcome(Walk):
    """A walk along the path, and what came of it: a grant for some operations, or a refusal, which stays.

    It is good for the credential lines that it judged, and a grant for the path parameters that it saw. Most requests
    have one and wait for nothing; so what is decided at once is decided without a coroutine.
    """

    # Where all begin and most end: an attribute of the class need not be set for each of them.
    refusal: Refusal | None = None
    answer: Answer | None = None
    """The refusal's."""
    _lines: list[Any] | None = None
    """The header fields that it began to judge, whatever becomes of them."""
    _covers: Mapping[int, AllOf] = MappingProxyType({})
    _requirement = ANY_TOKEN
    _parameters: Mapping[str, Any] | None = None
    """A copy of the path parameters for which that was granted: what runs in between may change them in their place."""
    _supplied = _told = False

    def __init__(self, server: Judging, scope: MutableMapping[str, Any]) -> None:
        self._server = server
        self._scope = scope
        self._protector = protector = server.protector
        self.began = protector.clock.monotonic()

    def bears(self, scope: MutableMapping[str, Any]) -> bool:
        """Whether a scope bears the credentials that are judged here; any will do as long as it has not begun."""
        if self._lines is None or scope["headers"] == self._lines:
            return True
        try:
            return credential_fields(scope) == credential_fields({"headers": self._lines})
        except Refusal:
            return False

    def granted(self, scope: MutableMapping[str, Any], requirement: AllOf) -> AccessToken | None:
        """The token, where this very requirement was granted to the credentials of a scope, for its path parameters."""
        if id(requirement) not in self._covers or self.refusal is not None:
            return None
        if (scope.get("path_params") or None) != self._parameters:
            return None
        return self.token if scope["headers"] == self._lines or self.bears(scope) else None

    def decide(
        self, scope: MutableMapping[str, Any], operation: Operation, overrides: Mapping[Any, Any]
    ) -> Awaitable[None] | None:
        """Decide for an operation, unless that is done. Gives what has to be awaited for it, if anything.

        Raises :class:`Refused`, or a plain 404 for what is hidden.
        """
        if self.authenticated and self._has_granted(scope, operation):
            return None
        self._scope = scope
        self.route = operation.route or self.route
        if not self.authenticated:
            self._lines = list(scope["headers"])
            supply = supply_of(overrides, self._server) if overrides else None
            if supply is not None:
                return self._decide_supplied(scope, operation, supply)
        requirement = operation.requirement
        try:
            if self.refusal is not None:
                raise self.refusal
            if self.authenticated:
                requirement.admit(self.client)
                known = True
            else:
                known = self._protector.recall(scope, requirement, self)
            if not known or not self._protector.permits(requirement, self):
                return self._decide(scope, operation)
        except Exception as error:
            raise self.refuse(error, scope, operation) from error
        self._grant(scope, operation)
        return None

    async def _decide(self, scope: MutableMapping[str, Any], operation: Operation) -> None:
        """What is left of it, once something has to be waited for."""
        try:
            if not self.authenticated:
                await self._protector.validate(self)
            await self._protector.authorize(scope, operation.requirement, self)
        except Exception as error:
            raise self.refuse(error, scope, operation) from error
        self._grant(scope, operation)

    async def _decide_supplied(
        self, scope: MutableMapping[str, Any], operation: Operation, supply: Callable[[], Any]
    ) -> None:
        """By the token that a test supplies; what is wrong with that is for the developer to see, not for a client."""
        self.token = await supplied(supply)
        self.authenticated = self._supplied = True
        await self._decide(scope, operation)

    def _has_granted(self, scope: MutableMapping[str, Any], operation: Operation) -> bool:
        if self.refusal is not None or (scope.get("path_params") or None) != self._parameters:
            return False
        return operation.covers is self._covers or operation.covers.keys() <= self._covers.keys()

    def _grant(self, scope: MutableMapping[str, Any], operation: Operation) -> None:
        if self._protector.hears_grants:
            self.ended = self._protector.clock.monotonic()
        parameters = scope.get("path_params") or None
        if not self._covers:
            self._covers, self._requirement = operation.covers, operation.requirement
        else:
            same = parameters == self._parameters
            self._covers = {**self._covers, **operation.covers} if same else operation.covers
            self._requirement = AllOf((self._requirement, operation.requirement))
        self._parameters = dict(parameters) if parameters else None

    def refuse(
        self, error: Exception, scope: MutableMapping[str, Any], operation: Operation | None = None
    ) -> HTTPException:
        """The exception that a refusal leaves as, and a failure of ours, which no client could cure.

        A framework that reads a body takes any other exception for a broken body and would blame the client.
        """
        self.ended = self._protector.clock.monotonic()
        refusal = error if isinstance(error, Refusal) else _failure(error)
        unrouted = operation is UNROUTED
        if unrouted:  # a refusal alone costs the search for the route, whose scopes belong into it
            operation = self._server.operations.find(scope) or UNROUTED
            self.route = operation.route
            refusal = self._barred(operation.requirement, refusal)
        if refusal is not self.refusal:  # or else it was asked for again, and stays what it was
            if refusal.kind is Kind.POLICY_ERROR:
                _log.error("a requirement failed: %s", refusal.reason, exc_info=refusal.__cause__)
            self.refusal = refusal
            self._told = False  # a grant that was told already does not silence a refusal
        if refusal.kind is Kind.HIDDEN:
            return HTTPException(404)  # the application's own 404, so identical by construction
        requirement = self._requirement if operation is None else operation.requirement
        accept = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"), "")
        self.answer = answer(refusal, self._server.space, requirement.demands, accept=accept)
        return HTTPException(self.answer.status) if unrouted else Refused(self.answer, refusal)  # the gate answers

    def _barred(self, requirement: AllOf, refusal: Refusal) -> Refusal:
        """A network that is barred is told so before anything about credentials."""
        if refusal.kind in _BEFORE_CREDENTIALS:
            return refusal
        try:
            requirement.admit(self.client)
        except Refusal as barred:
            return barred
        return refusal

    @property
    def bare_challenge(self) -> str:
        """For a 401 of the application's own, which needs a challenge like any other (RFC 9110 §15.5.2)."""
        missing = answer(Refusal(Kind.NO_CREDENTIALS), self._server.space, self._requirement.demands)
        return next(value for name, value in missing.headers if name == "www-authenticate")

    def tell(self, scope: MutableMapping[str, Any]) -> None:
        """Tell the observers of it, once."""
        if self.refusal is None and not (self.authenticated and self._protector.hears_grants):
            return
        if not self._told:
            self._told = True
            self.route = self.route or template(scope)
            self._protector.tell(scope, self, self.refusal)

    def seconds_left(self) -> float:
        """Until the token expires: when an open stream has to be judged again at the latest."""
        return math.inf if self._supplied else self._protector.seconds_left(self)

    async def judge_again(self) -> Judgement:
        """Judge whether an open stream would still be granted."""
        if self._supplied:
            return Judgement.GRANTED
        scope = {**self._scope, "headers": self._lines}  # middleware may have taken the credentials out
        self.began = self._protector.clock.monotonic()
        try:
            await self._protector.judge_again(scope, self._requirement, self)
        except Exception as error:  # noqa: BLE001 - whatever fails while judging, the stream is not granted
            self.refusal = error if isinstance(error, Refusal) else _failure(error)
            if self.refusal is not error:
                _log.exception("an open stream could not be judged again")
            self.ended, self._told = self._protector.clock.monotonic(), True
            self._protector.tell(self._scope, self, self.refusal)
            return Judgement.UNDECIDED if self.refusal.is_temporary else Judgement.REFUSED
        return Judgement.GRANTED

    def close(self) -> None:
        """Break the circles of scope and outcome, of refusal and frames, which are dear to collect."""
        self._scope = {}
        if self.refusal is not None:
            self.refusal.__traceback__ = None


def _failure(error: Exception) -> Refusal:
    refusal = Refusal(Kind.POLICY_ERROR, f"{type(error).__name__} while deciding")
    refusal.__cause__ = error
    return refusal
