"""Requirements of requirements: all of some, one of some."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from resource_server.access_token import AccessToken
from resource_server.authorization.network import FromNetwork
from resource_server.authorization.policy import Check
from resource_server.authorization.requirement import Circumstances, Requirement
from resource_server.authorization.scopes import Scopes
from resource_server.demands import Demands
from resource_server.forwarding import Client
from resource_server.refusals import Kind, Refusal

Need = Requirement | str | Callable[[AccessToken], Any]
"""What a user may write: a scope's name, a requirement, or a callable on the token."""


@dataclass(frozen=True, slots=True)
class AllOf(Requirement):
    """All of some requirements, judged in the order of the contract; with none, any valid token will do."""

    members: tuple[Requirement, ...] = ()
    _demands: Demands = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        flat = [part for member in self.members for part in member.parts()]
        ordered = tuple(sorted(dict.fromkeys(flat), key=lambda member: member.stage))
        object.__setattr__(self, "members", ordered)
        object.__setattr__(self, "_demands", _union(ordered))

    def parts(self) -> tuple[Requirement, ...]:
        return self.members

    def admit(self, client: Client) -> None:
        """Judge what needs no identity. Raises :class:`Refusal`."""
        for member in self.members:
            if member.stage > FromNetwork.stage:
                return
            if isinstance(member, FromNetwork) and not member.admits(client):
                raise Refusal(Kind.NETWORK, "the client's address is in none of the networks")

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        for member in self.members:
            refusal = await member.judge(token, circumstances)
            if refusal is not None:
                return await self._with_scope(refusal, token, circumstances)
        return None

    async def _with_scope(self, refusal: Refusal, token: AccessToken, circumstances: Circumstances) -> Refusal:
        """Where scope is lacking beside the step-up, one answer asks for both (RFC 9470 §3)."""
        if refusal.kind is Kind.INSUFFICIENT_AUTHENTICATION:
            for member in self.members:
                if isinstance(member, Scopes) and await member.judge(token, circumstances):
                    return Refusal(Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE, refusal.reason)
        return refusal

    @property
    def demands(self) -> Demands:
        return self._demands


@dataclass(frozen=True, slots=True)
class AnyOf(Requirement):
    """One of some alternatives.

    Refused with ``insufficient_scope`` only if adding scopes alone would satisfy one of them (T3), with a step-up
    only if a new login alone would; hidden if an alternative hides; else denied.
    """

    members: tuple[Requirement, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("any_of needs at least one alternative")

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        refusals: list[Refusal] = []
        for member in self.members:
            found = [await part.judge(token, circumstances) for part in member.parts()]
            lacking = [refusal for refusal in found if refusal is not None]
            if not lacking:
                return None
            refusals.append(max(lacking, key=lambda refusal: _INCURABLE.get(refusal.kind, 2)))
        return min(refusals, key=lambda refusal: _PREFERRED.get(refusal.kind, len(_PREFERRED)))

    @property
    def demands(self) -> Demands:
        return _union(self.members)


# Within one alternative the refusal that is hardest to cure speaks; between alternatives the easiest one.
_INCURABLE: Final = {
    Kind.INSUFFICIENT_SCOPE: 0,
    Kind.INSUFFICIENT_AUTHENTICATION: 1,
    Kind.HIDDEN: 3,
    Kind.POLICY_ERROR: 4,
}
_PREFERRED: Final = {
    Kind.POLICY_ERROR: 0,
    Kind.INSUFFICIENT_SCOPE: 1,
    Kind.INSUFFICIENT_AUTHENTICATION: 2,
    Kind.HIDDEN: 3,
}


def _union(members: tuple[Requirement, ...]) -> Demands:
    told = [member.demands for member in members]
    ages = [one.max_age for one in told if one.max_age is not None]
    return Demands(
        scopes=tuple(dict.fromkeys(scope for one in told for scope in one.scopes)),
        acr_values=tuple(dict.fromkeys(value for one in told for value in one.acr_values)),
        max_age=min(ages) if ages else None,
        roles=tuple(dict.fromkeys(role for one in told for role in one.roles)),
    )


def any_of(*alternatives: Need) -> Requirement:
    """One of some alternatives; combine within one by :func:`all_of`."""
    return AnyOf(tuple(requirement(one) for one in alternatives))


def all_of(*needs: Need) -> AllOf:
    """All of some requirements."""
    return AllOf(tuple(requirement(need) for need in needs))


def requirement(need: Need) -> Requirement:
    """A requirement from what a user may write: a scope's name, a callable, or a requirement."""
    if isinstance(need, Requirement):
        return need
    if isinstance(need, str):
        return Scopes((need,))
    if callable(need):
        return Check(need)
    raise TypeError(f"a requirement is a scope, a requirement or a callable, not {type(need).__name__}")
