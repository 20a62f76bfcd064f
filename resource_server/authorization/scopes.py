"""Requirements that another token could meet: scopes and step-up (403 and 401 with a challenge)."""

from dataclasses import dataclass
from typing import ClassVar, final

from resource_server.access_token import AccessToken
from resource_server.authorization.requirement import Circumstances, Requirement, named
from resource_server.demands import Demands
from resource_server.refusals import Kind, Refusal
from resource_server.scope import is_scope_token, no_scope


@final  # what is met at a glance would never come to a subclass's judge()
@dataclass(frozen=True, slots=True)
class Scopes(Requirement):
    """Scopes (RFC 6749 §3.3), compared whole and with regard to case."""

    names: tuple[str, ...]
    every: bool = True
    stage: ClassVar[int] = 13

    def __post_init__(self) -> None:
        if (fault := no_scope(self.names)) is not None:
            raise ValueError(fault)

    def __str__(self) -> str:
        return ("scope " if len(self.names) == 1 else "all scopes " if self.every else "one scope of ") + " ".join(
            self.names
        )

    def is_met(self, token: AccessToken, granted: frozenset[str]) -> bool:
        return granted.issuperset(self.names) if self.every else not granted.isdisjoint(self.names)

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        if self.is_met(token, circumstances.granted):
            return None
        return Refusal(Kind.INSUFFICIENT_SCOPE, f"needs {'all' if self.every else 'one'} of {' '.join(self.names)}")

    @property
    def demands(self) -> Demands:
        """Of alternatives the first alone is told: it suffices, and it should be the narrowest."""
        return Demands(scopes=self.names if self.every else self.names[:1])


@dataclass(frozen=True, slots=True)
class Acr(Requirement):
    """How, and how long ago, the user logged in (RFC 9470). A missing claim never satisfies."""

    values: tuple[str, ...]
    max_age: int | None = None
    """Seconds since ``auth_time``."""
    stage: ClassVar[int] = 12

    def __str__(self) -> str:
        parts = [f"login by {' or '.join(self.values)}"] if self.values else []
        parts += [f"login within {self.max_age} s"] if self.max_age is not None else []
        return ", ".join(parts)

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        if self.values and token.claims.get("acr") not in self.values:
            return Refusal(Kind.INSUFFICIENT_AUTHENTICATION, "acr is none of the accepted")
        if self.max_age is None:
            return None
        auth_time, now = token.claims.get("auth_time"), circumstances.now
        # a login that is yet to come would be recent for as long as it takes
        if not isinstance(auth_time, int | float) or not now - self.max_age <= auth_time <= now + circumstances.leeway:
            return Refusal(Kind.INSUFFICIENT_AUTHENTICATION, "auth_time is missing, too long ago or yet to come")
        return None

    @property
    def demands(self) -> Demands:
        return Demands(acr_values=self.values, max_age=self.max_age)


def all_scopes(*names: str) -> Requirement:
    """All of these scopes. A plain text in ``requires("a", "b")`` means the same."""
    return Scopes(named(names, "all_scopes"))


def any_scope(*names: str) -> Requirement:
    """One of these scopes. Name the narrowest first: it is the one that a challenge asks for."""
    return Scopes(named(names, "any_scope"), every=False)


def acr(*values: str, max_age: int | None = None) -> Requirement:
    """An authentication context, and at most so many seconds since the login (RFC 9470)."""
    if not values and max_age is None:
        raise ValueError("acr needs accepted values, a max_age, or both")
    if max_age is not None and max_age < 0:
        raise ValueError("acr: max_age must not be negative")
    for value in values:
        if not is_scope_token(value):
            raise ValueError(f"{value!r} is no acr value: give each as a text of its own, without spaces")
    return Acr(values, max_age)
