"""One request's way through one resource server: decided once, however many ``requires()`` its route has."""

from collections.abc import Awaitable, MutableMapping
from typing import Any, Final

from fastapi import HTTPException

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf
from resource_server.challenge import Answer
from resource_server.fastapi.door import hang
from resource_server.fastapi.exemption import Exemption
from resource_server.fastapi.operation import UNROUTED, Operation, matched_route, overrides_of
from resource_server.fastapi.outcome import Judging, Outcome
from resource_server.fastapi.overrides import check_overrides
from resource_server.fastapi.refused import Refused
from resource_server.refusals import Kind, Refusal

_KEY: Final = "resource_server"


class RequestPassage:
    """Kept in the request's ASGI scope; has it judged wherever it comes by: gate, door, body, ``requires()``.

    Each set of credentials has an outcome of its own. There is one, unless middleware inside the gate puts others into
    the request; then they follow each other.
    """

    _outcomes: tuple[Outcome, ...] = ()
    exemption: Exemption | None = None
    """Where the gate lets it pass for its path alone."""
    gated = True
    """Whether there is a gate, which ends and closes it."""
    unrouted = False
    """Whether anything is to be decided before routing: everything needs a token."""
    _ended = False
    _refused_at: MutableMapping[str, Any] | None = None
    """The scope that was refused before anything of its route has run."""
    _hidden_at: MutableMapping[str, Any] | None = None
    """The same, where that is hidden."""

    def __init__(self, scope: MutableMapping[str, Any], server: Judging) -> None:
        self._scope = scope
        self._server = server
        # never into a mapping that is there already: copies of the scope that other requests are made of share it
        others = scope.get(_KEY)
        scope[_KEY] = {**others, server: self} if others else {server: self}

    @property
    def current(self) -> Outcome:
        """The outcome that stands for the request by now: that of its own credentials, as far as there is one."""
        if not self._outcomes:
            return Outcome(self._server, self._scope)
        own = (one for one in reversed(self._outcomes) if one.bears(self._scope))
        return self._outcomes[0] if len(self._outcomes) == 1 else next(own, self._outcomes[-1])

    def _of(self, scope: MutableMapping[str, Any]) -> Outcome:
        """The outcome of the credentials of a scope, which middleware may have copied and changed."""
        for outcome in self._outcomes:
            if outcome.bears(scope):
                return outcome
        outcome = Outcome(self._server, scope)
        self._outcomes += (outcome,)
        return outcome

    def decide_unrouted(self) -> Awaitable[None] | None:
        """Authenticate before routing, where everything is protected. A refusal is left in ``answer``."""
        try:
            waiting = self._of(self._scope).decide(self._scope, UNROUTED, overrides_of(self._scope))
        except HTTPException:
            return None
        return None if waiting is None else _quietly(waiting)

    @property
    def answer(self) -> Answer | None:
        """The refusal's answer, once there is one."""
        return self._outcomes[-1].answer if self._outcomes else None

    async def enter(self, scope: MutableMapping[str, Any]) -> Answer | None:
        """Take note of the scope that reaches the application, inside of all middleware.

        Where the gate let a public path pass and it is no longer that path, decide here. Gives a refusal's answer.
        """
        self._refused_at = self._hidden_at = None  # where middleware tries once more
        if not self._outcomes or self._outcomes[-1].bears(scope):  # else it may be a request made of this one
            self._scope = scope
        if self.exemption is None or self.exemption.holds(scope):
            return None
        self.exemption = None
        if not self.current.authenticated:
            waiting = self.decide_unrouted()
            if waiting is not None:
                await waiting
        return self.answer

    def decide(self, scope: MutableMapping[str, Any]) -> Awaitable[None] | None:
        """Decide for the route that a scope was routed to, if it requires anything and that is not decided.

        Gives what has to be awaited for it. Raises :class:`Refused`, or a plain 404 for what is hidden.
        """
        overrides = overrides_of(scope)
        operation = self._server.operations.matched(scope, overrides)
        if operation is None:
            return None
        try:
            waiting = self._of(scope).decide(scope, operation, overrides)
        except HTTPException as error:
            self._note(scope, error)
            raise
        return None if waiting is None else self._awaited(waiting, scope)

    async def _awaited(self, waiting: Awaitable[None], scope: MutableMapping[str, Any]) -> None:
        try:
            await waiting
        except HTTPException as error:
            self._note(scope, error)
            raise

    def _note(self, scope: MutableMapping[str, Any], error: HTTPException) -> None:
        if isinstance(error, Refused):
            self._refused_at = scope
        else:
            self._hidden_at = scope

    @property
    def has_refused(self) -> bool:
        """Whether all that is left is to answer a refusal.

        Not where a ``requires()`` was refused, which may have been caught, nor a request that was made of this one.
        What is hidden is no refusal, as far as anybody may see.
        """
        return self._refused_at is self._scope

    async def decide_routed(self) -> bool:
        """Decide for the matched route before the body is read; False where none has been matched yet.

        For what is hidden that is done: whoever answers it may do all that may be done for a true 404.
        """
        scope = self._scope
        if self._hidden_at is scope:
            return True
        try:
            waiting = self.decide(scope)
            if waiting is not None:
                await waiting
        except HTTPException:
            raise
        except Exception as error:
            raise self._of(scope).refuse(error, scope) from error
        return "route" in scope

    def granted(self, scope: MutableMapping[str, Any], requirement: AllOf) -> AccessToken | None:
        """The token, where this requirement has been granted to the credentials of a scope."""
        for outcome in self._outcomes:
            token = outcome.granted(scope, requirement)
            if token is not None:
                return token
        return None

    async def require(self, scope: MutableMapping[str, Any], requirement: AllOf) -> AccessToken:
        """Decide for one ``requires()``, and for its whole operation, if it belongs to that."""
        outcome = self._of(scope)
        overrides = overrides_of(scope)
        operation = self._server.operations.matched(scope, overrides)
        if operation is None or id(requirement) not in operation.covers:
            operation = Operation(requirement, covers={id(requirement): requirement})
        elif self.gated:  # a route that was added below after the first request, and not seen
            hang(matched_route(scope), self._server)
        try:
            waiting = outcome.decide(scope, operation, overrides)
            if waiting is not None:
                await waiting
        finally:
            if not self.gated:
                self._scope = scope
                self.end()
                self.close()
        assert outcome.token is not None  # noqa: S101 - who is not authenticated was refused
        return outcome.token

    def refuse_content(self) -> HTTPException:
        """For a body that is larger than allowed."""
        outcome = self.current if self._outcomes else self._of(self._scope)
        return outcome.refuse(Refusal(Kind.OVERSIZED_CONTENT, "the body is larger than max_body"), self._scope)

    def end(self) -> None:
        """Tell the observers, once of each credentials that were judged."""
        for outcome in self._outcomes:
            outcome.tell(self._scope)
        if not self._outcomes and self.gated and not self._ended:
            self._ended = True
            # nothing was required, or all of that is overridden
            check_overrides(overrides_of(self._scope), self._server)

    def close(self) -> None:
        """The request is over."""
        self._scope, self._refused_at, self._hidden_at = {}, None, None
        for outcome in self._outcomes:
            outcome.close()


def passage_of(scope: MutableMapping[str, Any], server: object) -> RequestPassage | None:
    """The passage of a request through one resource server; None where there is no gate, and nothing was required."""
    passages: dict[object, RequestPassage] | None = scope.get(_KEY)
    return passages.get(server) if passages else None


async def _quietly(waiting: Awaitable[None]) -> None:
    try:
        await waiting
    except HTTPException:
        return
