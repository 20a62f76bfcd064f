"""What each route of an application requires, by every resource server that is installed there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, WebSocketRoute

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


def inventory(app: Any, prefix: str = "", around: tuple[_Installed, ...] = ()) -> Iterator[Exposure]:
    """All routes, those of mounted applications too, in the order in which they are matched."""
    gates = around + tuple(
        _installed(one.kwargs, prefix) for one in getattr(app, "user_middleware", []) if one.cls is Gate
    )
    for context in iter_route_contexts(getattr(app, "routes", [])):
        route = context.original_route
        path = prefix + (context.path or "")
        if isinstance(route, Mount) and getattr(route.app, "routes", None):
            yield from inventory(route.app, path, gates)
            continue
        methods = "WEBSOCKET" if isinstance(route, WebSocketRoute) else ",".join(sorted(context.methods or {"ANY"}))
        needs = [need for gate in gates if (need := gate.requires(context, path)) is not None]
        public = bool(gates) and all(gate.declares_public(path) for gate in gates)
        yield Exposure(methods, path, " and ".join(needs), declared_public=public)
