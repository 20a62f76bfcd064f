"""The two grants of the development authorization server: Authlib's, with what they leave open decided strictly."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, BaseGrant, ClientCredentialsGrant
from authlib.oauth2.rfc7636 import CodeChallenge

from resource_server.development.accounts import Account
from resource_server.development.clients import METHODS, Client
from resource_server.development.parameters import Request

if TYPE_CHECKING:
    from resource_server.development.provider import Provider

CODE_LIFETIME: Final = 60
"""Seconds: a client redeems its code at once."""

MAX_CODES: Final = 1_000

S256_LENGTH: Final = 43
"""Characters of a SHA-256 digest in base64url."""


@dataclass(frozen=True, slots=True)
class AuthorizationCode(AuthorizationCodeMixin):
    """What a code stands for: a grant by one user to one client, bound to its URI and its challenge."""

    code: str = field(repr=False)
    client_id: str
    user: str
    scope: str
    redirect_uri: str | None
    """As the authorization request gave it; the token request has to give the same."""
    code_challenge: str
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """RFC 6749 §4.1.3: to be compared only if it was given."""
        return self.redirect_uri or ""

    def get_scope(self) -> str:
        """What the user may give of what the client asked for."""
        return self.scope


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
        """Remember what the user has granted: of the requested scopes, those that are his to give."""
        client, user = cast("Client", request.client), cast("Account", request.user)
        granted = AuthorizationCode(
            code=code,
            client_id=client.client_id,
            user=user.name,
            scope=" ".join(name for name in request.scope.split() if name in user.scopes),
            redirect_uri=request.payload.data.get("redirect_uri"),
            code_challenge=request.payload.data["code_challenge"],
        )
        self.server.codes.put(code, granted)

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:  # type: ignore[override]
        """Take a code away from its client; leave it alone if another client has got hold of it."""
        granted = self.server.codes.get(code)
        if granted is None or granted.client_id != client.client_id:
            return None
        return self.server.codes.take(code)

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Do nothing: the code was taken when it was looked up."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Account | None:
        """Give the user who granted the code."""
        return self.server.accounts.find(authorization_code.user)


class MachineGrant(ClientCredentialsGrant):
    """The client credentials grant (RFC 6749 §4.4)."""

    TOKEN_ENDPOINT_AUTH_METHODS: Collection[str] = METHODS

    def validate_requested_scope(self) -> None:
        """Refuse a scope that is unknown, and one that this client may not have."""
        super().validate_requested_scope()
        client = cast("Client", self.request.client)
        if any(name not in client.scopes for name in (self.request.scope or "").split()):
            raise InvalidScopeError
