"""Requirements of requirements: all of some, one of some."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from resource_server.access_token import AccessToken
from resource_server.authorization.network import FromNetwork
from resource_server.authorization.policy import Check
from resource_server.authorization.requirement import Circumstances, Requirement
from resource_server.authorization.scopes import Acr, Scopes
from resource_server.demands import Demands
from resource_server.forwarding import Client
from resource_server.refusals import Kind, Refusal

Need = Requirement | str | Callable[[AccessToken], Any]
"""What a user may write: a scope's name, a requirement, or a callable on the token."""


@dataclass(frozen=True, slots=True)
class AllOf(Requirement):
    """All of some requirements, judged in the order of the contract; with none, any valid token will do."""

    members: tuple[Requirement, ...] = ()
    networks: bool = field(init=False, repr=False, compare=False)
    """Whether something is judged without regard to who calls."""
    _demands: Demands = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        flat = [part for member in self.members for part in member.parts()]
        ordered = tuple(sorted(dict.fromkeys(flat), key=_stage))
        object.__setattr__(self, "members", ordered)
        object.__setattr__(self, "networks", any(isinstance(member, FromNetwork) for member in ordered))
        object.__setattr__(self, "_demands", _union(ordered))

    def parts(self) -> tuple[Requirement, ...]:
        return self.members

    def is_met(self, token: AccessToken, granted: frozenset[str]) -> bool:
        for member in self.members:  # noqa: SIM110 - on each request, and a generator costs more than the sets
            if not member.is_met(token, granted):
                return False
        return True

    def admit(self, client: Client) -> None:
        """Judge what needs no identity. Raises :class:`Refusal`."""
        for member in self.members:
            if member.stage > FromNetwork.stage:
                return
            if isinstance(member, FromNetwork) and not member.admits(client):
                raise Refusal(Kind.NETWORK, "the client's address is in none of the networks")

    def __str__(self) -> str:
        return " and ".join(map(str, self.members)) or "any valid token"

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
                found = await member.judge(token, circumstances) if _stage(member) == Scopes.stage else None
                if found is not None and found.kind is not Kind.INSUFFICIENT_AUTHENTICATION:
                    return Refusal(Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE, refusal.reason)
        return refusal

    @property
    def demands(self) -> Demands:
        return self._demands

    @property
    def path_parameters(self) -> frozenset[str]:
        return frozenset().union(*(member.path_parameters for member in self.members))


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

    def __str__(self) -> str:
        words = [f"({one})" if len(one.parts()) > 1 else str(one) for one in self.members]
        return "(" + " or ".join(words) + ")"

    async def judge(self, token: AccessToken, circumstances: Circumstances) -> Refusal | None:
        refusals: list[Refusal] = []
        for member in self.members:
            refusal = await _lacks(member.parts(), token, circumstances)
            if refusal is None:
                return None
            refusals.append(refusal)
        return min(refusals, key=lambda refusal: _PREFERRED.get(refusal.kind, len(_PREFERRED)))

    @property
    def demands(self) -> Demands:
        return _union(self.members)

    @property
    def path_parameters(self) -> frozenset[str]:
        return frozenset().union(*(member.path_parameters for member in self.members))


# Between alternatives the one that is cured most easily speaks.
_PREFERRED: Final = {
    Kind.POLICY_ERROR: 0,
    Kind.INSUFFICIENT_SCOPE: 1,
    Kind.INSUFFICIENT_AUTHENTICATION: 2,
    Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE: 3,
    Kind.HIDDEN: 4,
}
_CURABLE: Final = (
    Kind.INSUFFICIENT_SCOPE,
    Kind.INSUFFICIENT_AUTHENTICATION,
    Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE,
)


async def _lacks(parts: tuple[Requirement, ...], token: AccessToken, circumstances: Circumstances) -> Refusal | None:
    """What one alternative lacks: the first thing that no other token cures, else all that another one would."""
    curable: list[Refusal] = []
    for part in parts:
        refusal = await part.judge(token, circumstances)
        if refusal is None:
            continue
        if refusal.kind not in _CURABLE:
            return refusal
        curable.append(refusal)
    if len({refusal.kind for refusal in curable}) > 1:
        reasons = "; ".join(refusal.reason for refusal in curable)
        return Refusal(Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE, reasons)
    return curable[0] if curable else None


def _stage(member: Requirement) -> int:
    """Alternatives are judged as late as what they need last, and never without a token."""
    if not isinstance(member, AnyOf):
        return member.stage
    return max([Acr.stage, *(_stage(part) for one in member.members for part in one.parts())])


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
    cure = ": give each by itself" if isinstance(need, list | tuple | set | frozenset) else ""
    raise TypeError(f"a requirement is a scope, a requirement or a callable, not a {type(need).__name__}{cure}")
