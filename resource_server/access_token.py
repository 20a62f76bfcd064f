"""The access token as the rest of the house sees it: verified facts, never text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """The whole payload: mapping proxies and tuples at every level."""

    def __post_init__(self) -> None:
        for name in ("confirmation", "claims"):
            object.__setattr__(self, name, freeze(getattr(self, name)))

    def allows(self, *scopes: str) -> bool:
        """Whether the token itself bears all of these scopes; knows nothing of declared hierarchies."""
        return self.scopes.issuperset(scopes)

    @property
    def is_for_client(self) -> bool:
        """Whether the client acts for itself, without a user (RFC 9068 §5): its subject is its own id."""
        return self.subject == self.client_id
