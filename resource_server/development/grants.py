"""The grants of the development authorization server: Authlib's, with what they leave open decided strictly."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    BaseGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge

from resource_server.development.accounts import Account
from resource_server.development.clients import METHODS, Client
from resource_server.development.parameters import Request
from resource_server.development.tokens import Login

if TYPE_CHECKING:
    from resource_server.development.provider import Provider

CODE_LIFETIME: Final = 60
"""Seconds: a client redeems its code at once."""

MAX_CODES: Final = 1_000

S256_LENGTH: Final = 43
"""Characters of a SHA-256 digest in base64url."""


@dataclass(frozen=True, slots=True)
class AuthorizationCode(AuthorizationCodeMixin):
    """What a code stands for: a user's login for one client, bound to its URI and its challenge."""

    code: str = field(repr=False)
    login: Login
    redirect_uri: str | None
    """As the authorization request gave it; the token request has to give the same."""
    code_challenge: str
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """RFC 6749 §4.1.3: to be compared only if it was given."""
        return self.redirect_uri or ""

    def get_scope(self) -> str:
        """What the user may give of what the client asked for."""
        return self.login.scope


class RequiredCodeChallenge(CodeChallenge):
    """Proof Key for Code Exchange, by S256, demanded when the code is asked for (RFC 7636 §4.4.1).

    Authlib's ``required=True`` bites only at the token endpoint, and lets ``plain`` through.
    """

    def validate_code_challenge(self, grant: BaseGrant, redirect_uri: str) -> None:
        """Refuse an authorization request without a challenge, or with one that is not S256's 43 characters."""
        data = cast("Request", grant.request).payload.data
        challenge = data.get("code_challenge")
        if challenge is None:
            raise InvalidRequestError("Code challenge required: send code_challenge and code_challenge_method=S256.")
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Transform algorithm not supported: send code_challenge_method=S256.")
        if len(challenge) != S256_LENGTH:
            raise InvalidRequestError("The code_challenge is no base64url of a SHA-256 digest.")
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(AuthorizationCodeGrant):
    """The authorization code grant (RFC 6749 §4.1). A code is spent by its client's first try, good or bad."""

    TOKEN_ENDPOINT_AUTH_METHODS: Collection[str] = METHODS

    server: "Provider"

    def save_authorization_code(self, code: str, request: Request) -> None:  # type: ignore[override]
        """Remember what the user has granted, until the client comes for it."""
        login = self.server.log_in(cast("Client", request.client), cast("Account", request.user), request.scope)
        data = request.payload.data
        self.server.codes.put(code, AuthorizationCode(code, login, data.get("redirect_uri"), data["code_challenge"]))

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:  # type: ignore[override]
        """Take a code away from its client; leave it alone if another client has got hold of it.

        Who brings it a second time may have stolen it, or been stolen from: all its tokens end (RFC 6749 §4.1.2).
        """
        spent = self.server.spent_codes.get(code)
        if spent is not None and spent.check_client(client):
            self.server.tokens.revoke(spent)
        granted = self.server.codes.get(code)
        if granted is None or not granted.login.check_client(client):
            return None
        self.server.spent_codes.put(code, granted.login)
        return self.server.codes.take(code)

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Do nothing: the code was taken when it was looked up."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Login:
        """Give the login that the code was for."""
        return authorization_code.login


class RefreshGrant(RefreshTokenGrant):
    """The refresh token grant (RFC 6749 §6), with rotation, because all who have it are public (RFC 9700 §4.14.2)."""

    INCLUDE_NEW_REFRESH_TOKEN = True
    TOKEN_ENDPOINT_AUTH_METHODS: Collection[str] = METHODS

    server: "Provider"

    def validate_token_request(self) -> None:
        """Refuse unknown scopes too; Authlib's own check refuses those that the user has not granted."""
        super().validate_token_request()
        self.validate_requested_scope()

    def authenticate_refresh_token(self, refresh_token: str) -> Login | None:  # type: ignore[override]
        """Give the login of a refresh token. One that was spent before ends it: the client or a thief has a copy."""
        login = self.server.tokens.find_login(refresh_token)
        if login is None or not login.check_client(cast("Client", self.request.client)):
            return None
        if not login.is_newest(refresh_token):
            self.server.tokens.revoke(login)
            return None
        return login

    def authenticate_user(self, refresh_token: Login) -> Login:
        """Give the login itself: its user, and when he was last seen."""
        return refresh_token

    def revoke_old_credential(self, refresh_token: Login) -> None:  # type: ignore[override]
        """Do nothing: the old token was spent when the new one was issued."""


class MachineGrant(ClientCredentialsGrant):
    """The client credentials grant (RFC 6749 §4.4)."""

    TOKEN_ENDPOINT_AUTH_METHODS: Collection[str] = METHODS

    def validate_requested_scope(self) -> None:
        """Refuse a scope that is unknown, and one that this client may not have."""
        super().validate_requested_scope()
        client = cast("Client", self.request.client)
        if any(name not in client.scopes for name in (self.request.scope or "").split()):
            raise InvalidScopeError
