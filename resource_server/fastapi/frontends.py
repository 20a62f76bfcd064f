"""The folders that ``frontend()`` serves where no route matches: FastAPI keeps them apart from an application's routes.

What it has of them in a scope names neither their dependencies nor their path, and it runs no dependency for a method
that they don't know: a stranger's POST would be told which files there are (T4). A door of their own answers both.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from fastapi.routing import iter_route_contexts

from resource_server.asgi import AsgiApp, Receive, Scope, Send
from resource_server.fastapi.door import Door
from resource_server.public import path_below


@dataclass(frozen=True, slots=True, eq=False)
class Frontend:
    """One of them, as a route: what the framework calls for it, and what that requires."""

    path: str
    """Where it stands; it serves all that is below."""
    methods: frozenset[str]
    dependencies: Sequence[Any]
    dependant: Any
    """A copy for each, since what is known of an operation is kept by its identity, the path among it."""
    original_route: Any
    """The framework's group of frontends: those of one router."""

    @property
    def path_format(self) -> str:
        """The template, as the framework's telemetry calls it."""
        return f"{self.path.rstrip('/')}/{{path}}"

    def serves(self, path: str) -> bool:
        """Whether a path is its own or below."""
        return self.path in ("/", path) or path.startswith(f"{self.path}/")


class FrontendDoor(Door):
    """Around a group of frontends; tells what is decided by, as the framework does for its other routes."""

    def __init__(self, app: AsgiApp, server: object, group: Any) -> None:
        super().__init__(app, server)
        self._group = group

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide, and let in."""
        scope["route"] = _closest(_members(self._group), scope) or self._group
        await super().__call__(scope, receive, send)


def routes_of(app: Any) -> Iterator[Any]:
    """An application's, or a router's, routes in the order in which they are matched: its frontends come last."""
    yield from iter_route_contexts(getattr(app, "routes", []))
    for group in _groups(app):
        yield from _members(group)


def frontend_at(app: Any, scope: Mapping[str, Any]) -> Frontend | None:
    """The frontend that serves a scope's path if no route does."""
    return _closest([one for group in _groups(app) for one in _members(group)], scope)


def hang_at_frontends(app: Any, server: Any) -> None:
    """Put a resource server's door in front of the frontends that require something of it, unless it is there."""
    for group in _groups(app):
        with contextlib.suppress(ValueError):  # a scope that is none: told at the start, and at each request
            if server.operations.of(group) is not None:
                _hang(group, server)


def _hang(group: Any, server: Any) -> None:
    name = "app" if hasattr(group, "app") else "handle"  # of a router that is included, and of the application's own
    app = standing = getattr(group, name)
    while isinstance(standing, Door) and standing.server is not server:
        standing = standing.app
    if not isinstance(standing, Door):
        setattr(group, name, FrontendDoor(app, server, group))


def _groups(app: Any) -> Iterator[Any]:
    """The groups of a router and of those that it includes: as they are, or as they were included."""
    router = getattr(app, "router", app)
    groups: Any = getattr(router, "_iter_low_priority_routes", tuple)  # the framework's own name for it
    yield from groups()


def _members(group: Any) -> list[Frontend]:
    original, prefix = getattr(group, "original_route", group), getattr(group, "frontend_prefix", "")
    known: dict[str, Frontend] = vars(group).setdefault("resource_server_frontends", {})
    found = []
    for route in original.routes:
        path = (prefix + route.path).rstrip("/") or "/"
        if path not in known:
            known[path] = Frontend(path, frozenset(route.methods), group.dependencies, copy(group.dependant), original)
        found.append(known[path])
    return found


def _closest(frontends: list[Frontend], scope: Mapping[str, Any]) -> Frontend | None:
    path = path_below(scope.get("root_path", ""), scope["path"])
    return max((one for one in frontends if one.serves(path)), key=lambda one: len(one.path), default=None)
