"""Tokens to try things with: as the authorization server would issue them, or made wrong on purpose.

For the playground of ``resource-server dev``; gives a token of anybody to who asks, so nobody else may reach it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from resource_server.development.accounts import (
    CLI_CLIENT,
    CONFIDENTIAL_CLIENT,
    PUBLIC_CLIENT,
    SCOPES,
    SERVICE_SCOPES,
    Account,
)
from resource_server.development.minting import OMIT, Mint, SigningKey
from resource_server.development.tokens import ACR

USERS_CLIENTS: Final = (PUBLIC_CLIENT, CLI_CLIENT)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who can have a token: a user, or a client that acts for itself."""

    name: str
    clients: tuple[str, ...]
    scopes: tuple[str, ...]
    roles: tuple[str, ...] = ()


class Samples:
    """Mints tokens of the accounts, and signs whatever it is told to."""

    def __init__(self, mint: Mint, accounts: Sequence[Account]) -> None:
        users = [Holder(one.name, USERS_CLIENTS, one.scopes, one.roles) for one in accounts]
        self.holders: Final = (*users, Holder(CONFIDENTIAL_CLIENT, (CONFIDENTIAL_CLIENT,), SERVICE_SCOPES))
        self.scopes: Final = tuple(SCOPES)
        self._mint = mint
        self._stranger: SigningKey | None = None

    def token(self, holder: str, client: str, scopes: Sequence[str]) -> str:
        """A good token; scopes that the holder can't have are left out. Raises :class:`ValueError` for who is none."""
        found = next((one for one in self.holders if one.name == holder and client in one.clients), None)
        if found is None:
            raise ValueError("there is no such account or client")
        granted = [scope for scope in self.scopes if scope in scopes and scope in found.scopes]
        is_user = found.name != client
        return self._mint.access_token(
            sub=found.name,
            client_id=client,
            scope=" ".join(granted) or OMIT,
            roles=list(found.roles) if is_user else OMIT,
            auth_time=int(self._mint.clock()) if is_user else OMIT,
            acr=ACR if is_user else OMIT,
        )

    def sign(self, header: bytes, claims: bytes, *, forged: bool) -> str:
        """Sign these bytes as they are, with the issuer's key, or with a stranger's of the same kind."""
        own = self._mint.keys[0]
        if forged and self._stranger is None:
            self._stranger = SigningKey.generate(own.algorithm)
        return self._mint.sign(claims, header, key=self._stranger if forged else own)
