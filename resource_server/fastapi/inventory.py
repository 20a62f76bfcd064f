"""What each route of an application requires, by every resource server that is installed there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Host, Mount, Router, WebSocketRoute

from resource_server.configuration_error import ConfigurationError
from resource_server.fastapi import path_parameters, security_scopes
from resource_server.fastapi.below import leads_to
from resource_server.fastapi.frontends import Frontend, routes_of
from resource_server.gate import Gate
from resource_server.protector import ANY_TOKEN
from resource_server.public import PublicPaths

_ALL_BELOW = "/*"
"""What stands behind the path of something that serves all paths below it, as in ``install(public=[…])``."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A route, and what stands between it and a stranger."""

    methods: str
    path: str
    """A template; ends with ``/*`` where all below is served by something that has no routes: files, an ASGI app."""
    requires: str
    """In words; empty where nothing is required."""
    declared_public: bool = False
    host: str = ""
    """Where it is served on some hosts alone."""
    public_at: tuple[str, ...] = ()
    """Public paths that lead to it all the same, where everything else is protected."""

    @property
    def is_open(self) -> bool:
        """Whether a stranger gets in."""
        return not self.requires

    @property
    def where(self) -> str:
        """Host and path."""
        return self.host + self.path


@dataclass(frozen=True, slots=True)
class _Installed:
    """A gate in front of an application, which may be mounted."""

    server: Any
    everything: bool
    public: PublicPaths
    prefix: str

    def requires(self, route: Any, path: str) -> str | None:
        """What a route requires of the server's tokens, in words; None where it requires nothing."""
        operation = self.server.operations.of(route)
        if operation is not None:
            return str(operation.requirement)
        return str(ANY_TOKEN) if self.everything and not self.declares_public(path) else None

    def declares_public(self, path: str) -> bool:
        """Whether a path was declared to need no token.

        Where routes alone require one, ``public`` is a word of intent, and the path at which files are mounted is
        enough of it; where everything does, each path is compared as it is asked for.
        """
        path = path.removeprefix(self.prefix)
        if self.public.contains(path):
            return True
        return (
            not self.everything
            and path.endswith(_ALL_BELOW)
            and self.public.contains(path[: -len("*")].rstrip("/") or "/")
        )


def _installed(options: Mapping[str, Any], prefix: str) -> _Installed:
    return _Installed(options["server"], options["everything"], options["public"], prefix)


@dataclass(frozen=True, slots=True)
class _Served:
    """Something that is served, and the gates in front of it."""

    route: Any
    prefix: str
    """Of what it is mounted in."""
    path: str
    host: str
    gates: tuple[_Installed, ...]

    @property
    def methods(self) -> str:
        if isinstance(getattr(self.route, "original_route", None), WebSocketRoute):
            return "WEBSOCKET"
        return ",".join(sorted(getattr(self.route, "methods", None) or {"ANY"}))

    def public_at(self, taken: set[str]) -> tuple[str, ...]:
        """The public paths that no route before this one has taken, and by which a stranger gets here."""
        paths = [{gate.prefix + path for path in gate.public} for gate in self.gates if gate.everything]
        found = sorted(path for path in set.intersection(*paths) - taken if self._serves(path)) if paths else []
        taken.update(found)
        return () if any(gate.server.operations.of(self.route) for gate in self.gates) else tuple(found)

    def _serves(self, path: str) -> bool:
        if self.path.endswith(_ALL_BELOW):
            return f"{path}/".startswith(self.path[:-1])
        regex = getattr(self.route, "path_regex", None)
        return regex is not None and regex.match(path.removeprefix(self.prefix)) is not None


def inventory(app: Any) -> Iterator[Exposure]:
    """All that is served, in mounted applications too, in the order in which it is matched.

    Not what middleware serves, or a handler of exceptions: they have no path.
    """
    taken: set[str] = set()
    for one in _served(app):
        needs = [need for gate in one.gates if (need := gate.requires(one.route, one.path)) is not None]
        public = bool(one.gates) and all(gate.declares_public(one.path) for gate in one.gates)
        at = one.public_at(taken)
        yield Exposure(
            one.methods,
            one.path,
            " and ".join(needs),
            declared_public=public,
            host=one.host,
            public_at=() if public else at,
        )


def check_routes(app: Any) -> None:
    """Demand that each route can let somebody in by what it requires. Raises :class:`ConfigurationError`.

    A path parameter by which it decides is there and stays a text, and scopes are scopes: a misspelt parameter would
    refuse everybody, for ever, and so would the letters of one text that was given as a list of scopes. What answers
    for origins stands where it sees what it has to answer.
    """
    _check_cors(getattr(app, "user_middleware", []))
    for one in _served(app):
        for gate in one.gates:
            found = _fault(one, gate.server)
            if found is not None:
                raise ConfigurationError(f"{one.methods} {one.host}{one.path}", found)


def _check_cors(middleware: Sequence[Any]) -> None:
    """The first is the outermost."""
    gates = [at for at, one in enumerate(middleware) if one.cls is Gate and one.kwargs["everything"]]
    if gates and any(one.cls is CORSMiddleware for one in middleware[gates[0] :]):
        raise ConfigurationError(
            "CORSMiddleware",
            'was added before install(protect="all"), which answers preflights and refuses in front of it: '
            "add it after, or give its origins as cors_origins in its place",
        )


def _fault(one: _Served, server: Any) -> str | None:
    found = security_scopes.fault(one.route, server)
    if found is not None:
        return found
    try:
        operation = server.operations.of(one.route)
    except ValueError as error:  # a text in Security(api, scopes=[…]) that is no scope
        return f"requires what can't be: {error}"
    names = sorted(operation.requirement.path_parameters) if operation else ()
    return next((found for name in names if (found := path_parameters.fault(one.route, one.path, name))), None)


def _served(
    app: Any,
    prefix: str = "",
    host: str = "",
    around: tuple[_Installed, ...] = (),
    within: tuple[Any, ...] = (),
) -> Iterator[_Served]:
    if any(one is app for one in within):
        return  # mounted in itself: the same again, without end
    gates = around + tuple(
        _installed(one.kwargs, prefix) for one in getattr(app, "user_middleware", []) if one.cls is Gate
    )
    for context in routes_of(app):
        route = getattr(context, "_effective_route", context)
        on = route.host if isinstance(route, Host) else host
        path = prefix + (getattr(route, "path", None) or "")
        if (below := leads_to(route)) is not None:
            yield from _served(below, path, on, gates, (*within, app))
        elif isinstance(route, Mount | Host | Frontend):
            yield _Served(context, prefix, path.rstrip("/") + _ALL_BELOW, on, gates)
        else:
            yield _Served(context, prefix, path or f"{prefix} {type(route).__name__}".strip(), on, gates)
    router = getattr(app, "router", app)
    default = getattr(router, "default", None)
    if default is not None and getattr(default, "__func__", None) is not Router.not_found:
        yield _Served(default, prefix, prefix + _ALL_BELOW, host, gates)
