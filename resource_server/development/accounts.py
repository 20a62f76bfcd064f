"""Who can log in at the development authorization server, and what each may get."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "profile:write": "change your profile",
        "users:read": "see the list of users",
        "orders:read": "see orders",
        "orders:write": "place orders",
    }
)
"""Every scope there is, in the words that the login page shows."""

PUBLIC_CLIENT: Final = "swagger-ui"
"""The client of the OpenAPI page: it runs in a browser, can keep no secret, and proves itself by PKCE."""

CLI_CLIENT: Final = "resource-server-cli"
"""The client of ``resource-server token``: public too, on a machine with a browser or without (RFC 8252, RFC 8628)."""

CLI_REDIRECT: Final = "http://127.0.0.1:8765/callback"
"""Where :data:`CLI_CLIENT` waits for its code."""

CONFIDENTIAL_CLIENT: Final = "example-service"
"""A service without a user: it logs in with a secret (RFC 6749 §4.4)."""

OPAQUE_CLIENT: Final = "example-opaque-service"
"""Another such service, whose access tokens say nothing by themselves: they must be introspected."""

API_CLIENT: Final = "example-api"
"""The API itself, which gets no token, but may ask what one is worth (RFC 7662)."""

SERVICE_SCOPES: Final = ("orders:read", "orders:write", "users:read")
"""What :data:`CONFIDENTIAL_CLIENT` and :data:`OPAQUE_CLIENT` may get."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user. The name is also the ``sub`` of the user's tokens."""

    name: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    """The most that a token of this user can carry, whatever the client asks for."""


ACCOUNTS: Final = (
    Account("alice", ("customer",), ("profile:write", "orders:read", "orders:write")),
    Account("eve", ("editor",), ("profile:write", "orders:read", "orders:write", "users:read")),
    Account("root", ("admin",), tuple(SCOPES)),
)


@dataclass(frozen=True, slots=True)
class DevelopmentCredentials:
    """What a developer needs to get a token. Made anew at each start, kept in memory alone, and in no repr.

    Passwords are random, 96 bits, so guessing needs no counting of wrong tries, and nobody can be locked out.
    """

    public_client_id: str
    cli_client_id: str
    client_id: str
    client_secret: str = field(repr=False)
    opaque_client_id: str
    opaque_client_secret: str = field(repr=False)
    api_client_id: str
    api_client_secret: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)
    """By the name of the account."""

    @classmethod
    def generate(cls, accounts: Sequence[Account] = ACCOUNTS) -> "DevelopmentCredentials":
        """Make a new secret for each confidential client and a new password for each account."""
        return cls(
            public_client_id=PUBLIC_CLIENT,
            cli_client_id=CLI_CLIENT,
            client_id=CONFIDENTIAL_CLIENT,
            client_secret=secrets.token_hex(16),  # hexadecimal: nothing that a shell or RFC 6749 §2.3.1 would escape
            opaque_client_id=OPAQUE_CLIENT,
            opaque_client_secret=secrets.token_hex(16),
            api_client_id=API_CLIENT,
            api_client_secret=secrets.token_hex(16),
            passwords=MappingProxyType({account.name: secrets.token_hex(12) for account in accounts}),
        )


class Accounts:
    """The users with their passwords."""

    def __init__(self, accounts: Sequence[Account], passwords: Mapping[str, str]) -> None:
        self._accounts = {account.name: account for account in accounts}
        self._passwords = {name: password.encode() for name, password in passwords.items()}
        self._nobodys = secrets.token_hex(12).encode()

    def log_in(self, name: str, password: str) -> Account | None:
        """Give the account, if the password is right. Takes as long for a name that nobody has."""
        right = secrets.compare_digest(self._passwords.get(name, self._nobodys), password.encode())
        return self._accounts.get(name) if right else None
