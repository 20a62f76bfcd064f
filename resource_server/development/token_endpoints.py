"""The endpoints at which tokens are revoked and introspected: Authlib's, with what they leave open decided strictly."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from resource_server.development.clients import METHODS, SECRET_METHODS, Client
from resource_server.development.parameters import Request
from resource_server.development.tokens import AccessToken, Login

if TYPE_CHECKING:
    from resource_server.development.provider import Provider

REVOCATION: Final = RevocationEndpoint.ENDPOINT_NAME
INTROSPECTION: Final = IntrospectionEndpoint.ENDPOINT_NAME


class Revocation(RevocationEndpoint):
    """RFC 7009: the end of an access token, or of a login with all its tokens. Silent where there is nothing to end."""

    CLIENT_AUTH_METHODS: Collection[str] = METHODS

    server: "Provider"

    def check_params(self, request: Request, client: Client) -> None:
        """Demand a token. A hint that says nothing is no error (RFC 7009 §2.2), though Authlib answers 401 to it."""
        _check_token(request)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Login | AccessToken | None:
        """Find the token, whatever the hint says: no two kinds look alike here."""
        return self.server.tokens.find_login(token_string) or self.server.tokens.find_access_token(token_string)

    def revoke_token(self, token: Login | AccessToken, request: Request) -> None:
        """RFC 7009 §2.1."""
        self.server.tokens.revoke(token)


class Introspection(IntrospectionEndpoint):
    """RFC 7662, for the API alone and about its access tokens alone."""

    CLIENT_AUTH_METHODS: Collection[str] = SECRET_METHODS

    server: "Provider"

    def check_params(self, request: Request, client: Client) -> None:
        """Demand a token, and let the hint say what it likes (RFC 7662 §2.1)."""
        _check_token(request)

    def query_token(self, token_string: str, token_type_hint: str | None) -> AccessToken | None:
        """Find an access token; a refresh token is nobody's business but its client's."""
        return self.server.tokens.find_access_token(token_string)

    def check_permission(self, token: AccessToken, client: Client, request: Request) -> bool:
        """RFC 7662 §4: what is for another API is not for this one to see."""
        audience = token.claims.get("aud")
        return self.server.audience in (audience if isinstance(audience, list) else [audience])

    def introspect_token(self, token: AccessToken) -> dict[str, Any]:
        """RFC 7662 §2.2: the claims of the token, be it a JWT or opaque."""
        return {**token.claims, "active": True, "token_type": "Bearer"}


def _check_token(request: Request) -> None:
    if "token" not in request.form:
        raise InvalidRequestError("The token is missing.")
