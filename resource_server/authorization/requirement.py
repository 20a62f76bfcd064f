"""What a requirement is: the one protocol of station 4."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from resource_server.access_token import AccessToken
from resource_server.demands import Demands
from resource_server.forwarding import Client
from resource_server.refusals import Refusal


@dataclass(slots=True)
class Circumstances:
    """What one request's operation is judged by, beside the token."""

    client: Client
    path_params: Mapping[str, Any]
    granted: frozenset[str]
    """The token's scopes and all that these include by the declared hierarchy."""
    first_issuer: str
    """Whose subjects are our users, unless a requirement names another issuer."""
    now: float
    """Seconds since the epoch."""
    leeway: float = 0.0
    """Seconds by which the clock of the token's issuer may be ahead."""
    believed_claims: Collection[str] | None = None
    """The claims that count of what the token's issuer says; None for all."""


class Requirement(ABC):
    """Something that a token must satisfy: immutable, judged on every request. ``str()`` says it in words."""

    __slots__ = ()
    stage: ClassVar[int] = 14
    """Where in the order of checks it is judged (part E2 of the contract); lower comes first."""

    def is_met(self, token: AccessToken, granted: frozenset[str]) -> bool:
        """Whether it is met by the token's own facts and its scopes with all that they include, at a glance.

        False says nothing: then :meth:`judge` has to.
        """
        return False

    @abstractmethod
    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        """Answer None where the requirement is met."""

    @property
    def demands(self) -> Demands:
        """What may be told of it to a client."""
        return Demands()

    @property
    def path_parameters(self) -> frozenset[str]:
        """The path parameters by whose texts it judges: a route without them, or that changes them, does not start."""
        return frozenset()

    def parts(self) -> "tuple[Requirement, ...]":
        """The requirements that must all be met; itself, unless it is a conjunction."""
        return (self,)


def named(names: tuple[str, ...], what: str) -> tuple[str, ...]:
    """Demand at least one name, so that an empty list never means that nothing is required."""
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"{what} needs at least one name, and each as a text of its own: {what}('a', 'b')")
    return names
