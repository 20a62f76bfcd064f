"""The clients of the development authorization server, and how they authenticate (RFC 6749 §2.3)."""

import base64
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, InvalidRequestError

from resource_server.development.parameters import Request

SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post")

METHODS: Final = (*SECRET_METHODS, "none")

NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}

REALM: Final = "development authorization server"

_NO_SECRET: Final = secrets.token_hex(16)


class InvalidCredentialsError(InvalidClientError):
    """The client is unknown, its secret wrong, or missing: one answer for all three (RFC 6749 §5.2)."""

    status_code = 401
    description = "The client could not be authenticated."

    def get_headers(self) -> list[tuple[str, str]]:
        """Give the challenge with its realm (RFC 7617 §2), which Authlib's own lacks."""
        return [*NO_STORE.items(), ("WWW-Authenticate", f'Basic realm="{REALM}", charset="UTF-8"')]


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):
    """A registered client, in the words that Authlib's grants ask for."""

    client_id: str
    grant_types: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)
    opaque: bool = False
    """Whether its access tokens are opaque."""
    introspects: bool = False
    """Whether it is a protected resource, which may ask what an access token stands for."""

    def get_client_id(self) -> str:
        """RFC 6749 §2.2."""
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        """RFC 6749 §3.1.2.3: a client may leave the URI out if it has registered exactly one."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else ""

    def get_allowed_scope(self, scope: Collection[str] | str) -> str:
        """Give those of the requested scopes that this client may ask for, each once. None asked for, none given."""
        requested = scope.split() if isinstance(scope, str) else (scope or ())
        return " ".join(name for name in dict.fromkeys(requested) if name in self.scopes)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Compare character by character (RFC 9700 §2.1), without the leave that RFC 8252 gives loopback ports."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Compare in constant time; a client without a secret never matches."""
        right = secrets.compare_digest((self.secret or _NO_SECRET).encode(), client_secret.encode())
        return right and self.secret is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """A client with a secret has to use it, one without has none to use; not every client may introspect."""
        return (method == "none") == (self.secret is None) and (self.introspects or endpoint != "introspection")

    def check_response_type(self, response_type: str) -> bool:
        """Only clients of the code grant have any business at the authorization endpoint."""
        return response_type == "code" and self.check_grant_type("authorization_code")

    def check_grant_type(self, grant_type: str) -> bool:
        """RFC 6749 §5.2: any other makes an unauthorized client."""
        return grant_type in self.grant_types


def authenticate(request: Request, find: Callable[[str], Client | None], endpoint: str) -> Client:
    """Give the client that sends a request to the token endpoint or to one like it.

    Stands in for Authlib's registry of methods, which answers an unknown client otherwise than a wrong secret, lets
    the header and the form contradict each other, and fails on a header that is no Base64 of UTF-8.
    """
    form = request.payload
    client_id, secret = form.single("client_id"), form.single("client_secret")
    authorization = request.headers.getlist("authorization")
    if len(authorization) > 1 or (authorization and secret is not None):
        raise InvalidRequestError("The client authenticates in more than one way.")  # RFC 6749 §2.3
    if authorization:
        request.auth_method = "client_secret_basic"
        user, secret = _basic(authorization[0])
        if client_id not in (None, user):
            raise InvalidRequestError("The client_id contradicts the Authorization header.")
        client_id = user
    else:
        request.auth_method = "none" if secret is None else "client_secret_post"

    client = find(client_id or "")
    if client is None or not client.check_endpoint_auth_method(request.auth_method, endpoint):
        raise InvalidCredentialsError
    if secret is not None and not client.check_client_secret(secret):
        raise InvalidCredentialsError
    return client


def _basic(authorization: str) -> tuple[str, str]:
    """Read ``Basic`` credentials, each part form-encoded before it was joined (RFC 6749 §2.3.1)."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        decoded = base64.b64decode(credentials.strip(" "), validate=True).decode()
    except ValueError as error:
        raise InvalidCredentialsError from error
    user, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise InvalidCredentialsError
    return unquote_plus(user), unquote_plus(secret)
