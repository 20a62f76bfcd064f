"""The applications that a resource server stands in front of: those it was installed in, and all below them."""

import contextlib
from typing import Any, Protocol

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.applications import Starlette

from resource_server.fastapi.below import all_below, with_routers
from resource_server.fastapi.door import hang
from resource_server.fastapi.operation import Operations
from resource_server.fastapi.overrides import check_overrides
from resource_server.fastapi.refused import cover


class Serving(Protocol):
    """The resource server itself."""

    operations: Operations


class Applications:
    """Has refusals answered and doors hung in all of them, and looks after the overrides of their dependencies."""

    def __init__(self, server: Serving) -> None:
        self._server = server
        self._installed: list[FastAPI] = []
        self._seen: list[tuple[Any, int]] = []
        """Each, and each router, with the number of its routes: where that has changed, there may be something new."""
        self._overridable: list[FastAPI] = []

    def add(self, app: FastAPI) -> None:
        """Take one in; what is below it is found when all of that is there."""
        cover(app)
        self._installed.append(app)
        self._seen.append((app, -1))

    def check(self) -> None:
        """What has to hold at each request. Raises :class:`LeftOverride`."""
        for one, routes in self._seen:
            if len(one.routes) != routes:
                self.look()
                break
        for app in self._overridable:
            if app.dependency_overrides:
                check_overrides(app.dependency_overrides, self._server)

    def look(self) -> None:
        """Find all that is below by now. Nothing is done twice."""
        found: dict[int, tuple[Any, bool]] = {}
        for root in self._installed:
            for app, wrapped in all_below(root):
                found.setdefault(id(app), (app, wrapped))
        for app, wrapped in found.values():
            if isinstance(app, Starlette):
                cover(app, wrapped=wrapped)
            self._hang_doors(app)
        self._seen = [(one, len(one.routes)) for app, _ in found.values() for one in with_routers(app)]
        self._overridable = [app for app, _ in found.values() if isinstance(app, FastAPI)]

    def _hang_doors(self, app: Any) -> None:
        for context in iter_route_contexts(app.routes):
            with contextlib.suppress(ValueError):  # a scope that is none: told at the start, and at each request
                if self._server.operations.of(context) is not None:
                    # the framework's own name for what runs: an included route is another object than the one written
                    hang(getattr(context, "_effective_route", context.original_route), self._server)
