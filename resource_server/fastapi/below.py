"""The applications below an application: mounted, hosted, and behind middleware that was wrapped around them."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Host, Mount

_WRAPPED_AS: Final = ("app", "_app")
"""Where ASGI middleware keeps what it wraps, by the custom of those who write it."""
_DEEPEST: Final = 32
"""Wrappers around one application."""


def leads_to(route: Any) -> Any:
    """The application with routes that a mount or a host leads to; None for any other route.

    What a wrapper keeps under a name of its own, or in a closure, is not found.
    """
    # an included host leads to another application than the one written: to that below the prefix
    route = getattr(route, "_effective_route", route)
    return _unwrapped(route.app) if isinstance(route, Mount | Host) else None


def all_below(app: Any) -> Iterator[tuple[Any, bool]]:
    """An application and all below it, each once, and whether middleware may stand between it and its mount."""
    seen: set[int] = set()

    def walk(one: Any, *, wrapped: bool) -> Iterator[tuple[Any, bool]]:
        if id(one) in seen:
            return
        seen.add(id(one))
        yield one, wrapped
        for context in iter_route_contexts(getattr(one, "routes", [])):
            found = leads_to(context)
            if found is not None:
                yield from walk(found, wrapped=found is not context.app)

    return walk(app, wrapped=False)


def with_routers(app: Any) -> Iterator[Any]:
    """An application's router, and all that are included in it: they may get more routes at any time."""
    app = getattr(app, "router", app)
    yield app
    for route in app.routes:
        router = getattr(route, "original_router", None)  # the framework's own name for it
        if router is not None:
            yield from with_routers(router)


def _unwrapped(app: Any) -> Any:
    for _ in range(_DEEPEST):
        if app is None or (hasattr(app, "routes") and not isinstance(app, BaseRoute)):
            return app
        app = next((found for name in _WRAPPED_AS if (found := getattr(app, name, None)) is not None), None)
    return None
