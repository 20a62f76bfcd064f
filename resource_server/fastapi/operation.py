"""The unit of decision: all that a matched route requires, wherever in its dependency tree it was written.

``FastAPI(dependencies=[api.requires()])`` with a route's own ``requires("notes:read")`` is one operation; judged one by
one, the first would refuse with a challenge that lacks the scope of the second.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Match, Mount

from resource_server.authorization.combination import AllOf

MAX_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Operation:
    """A route's template and what it requires."""

    requirement: AllOf
    route: str | None = None
    covers: frozenset[int] = frozenset()
    """The identities of the requirements that it comprises."""


class Demanding:
    """Something in a dependency tree that requires: a base class, so that the tree's walk can tell."""

    def demand(self, server: object, parent_scopes: Sequence[str], own_scopes: Sequence[str]) -> list[AllOf]:
        """What it requires of this server's tokens; nothing if it is another server's."""
        raise NotImplementedError


class Operations:
    """Finds the operation of a request, for one resource server."""

    def __init__(self, server: object) -> None:
        self.server = server
        self._remembered: dict[int, tuple[Any, Operation]] = {}

    def matched(self, scope: Mapping[str, Any]) -> Operation | None:
        """The operation of a scope whose route has been matched; None if it requires nothing of this server.

        FastAPI keeps the context of an included route under a key that is its own; without that key the order of
        checks would degrade, never a decision, because each requirement is judged by its dependency too.
        """
        context = scope.get("fastapi", {}).get("effective_route_context")
        route = getattr(context, "starlette_route", None) or context or scope.get("route")
        return self._of(route, getattr(scope.get("app"), "dependency_overrides", {}))

    def find(self, scope: Mapping[str, Any]) -> Operation | None:
        """The operation that a scope's path would be routed to; costs a match with each route."""
        app = scope.get("app")
        return self._find(getattr(app, "routes", []), dict(scope), getattr(app, "dependency_overrides", {}))

    def _find(
        self, routes: Sequence[BaseRoute], scope: dict[str, Any], overrides: Mapping[Any, Any]
    ) -> Operation | None:
        for context in iter_route_contexts(routes):
            match, child_scope = context.matches(scope)
            if match is not Match.FULL:
                continue
            if isinstance(context.original_route, Mount):
                below = context.original_route.app
                found = getattr(below, "dependency_overrides", {})
                return self._find(getattr(below, "routes", []), {**scope, **child_scope}, found)
            return self._of(context, overrides)
        return None

    def _of(self, route: Any, overrides: Mapping[Any, Any]) -> Operation | None:
        dependant = getattr(route, "dependant", None)
        if dependant is None:
            return None
        known = self._remembered.get(id(dependant))
        if known is not None and known[0] is dependant and not overrides:
            operation = known[1]
        else:
            found = list(_requirements(dependant, self.server, overrides))
            covers = frozenset(map(id, found))
            operation = Operation(AllOf(tuple(found)), getattr(route, "path_format", None), covers)
            if not overrides and len(self._remembered) < MAX_REMEMBERED:
                self._remembered[id(dependant)] = (dependant, operation)
        return operation if operation.covers else None


def _requirements(dependant: Any, server: object, overrides: Mapping[Any, Any]) -> Iterator[AllOf]:
    """Walk a dependency tree; what a test overrides is not walked, since it will not run."""
    for dependency in dependant.dependencies:
        call = dependency.call
        if isinstance(call, Demanding):
            parents, own = dependency.parent_oauth_scopes or [], dependency.own_oauth_scopes or []
            yield from call.demand(server, parents, own)
        elif call not in overrides:
            yield from _requirements(dependency, server, overrides)
