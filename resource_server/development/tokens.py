"""The tokens that were issued: what they stand for, and which are good no more."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from authlib.oauth2.rfc6749 import TokenMixin

from resource_server.development.accounts import Account
from resource_server.development.clients import Client
from resource_server.development.minting import OMIT, Mint
from resource_server.development.short_memory import ShortMemory

REFRESH_LIFETIME: Final = 8 * 60 * 60
"""Seconds that a login can be refreshed, counted from its first refresh token and prolonged by none: a working day."""

MAX_LOGINS: Final = 1_000

MAX_OPAQUE: Final = 10_000

ACR: Final = "urn:example:password"
"""How users authenticate here: the one authentication context class there is (RFC 9068 §2.2.1)."""


@dataclass(eq=False, slots=True)
class Login(TokenMixin):
    """What a user has granted to a client by logging in once, and the family of all the tokens that came of it.

    Its refresh tokens consist of :attr:`id` and a secret that is new in each. So an old one is still known for what it
    is, though nothing of it is kept.
    """

    client_id: str
    user: Account
    scope: str
    auth_time: int
    """When the user has typed the password, in seconds since the epoch."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    secret: str = field(default="", repr=False)
    """That of the newest refresh token."""
    access_tokens: dict[str, float] = field(default_factory=dict, repr=False)
    """The ``jti`` of those that still live, with their ``exp``."""

    def renew(self) -> str:
        """Make a refresh token, and spend the one before."""
        self.secret = secrets.token_urlsafe(32)
        return f"{self.id}.{self.secret}"

    def is_newest(self, refresh_token: str) -> bool:
        """Whether that is the one refresh token of the family that is not yet spent."""
        return secrets.compare_digest(f"{self.id}.{self.secret}".encode(), refresh_token.encode())

    def check_client(self, client: Client) -> bool:
        """RFC 6749 §10.4: refresh tokens are bound to their client."""
        return self.client_id == client.client_id

    def get_scope(self) -> str:
        """RFC 6749 §6: a refreshed token can have less, and the next one all of it again."""
        return self.scope


@dataclass(frozen=True, slots=True)
class AccessToken(TokenMixin):
    """An access token that somebody has shown, as it stands at that moment."""

    claims: Mapping[str, Any]
    in_time: bool
    revoked: bool

    def check_client(self, client: Client) -> bool:
        """RFC 7009 §2.1: only its own client can revoke it."""
        return bool(self.claims.get("client_id") == client.client_id)

    def is_expired(self) -> bool:
        """Whether it is too late for it, or too early."""
        return not self.in_time

    def is_revoked(self) -> bool:
        """Whether its client has revoked it, or the login that it came of."""
        return self.revoked


class Tokens:
    """Issues tokens, finds them again, and revokes them."""

    def __init__(self, mint: Mint, audience: str, now: Callable[[], float]) -> None:
        self._mint = mint
        self._audience = audience
        self._now = now
        self._logins: ShortMemory[Login] = ShortMemory(lifetime=REFRESH_LIFETIME, bound=MAX_LOGINS, now=now)
        self._opaque: ShortMemory[Mapping[str, Any]] = ShortMemory(lifetime=mint.lifetime, bound=MAX_OPAQUE, now=now)
        self._revoked: dict[str, float] = {}  # from jti to exp: one that is forgotten too early would live again

    def access_token(self, client: Client, scope: str, login: Login | None) -> str:
        """Issue an access token (RFC 9068 §2.2). Without a user the client is its subject."""
        claims = self._mint.claims(
            sub=login.user.name if login else client.client_id,
            client_id=client.client_id,
            aud=self._audience,
            scope=scope or OMIT,
            roles=list(login.user.roles) if login else OMIT,
            auth_time=login.auth_time if login else OMIT,
            acr=ACR if login else OMIT,
        )
        if login:
            login.access_tokens = {**self._still_to_come(login.access_tokens), claims["jti"]: claims["exp"]}
        if not client.opaque:
            return self._mint.access_token(**claims)
        token = secrets.token_urlsafe(32)
        self._opaque.put(token, claims)
        return token

    def refresh_token(self, login: Login) -> str:
        """Issue a login's next refresh token."""
        if not login.secret:
            self._logins.put(login.id, login)
        return login.renew()

    def find_login(self, refresh_token: str) -> Login | None:
        """Give the login that a refresh token came of, be that the newest or long spent."""
        return self._logins.get(refresh_token.partition(".")[0])

    def find_access_token(self, token: str) -> AccessToken | None:
        """Give an access token, opaque or signed; those that tests have made with the mint are as good."""
        claims = self._opaque.get(token) or self._mint.read(token) or {}
        jti, not_before, expires = claims.get("jti"), claims.get("nbf", 0), claims.get("exp")
        if not isinstance(jti, str) or not isinstance(not_before, int | float) or not isinstance(expires, int | float):
            return None
        return AccessToken(claims, in_time=not_before <= self._now() < expires, revoked=jti in self._revoked)

    def revoke(self, token: Login | AccessToken) -> None:
        """End an access token, or a login with all that came of it (RFC 7009 §2.1)."""
        if isinstance(token, Login):
            self._logins.take(token.id)
            revoked = token.access_tokens
        else:
            revoked = {token.claims["jti"]: token.claims["exp"]}
        self._revoked = self._still_to_come(self._revoked) | revoked

    def _still_to_come(self, ends: Mapping[str, float]) -> dict[str, float]:
        return {jti: end for jti, end in ends.items() if end > self._now()}
