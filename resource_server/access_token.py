"""The access token as the rest of the house sees it: verified facts, never text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from sys import getsizeof
from types import MappingProxyType
from typing import Any


def freeze(value: Any) -> Any:
    """Make a JSON value deeply immutable: objects become mapping proxies, arrays become tuples.

    One object serves every request that bears the same token, so a handler that could append to
    ``token.claims["roles"]`` would promote every later request.
    """
    if type(value) is dict:
        return MappingProxyType({name: freeze(member) for name, member in value.items()})
    if type(value) is list:
        return tuple([freeze(member) for member in value])
    return value


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token whose signature, type, issuer and audience were verified (RFC 9068 §4).

    It holds facts, never decisions: whether it has expired, is confirmed by its sender or allows an operation is
    judged on every request. Deeply immutable; its repr shows neither the token's text nor its claims.
    """

    issuer: str
    subject: str
    """Unique only together with ``issuer`` (RFC 8725 §3.8)."""
    client_id: str
    audience: tuple[str, ...]
    scopes: frozenset[str]
    roles: frozenset[str]
    groups: frozenset[str]
    entitlements: frozenset[str]
    issued_at: float
    """Seconds since the epoch, as are all times here."""
    expires_at: float
    confirmation: Mapping[str, Any] | None = field(repr=False)
    """The ``cnf`` claim (RFC 7800): a token that has one is no bearer token."""
    claims: Mapping[str, Any] = field(repr=False)
    """The whole payload: mapping proxies and tuples at every level.

    Given as JSON text (bytes), it stays text until somebody asks for it: as objects it takes five times the memory, and
    most requests are judged by the members above.
    """

    def __post_init__(self) -> None:
        if type(_claims.__get__(self)) is not bytes:
            _claims.__set__(self, freeze(self.claims))
        if self.confirmation is not None:
            object.__setattr__(self, "confirmation", freeze(self.confirmation))

    def allows(self, *scopes: str) -> bool:
        """Whether the token itself bears all of these scopes; knows nothing of declared hierarchies."""
        return self.scopes.issuperset(scopes)

    @property
    def is_for_client(self) -> bool:
        """Whether the client acts for itself, without a user (RFC 9068 §5): its subject is its own id."""
        return self.subject == self.client_id

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        """Pydantic's question how to make one of what came in, which FastAPI puts for each parameter.

        Where a dependency is forgotten, or its brackets, the content of a request would be a token (T1).
        """
        raise TypeError(
            "an AccessToken comes from requires(…) alone, as in Annotated[AccessToken, api.requires()]: "
            "it is never read from a request, nor sent as an answer"
        )


@lru_cache(maxsize=256)
def _open(text: bytes) -> Mapping[str, Any]:
    """Claims that somebody asked for; how many are kept is bounded here, so that no remembered token grows."""
    opened: Mapping[str, Any] = freeze(json.loads(text))
    return opened


def weight(token: AccessToken) -> int:
    """Bytes that the facts of a token take; claims that are not text are weighed as if they were empty."""
    names = (*token.audience, *token.scopes, *token.roles, *token.groups, *token.entitlements)
    sets = (token.scopes, token.roles, token.groups, token.entitlements)
    return sum(map(getsizeof, (token.subject, token.client_id, _claims.__get__(token), token.audience, *sets, *names)))


class _Unsealed:
    """An access token while it is being made: the same slots, and nothing that guards them."""

    __slots__ = tuple(fact.name for fact in fields(AccessToken))


def seal(
    issuer: str,
    subject: str,
    client_id: str,
    audience: tuple[str, ...],
    granted: tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]],
    issued_at: float,
    expires_at: float,
    confirmation: Mapping[str, Any] | None,
    text: bytes,
) -> AccessToken:
    """An access token whose ``claims`` are JSON text and whose ``confirmation`` is frozen already.

    The slots are filled before anything guards them, which takes a tenth of the time that the constructor of a frozen
    dataclass needs. Whoever gets the token gets it guarded, like any other.
    """
    token: Any = _Unsealed()
    token.issuer, token.subject, token.client_id, token.audience = issuer, subject, client_id, audience
    token.scopes, token.roles, token.groups, token.entitlements = granted
    token.issued_at, token.expires_at = issued_at, expires_at
    token.confirmation, token.claims = confirmation, text
    token.__class__ = AccessToken  # Python allows it where the slots are the same
    sealed: AccessToken = token
    return sealed


class _Claims:
    """Stands before the slot of the claims, and opens what is still text."""

    def __init__(self, slot: Any) -> None:
        self._slot = slot

    def __get__(self, token: AccessToken | None, owner: type | None = None) -> Any:
        value = self._slot.__get__(token, owner)
        return _open(value) if type(value) is bytes else value

    def __set__(self, token: AccessToken, value: Any) -> None:
        self._slot.__set__(token, value)


_claims: Any = AccessToken.__dict__["claims"]
setattr(AccessToken, "claims", _Claims(_claims))  # noqa: B010 - the slot is there only once the class is
