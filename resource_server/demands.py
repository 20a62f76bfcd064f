"""What may be told of an operation's requirements."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demands:
    """What an operation demands, as far as it may be told: static per route, the same for every caller."""

    scopes: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    """Seconds."""
    roles: tuple[str, ...] = ()
