"""The unit of decision: all that a matched route requires, wherever in its dependency tree it was written.

``FastAPI(dependencies=[api.requires()])`` with a route's own ``requires("notes:read")`` is one operation; judged one by
one, the first would refuse with a challenge that lacks the scope of the second.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import is_
from types import MappingProxyType
from typing import Any, Final

from fastapi.routing import iter_route_contexts
from starlette.routing import Match

from resource_server.authorization.combination import AllOf
from resource_server.fastapi.below import all_below, leads_to
from resource_server.fastapi.frontends import frontend_at, routes_of
from resource_server.public import path_below

MAX_REMEMBERED: Final = 10_000
Patterns = list[tuple[Any, re.Pattern[str] | None]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A route's template and what it requires."""

    requirement: AllOf
    route: str | None = None
    covers: Mapping[int, AllOf] = field(default_factory=dict)
    """The requirements that it comprises, by identity: held here, or else the next one may get the identity of one."""


_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})
UNROUTED: Final = Operation(AllOf())
"""What is decided before routing, where everything needs a token."""


class Demanding:
    """Something in a dependency tree that requires: a base class, so that the tree's walk can tell."""

    def demand(self, server: object, parent_scopes: Sequence[str], own_scopes: Sequence[str]) -> list[AllOf]:
        """What it requires of this server's tokens; nothing if it is another server's."""
        raise NotImplementedError


class Operations:
    """Finds the operation of a request, for one resource server."""

    def __init__(self, server: object) -> None:
        self.server = server
        self._remembered: dict[int, tuple[Any, Operation | None]] = {}
        self._patterns: dict[int, tuple[Any, int, Sequence[Any], Patterns]] = {}

    def matched(self, scope: Mapping[str, Any], overrides: Mapping[Any, Any]) -> Operation | None:
        """The operation of a scope whose route has been matched; None if it requires nothing of this server.

        FastAPI keeps the context of an included route under a key that is its own; without that key the order of
        checks would degrade, never a decision, because each requirement is judged by its dependency too.
        """
        return self._of(matched_route(scope), overrides)

    def find(self, scope: Mapping[str, Any]) -> Operation | None:
        """The operation that a scope's path would be routed to; costs a look at each route's pattern."""
        return self._find(scope, scope.get("app"))

    def _find(self, scope: Mapping[str, Any], app: Any) -> Operation | None:
        path = path_below(scope.get("root_path", ""), scope["path"])
        for context, pattern in self._patterns_of(app):
            if pattern is not None and not pattern.match(path):
                continue
            try:
                match, child_scope = context.matches(dict(scope))
            except Exception:  # noqa: BLE001, S112 - a converter that fails: here, it does not match
                continue
            if match is not Match.FULL:
                continue
            below = leads_to(context)
            if below is not None:
                return self._find({**scope, **child_scope, "app": below}, below)
            return self._of(context, overrides_of(scope))
        return self._of(frontend_at(app, scope), overrides_of(scope))

    def _patterns_of(self, app: Any) -> Patterns:
        """An application's routes, and the patterns without which none of them can match: a flood asks for them."""
        routes = getattr(app, "routes", ())
        # the framework's own count of what was added to routers that are included, however deep
        version = getattr(getattr(app, "router", None), "_get_routes_version", int)()
        known = self._patterns.get(id(app))
        if known is not None and known[0] is app and known[1] == version and _are_same(known[2], routes):
            return known[3]
        patterns = [(context, _pattern(context)) for context in iter_route_contexts(routes)]
        if len(self._patterns) < MAX_REMEMBERED:
            self._patterns[id(app)] = (app, version, tuple(routes), patterns)
        return patterns

    def scopes(self, app: Any) -> set[str]:
        """All scopes that an application's routes may ask for, in those mounted below it, too."""
        operations = [self.of(context) for one, _ in all_below(app) for context in routes_of(one)]
        return {scope for one in operations if one is not None for scope in one.requirement.demands.scopes}

    def of(self, route: Any) -> Operation | None:
        """The operation of a route; None if it requires nothing of this server."""
        return self._of(route, {})

    def _of(self, route: Any, overrides: Mapping[Any, Any]) -> Operation | None:
        dependant = getattr(route, "dependant", None)
        if dependant is None:
            return None
        known = self._remembered.get(id(dependant))
        if known is not None and known[0] is dependant and not overrides:
            return known[1]
        found = list(_requirements(dependant, self.server, overrides))
        covers = {id(requirement): requirement for requirement in found}
        operation = Operation(AllOf(tuple(found)), getattr(route, "path_format", None), covers) if found else None
        if not overrides and len(self._remembered) < MAX_REMEMBERED:
            self._remembered[id(dependant)] = (dependant, operation)
        return operation


def _pattern(context: Any) -> re.Pattern[str] | None:
    """What a route's path has to match; None where it has a way to match of its own, or none by the path."""
    route = getattr(context, "_effective_route", context)
    own = type(route).matches.__module__ not in ("fastapi.routing", "starlette.routing")
    return None if own else getattr(route, "path_regex", None)


def _are_same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(map(is_, some, others))


def template(scope: Mapping[str, Any]) -> str | None:
    """The matched route's template, whatever it requires."""
    return getattr(matched_route(scope), "path_format", None)


def matched_route(scope: Mapping[str, Any]) -> Any:
    """The matched route, as it was included. What an outer application left in the scope is no longer it."""
    route, own = scope.get("route"), scope.get("fastapi")
    context = own.get("effective_route_context") if own else None
    return context if context is not None and getattr(context, "original_route", None) is route else route


def overrides_of(scope: Mapping[str, Any]) -> Mapping[Any, Any]:
    """What is overridden in the application that a scope has come to."""
    overrides: Mapping[Any, Any] = getattr(scope.get("app"), "dependency_overrides", _NOTHING)
    return overrides


def _requirements(dependant: Any, server: object, overrides: Mapping[Any, Any]) -> Iterator[AllOf]:
    """Walk a dependency tree; what a test overrides is not walked, since it will not run.

    Only what requires something is told all the same: an override of that replaces credentials, not authorization.
    """
    for dependency in dependant.dependencies:
        call = dependency.call
        if isinstance(call, Demanding):
            parents, own = dependency.parent_oauth_scopes or [], dependency.own_oauth_scopes or []
            yield from call.demand(server, parents, own)
        elif call not in overrides:
            yield from _requirements(dependency, server, overrides)
