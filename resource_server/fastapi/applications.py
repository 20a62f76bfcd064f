"""The applications that a resource server stands in front of: those it was installed in, and all below them."""

import contextlib
import logging
from typing import Any, Protocol

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.applications import Starlette

from resource_server.configuration_error import ConfigurationError
from resource_server.fastapi.below import all_below, with_routers
from resource_server.fastapi.door import hang
from resource_server.fastapi.frontends import hang_at_frontends
from resource_server.fastapi.inventory import check_routes
from resource_server.fastapi.operation import Operations
from resource_server.fastapi.overrides import check_overrides
from resource_server.fastapi.refused import cover

_log = logging.getLogger("resource_server")


class Serving(Protocol):
    """The resource server itself."""

    operations: Operations


class Applications:
    """Has refusals answered and doors hung in all of them, and looks after the overrides of their dependencies."""

    def __init__(self, server: Serving) -> None:
        self._server = server
        self._installed: list[FastAPI] = []
        self._seen: list[tuple[Any, int, int]] = []
        """Each router, with the number of its routes and the framework's own count of what was added to it: where one
        of them has changed, there may be something new, and all that an inclusion made of the routes is made anew."""
        self._overridable: list[FastAPI] = []
        self._serves = False

    def add(self, app: FastAPI) -> None:
        """Take one in; what is below it is found when all of that is there. Raises :class:`ConfigurationError`."""
        if not isinstance(app, FastAPI):
            problem = f"takes a FastAPI application, not a {type(app).__name__}: dependencies=[…] protect a router"
            raise ConfigurationError("install", problem)
        if any(one is app for one in self._installed):
            raise ConfigurationError("install", "was called twice for one application: give all options at once")
        cover(app)
        self._installed.append(app)
        self._seen.append((app.router, -1, -1))

    def check(self) -> None:
        """What has to hold at each request.

        Raises :class:`LeftOverride`, and :class:`ConfigurationError` for what would have ended a start.
        """
        for one, routes, version in self._seen:
            if len(one.routes) != routes or getattr(one, "_routes_version", 0) != version:
                self._judge()
                self.look()
                break
        for app in self._overridable:
            if app.dependency_overrides:
                check_overrides(app.dependency_overrides, self._server)

    def _judge(self) -> None:
        """Demand of routes that came after the start, or without one, that they can let somebody in.

        Raises :class:`ConfigurationError` as long as nothing has been served; later, one bad route ends nothing else.
        """
        for app in self._installed:
            try:
                check_routes(app)
            except ConfigurationError as error:
                if not self._serves:
                    raise
                _log.error("%s", error)

    def look(self) -> None:
        """Find all that is below by now. Nothing is done twice."""
        self._serves = True
        found: dict[int, tuple[Any, bool]] = {}
        for root in self._installed:
            for app, wrapped in all_below(root):
                found.setdefault(id(app), (app, wrapped))
        for app, wrapped in found.values():
            if isinstance(app, Starlette):
                cover(app, wrapped=wrapped)
            self._hang_doors(app)
        routers = [one for app, _ in found.values() for one in with_routers(app)]
        self._seen = [(one, len(one.routes), getattr(one, "_routes_version", 0)) for one in routers]
        self._overridable = [app for app, _ in found.values() if isinstance(app, FastAPI)]

    def _hang_doors(self, app: Any) -> None:
        hang_at_frontends(app, self._server)
        for context in iter_route_contexts(app.routes):
            with contextlib.suppress(ValueError):  # a scope that is none: told at the start, and at each request
                if self._server.operations.of(context) is not None:
                    # the framework's own name for what runs: an included route is another object than the one written
                    hang(getattr(context, "_effective_route", context.original_route), self._server)
