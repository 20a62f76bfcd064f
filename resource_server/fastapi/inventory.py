"""What each route of an application requires, by every resource server that is installed there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import WebSocketRoute

from resource_server.configuration_error import ConfigurationError
from resource_server.fastapi.below import leads_to
from resource_server.fastapi.path_parameters import fault
from resource_server.gate import Gate
from resource_server.protector import ANY_TOKEN
from resource_server.public import PublicPaths


@dataclass(frozen=True, slots=True)
class Exposure:
    """A route, and what stands between it and a stranger."""

    methods: str
    path: str
    requires: str
    """In words; empty where nothing is required."""
    declared_public: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a stranger gets in."""
        return not self.requires


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
        """Whether a path was declared to need no token."""
        return self.public.contains(path.removeprefix(self.prefix))


def _installed(options: Mapping[str, Any], prefix: str) -> _Installed:
    return _Installed(options["server"], options["everything"], options["public"], prefix)


def inventory(app: Any) -> Iterator[Exposure]:
    """All routes, those of mounted applications too, in the order in which they are matched."""
    for route, path, gates in _routes(app):
        needs = [need for gate in gates if (need := gate.requires(route, path)) is not None]
        public = bool(gates) and all(gate.declares_public(path) for gate in gates)
        yield Exposure(_methods(route), path, " and ".join(needs), declared_public=public)


def check_parameters(app: Any) -> None:
    """Demand that the path of each route has the parameters by which the route decides, and that they stay texts.

    A misspelt one would refuse everybody, for ever; so would a scope that is none. Raises :class:`ConfigurationError`.
    """
    for route, path, gates in _routes(app):
        for gate in gates:
            try:
                operation = gate.server.operations.of(route)
            except ValueError as error:  # a text in Security(api, scopes=[…]) that is no scope
                raise ConfigurationError(f"{_methods(route)} {path}", f"requires what can't be: {error}") from None
            for name in sorted(operation.requirement.path_parameters) if operation else ():
                found = fault(route, path, name)
                if found is not None:
                    raise ConfigurationError(f"{_methods(route)} {path}", found)


def _routes(
    app: Any, prefix: str = "", around: tuple[_Installed, ...] = ()
) -> Iterator[tuple[Any, str, tuple[_Installed, ...]]]:
    """Each route, its whole path, and the gates in front of it."""
    gates = around + tuple(
        _installed(one.kwargs, prefix) for one in getattr(app, "user_middleware", []) if one.cls is Gate
    )
    for context in iter_route_contexts(getattr(app, "routes", [])):
        route = context.original_route
        path = prefix + (context.path or "")
        if (below := leads_to(route)) is not None:
            yield from _routes(below, path, gates)
        else:
            yield context, path, gates


def _methods(context: Any) -> str:
    if isinstance(context.original_route, WebSocketRoute):
        return "WEBSOCKET"
    return ",".join(sorted(context.methods or {"ANY"}))
