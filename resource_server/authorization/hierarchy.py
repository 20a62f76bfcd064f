"""Scopes that include others, as declared by the API: ``{"notes:admin": ["notes:read", "notes:write"]}``."""

from collections.abc import Iterable, Mapping

from resource_server.configuration_error import ConfigurationError
from resource_server.scope import no_scope


class ScopeHierarchy:
    """Expands the scopes of a token by all that they include, directly and indirectly."""

    def __init__(self, includes: Mapping[str, Iterable[str]] | None = None) -> None:
        for scope, included in (includes or {}).items():
            if isinstance(included, str):  # an iterable of letters
                problem = f"must give a list of the scopes that {scope!r} includes: [{included!r}]"
                raise ConfigurationError("scope_hierarchy", problem)
        direct = {scope: frozenset(included) for scope, included in (includes or {}).items()}
        if (fault := no_scope(direct.keys() | frozenset().union(*direct.values()))) is not None:
            raise ConfigurationError("scope_hierarchy", f"names a scope that can't be: {fault}")
        self._closure = {scope: _closure(scope, direct) for scope in direct}

    def expand(self, scopes: frozenset[str]) -> frozenset[str]:
        """The scopes and all that they include."""
        if not self._closure:
            return scopes
        return scopes.union(*(self._closure[scope] for scope in scopes & self._closure.keys()))


def _closure(scope: str, direct: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found: set[str] = set()
    todo = [scope]
    while todo:
        new = direct.get(todo.pop(), frozenset()) - found
        found |= new
        todo += new
    return frozenset(found)
