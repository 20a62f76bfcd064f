"""Requirements that no token of the same user would meet: who the user is, what the API decides (403, no challenge)."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

from resource_server.access_token import AccessToken
from resource_server.authorization.requirement import Circumstances, Requirement, named
from resource_server.demands import Demands
from resource_server.refusals import Kind, Refusal


@final  # what is met at a glance would never come to a subclass's judge()
@dataclass(frozen=True, slots=True)
class Membership(Requirement):
    """One of some roles, groups or entitlements."""

    of: str
    """``roles``, ``groups`` or ``entitlements``: an attribute of the token."""
    names: frozenset[str]

    def __str__(self) -> str:
        return f"{self.of[:-1]} {' or '.join(sorted(self.names))}"

    def is_met(self, token: AccessToken, granted: frozenset[str]) -> bool:
        held: frozenset[str] = getattr(token, self.of)
        return not held.isdisjoint(self.names)

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        if self.is_met(token, circumstances.granted):
            return None
        return Refusal(Kind.MISSING_ROLE, f"{self.of} has none of {', '.join(sorted(self.names))}")

    @property
    def demands(self) -> Demands:
        return Demands(roles=tuple(sorted(self.names)) if self.of == "roles" else ())


@dataclass(frozen=True, slots=True, eq=False)  # or else 1 and True would be one claim when duplicates are dropped
class Claim(Requirement):
    """A claim with one of some values; an array claim satisfies by any of its elements."""

    name: str
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.name} {' or '.join(map(repr, self.values))}"

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        if circumstances.believed_claims is not None and self.name not in circumstances.believed_claims:
            return Refusal(Kind.MISSING_CLAIM, f"{self.name} is not among the claims that the issuer's grants name")
        held = token.claims.get(self.name)
        candidates = held if isinstance(held, tuple) else (held,)
        if any(type(one) is type(wanted) and one == wanted for one in candidates for wanted in self.values):
            return None
        return Refusal(Kind.MISSING_CLAIM, f"{self.name} has none of the accepted values")


@dataclass(frozen=True, slots=True)
class Owner(Requirement):
    """The token's user is the one whom a path parameter names.

    Compares issuer and subject together (RFC 8725 §3.8), and never takes a client for a user: a client that was
    registered under a user's name has ``sub == client_id`` (RFC 9068 §5).
    """

    parameter: str
    issuer: str | None = None
    """The issuer whose subjects the parameter names; by default the first one configured."""
    hide: bool = False
    """Answer 404, so that nobody learns whether the resource exists."""
    stage: ClassVar[int] = 15

    def __str__(self) -> str:
        return f"the user that {{{self.parameter}}} names" + (", else hidden" if self.hide else "")

    @property
    def path_parameters(self) -> frozenset[str]:
        return frozenset((self.parameter,))

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        named = circumstances.path_params.get(self.parameter)
        trusted = token.issuer == (self.issuer or circumstances.first_issuer)
        if trusted and not token.is_for_client and named is not None and str(named) == token.subject:
            return None
        reason = f"the token's user is not the {self.parameter} of the path"
        return Refusal(Kind.HIDDEN if self.hide else Kind.NOT_OWNER, reason)


@dataclass(frozen=True, slots=True)
class Check(Requirement):
    """A callable of the API's own. It grants by the literal True alone.

    A coroutine that nobody awaited, a mock, a text: all are true to ``if``. So an awaitable is awaited, False
    refuses, and whatever is neither True nor False is a fault of ours (500, POLICY_ERROR), not a grant.
    """

    function: Callable[[AccessToken], Any] = field(hash=False)  # an instance with __call__ need not be hashable
    stage: ClassVar[int] = 14

    def __str__(self) -> str:
        return f"{_name_of(self.function)}()"

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        name = _name_of(self.function)
        try:
            granted = self.function(token)
            if inspect.isawaitable(granted):
                granted = await granted
        except Exception as error:  # noqa: BLE001 - whatever it raises, it has not granted
            refusal = Refusal(Kind.POLICY_ERROR, f"{name} raised {type(error).__name__}")
            refusal.__cause__ = error
            return refusal
        if granted is True:
            return None
        if granted is False:
            return Refusal(Kind.POLICY, f"{name} answered False")
        return Refusal(Kind.POLICY_ERROR, f"{name} answered a {type(granted).__name__}, neither True nor False")


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def role(name: str) -> Requirement:
    """A role (RFC 9068 §2.2.3.1)."""
    return any_role(name)


def any_role(*names: str) -> Requirement:
    """One of these roles."""
    return Membership("roles", frozenset(named(names, "any_role")))


def group(*names: str) -> Requirement:
    """One of these groups."""
    return Membership("groups", frozenset(named(names, "group")))


def entitlement(*names: str) -> Requirement:
    """One of these entitlements."""
    return Membership("entitlements", frozenset(named(names, "entitlement")))


def claim(name: str, *values: str | int | float | bool) -> Requirement:
    """A claim with one of these values. JSON types are kept apart: ``1`` is neither ``True`` nor ``"1"``."""
    if not values or not all(isinstance(value, str | int | float) for value in values):
        raise ValueError(f"claim({name!r}) needs at least one accepted value: texts, numbers, True or False")
    return Claim(name, values)


def owner(parameter: str, *, issuer: str | None = None, hide: bool = False) -> Requirement:
    """The user whom a path parameter names. ``hide=True`` answers strangers 404 instead of 403."""
    return Owner(parameter, issuer, hide)
