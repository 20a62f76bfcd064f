"""Which sets of scopes may be enough for a requirement: what OpenAPI lists as alternatives."""

from collections.abc import Iterable
from itertools import islice, product
from typing import Final

from resource_server.authorization.combination import AllOf, AnyOf
from resource_server.authorization.requirement import Requirement
from resource_server.authorization.scopes import Scopes

MOST: Final = 32
"""Sets that are listed; a requirement with more is described by all of its scopes, as a challenge does."""


def scope_alternatives(requirement: Requirement) -> list[tuple[str, ...]]:
    """Each set that may be enough, if what else is required is met, too; an empty one where no scope may be needed."""
    found = list(dict.fromkeys(_alternatives(requirement)))
    return found if len(found) <= MOST else [requirement.demands.scopes]


def _alternatives(requirement: Requirement) -> Iterable[tuple[str, ...]]:
    if isinstance(requirement, Scopes):
        return [requirement.names] if requirement.every else [(name,) for name in requirement.names]
    if isinstance(requirement, AnyOf):
        return [names for member in requirement.members for names in _alternatives(member)]
    if isinstance(requirement, AllOf):
        combined = product(*(islice(_alternatives(member), MOST + 1) for member in requirement.members))
        return [_joined(names) for names in islice(combined, MOST + 1)]
    return [()]


def _joined(sets: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in sets for name in names))
