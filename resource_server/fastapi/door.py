"""Decides at the route: after routing, before the body and before any dependency of the route runs.

A dependency that stands before ``requires()`` would else tell a stranger what exists (T4). What middleware inside the
gate has made of a request is known here for certain, too.
"""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from resource_server.asgi import AsgiApp, Receive, Scope, Send


class Deciding(Protocol):
    """A request's passage, as far as a door knows it."""

    def decide(self, scope: Scope) -> Awaitable[None] | None:
        """Decide for the matched route; gives what has to be awaited for it. Raises the refusal."""
        ...


class Door:
    """ASGI, around one route of an application that has a gate."""

    def __init__(self, app: AsgiApp, server: object) -> None:
        self.app = app
        self.server = server

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Decide, and let in: at once, where nothing has to be awaited for that."""
        passages: Mapping[object, Deciding] = scope.get("resource_server", {})
        passage = passages.get(self.server)
        waiting = None if passage is None else passage.decide(scope)
        if waiting is None:
            return self.app(scope, receive, send)
        return self._let_in(waiting, scope, receive, send)

    async def _let_in(self, waiting: Awaitable[None], scope: Scope, receive: Receive, send: Send) -> None:
        await waiting
        await self.app(scope, receive, send)


def hang(route: Any, server: object) -> None:
    """Put a resource server's door into a route, unless it is there."""
    app = standing = getattr(route, "app", None)
    while isinstance(standing, Door):
        if standing.server is server:
            return
        standing = standing.app
    if app is not None:
        route.app = Door(app, server)
