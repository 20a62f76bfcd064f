"""Authlib's authorization server, told where its clients, users, codes and tokens are."""

from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from authlib.oauth2 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749 import (
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnsupportedResponseTypeError,
)
from starlette.responses import JSONResponse, Response

from resource_server.development.accounts import SCOPES, Account, Accounts
from resource_server.development.clients import NO_STORE, Client, authenticate
from resource_server.development.device import DeviceAuthorization, DeviceGrant, Devices
from resource_server.development.grants import (
    CODE_LIFETIME,
    MAX_CODES,
    AuthorizationCode,
    CodeGrant,
    MachineGrant,
    RefreshGrant,
    RequiredCodeChallenge,
)
from resource_server.development.minting import Mint
from resource_server.development.parameters import Request
from resource_server.development.short_memory import ShortMemory
from resource_server.development.token_endpoints import Introspection, Revocation
from resource_server.development.tokens import MAX_LOGINS, REFRESH_LIFETIME, Login, Tokens


class TokenResponse(dict[str, str | int]):
    """The answer of the token endpoint (RFC 6749 §5.1), with a repr for Authlib, which logs it."""

    def __repr__(self) -> str:
        return "<token response>"


class Provider(AuthorizationServer):
    """What the endpoints ask: may this client have the user asked, and what does it get?

    Requests come in as :class:`Request`, parsed; answers go out as Starlette's responses.
    """

    def __init__(
        self, mint: Mint, audience: str, clients: Sequence[Client], accounts: Accounts, now: Callable[[], float]
    ) -> None:
        super().__init__(scopes_supported=tuple(SCOPES))
        self.mint = mint
        self.audience = audience
        self.clients = {client.client_id: client for client in clients}
        self.accounts = accounts
        self.tokens = Tokens(mint, audience, now)
        self.codes: ShortMemory[AuthorizationCode] = ShortMemory(lifetime=CODE_LIFETIME, bound=MAX_CODES, now=now)
        self.spent_codes: ShortMemory[Login] = ShortMemory(lifetime=REFRESH_LIFETIME, bound=MAX_LOGINS, now=now)
        self.devices = Devices(now)
        self.register_grant(CodeGrant, [RequiredCodeChallenge(required=True)])
        self.register_grant(MachineGrant)
        self.register_grant(RefreshGrant)
        self.register_grant(DeviceGrant)
        self.register_endpoint(cast("Any", DeviceAuthorization))
        self.register_endpoint(Revocation)
        self.register_endpoint(Introspection)
        self.register_token_generator("default", cast("Any", self._token))

    # What the endpoints call

    def authorization_request(self, request: Request) -> CodeGrant:
        """Check an authorization request, before the user is asked and again after (RFC 6749 §4.1.1).

        An error that bears a ``redirect_uri`` is for the client; any other must be shown to the user, and nobody is
        redirected. Authlib would decide as much, but builds its texts from parameters, and fails on some of them.
        """
        client, redirect_uri = self._whom_to_redirect_to(request)
        try:
            request.payload.refuse_repetition()
            request.payload.refuse_other_resources(self.audience)
            response_type = request.payload.data.get("response_type")
            if response_type is None:
                raise InvalidRequestError("The response_type is missing.")
            if not client.check_response_type(response_type):
                raise UnsupportedResponseTypeError(None, "The one response_type here is code.")
            if request.payload.data.get("response_mode", "query") != "query":
                raise InvalidRequestError("The one response_mode here is query.")
            grant: CodeGrant = self.get_consent_grant(request)  # type: ignore[no-untyped-call]
        except OAuth2Error as error:
            error.redirect_uri = redirect_uri
            error.state = request.payload.single("state")
            raise
        return grant

    def authorization_response(self, request: Request, grant: CodeGrant, user: Account | None) -> Response:
        """Redirect back to the client: with a code, or with the user's refusal (RFC 6749 §4.1.2)."""
        return cast("Response", self.create_authorization_response(request, grant_user=user, grant=grant))

    def token_response(self, request: Request) -> Response:
        """Answer a token request (RFC 6749 §5)."""
        try:
            request.payload.refuse_repetition()
            request.payload.refuse_other_resources(self.audience)
            if request.payload.grant_type is None:
                raise InvalidRequestError("The grant_type is missing.")
        except OAuth2Error as error:
            return self.error_response(request, error)
        return cast("Response", self.create_token_response(request))

    def endpoint_response(self, name: str, request: Request) -> Response:
        """Answer a request to another endpoint that clients call."""
        return cast("Response", self.create_endpoint_response(name, request))  # type: ignore[no-untyped-call]

    def error_response(self, request: Request, error: OAuth2Error) -> Response:
        """Answer with an error: by a redirect if it knows where to, else in JSON."""
        return cast("Response", self.handle_error_response(request, error))

    def log_in(self, client: Client, user: Account, scope: str) -> Login:
        """Note that a user has just logged in, and grants what he has of the requested scopes."""
        scope = " ".join(name for name in scope.split() if name in user.scopes)
        return Login(client.client_id, user, scope, auth_time=int(self.mint.clock()))

    # What Authlib calls; but never create_json_request, which only client registration needs

    def query_client(self, client_id: str) -> Client | None:  # type: ignore[override]  # the stubs forget the unknown
        """Give the client of that id."""
        return self.clients.get(client_id)

    def authenticate_client(self, request: OAuth2Request, methods: Any, endpoint: str = "token") -> Client:
        """Give the client that sends the request; a client's registration alone says by which method."""
        return authenticate(cast("Request", request), self.clients.get, endpoint)

    def validate_requested_scope(self, scope: str | None) -> None:
        """Refuse unknown scopes, and a list that is not parted by single spaces (RFC 6749 §3.3)."""
        if scope is not None and any(name not in SCOPES for name in scope.split(" ")):
            raise InvalidScopeError

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        """Pass on what the endpoint has parsed."""
        return cast("Request", request)

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        """Make Starlette's response of Authlib's. Every redirect names the issuer (RFC 9207 §2).

        303, where Authlib says 302: what follows a form with a password must never be a POST (RFC 9700 §4.12).
        """
        fields = dict(headers)
        location = fields.get("Location")
        if location is not None:
            return Response(None, 303, {"Location": _with_issuer(location, self.mint.issuer), **NO_STORE})
        return JSONResponse(body, status, {**NO_STORE, **fields})

    def save_token(self, token: dict[str, str | int], request: OAuth2Request) -> None:
        """Do nothing: what has to be remembered of a token was, when it was made."""

    def send_signal(self, name: Any, *args: object, **kwargs: object) -> None:
        """Tell nobody."""

    def _whom_to_redirect_to(self, request: Request) -> tuple[Client, str]:
        client = self.query_client(request.payload.single("client_id") or "")
        if client is None:
            raise InvalidClientError("The client_id is missing or unknown.")
        redirect_uri = request.payload.single("redirect_uri")
        if "redirect_uri" not in request.payload.data:
            redirect_uri = client.get_default_redirect_uri()
        if not redirect_uri or not client.check_redirect_uri(redirect_uri):
            raise InvalidRequestError("The redirect_uri is missing, or not one that the client has registered.")
        return client, redirect_uri

    def _token(
        self,
        *,
        grant_type: str,
        client: Client,
        user: Login | None = None,
        scope: str | None = None,
        include_refresh_token: bool = False,
        **_: object,
    ) -> TokenResponse:
        """Answer a good token request (RFC 6749 §5.1). What Authlib calls the user is a login here."""
        granted = client.get_allowed_scope(scope or "")
        token = self.tokens.access_token(client, granted, user)
        answer = TokenResponse(
            {"access_token": token, "token_type": "Bearer", "expires_in": self.mint.lifetime, "scope": granted}
        )
        if user and include_refresh_token and grant_type in ("authorization_code", "refresh_token"):
            answer["refresh_token"] = self.tokens.refresh_token(user)
        return answer


def _with_issuer(location: str, issuer: str) -> str:
    parts = urlsplit(location)
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("iss", issuer)]
    return urlunsplit(parts._replace(query=urlencode(query)))
