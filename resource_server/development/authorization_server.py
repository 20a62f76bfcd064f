"""The embedded development authorization server: real grants, real tokens, and nothing that outlives the process.

It is for ``resource-server dev`` and for tests. It shares no code with the resource server that it issues tokens for.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from resource_server.development.accounts import (
    ACCOUNTS,
    SCOPES,
    SERVICE_SCOPES,
    Account,
    Accounts,
    DevelopmentCredentials,
)
from resource_server.development.clients import METHODS, Client
from resource_server.development.loopback import LoopbackOnly, loopback_port
from resource_server.development.minting import LIFETIME, Mint, SigningKey
from resource_server.development.one_time import OneTime
from resource_server.development.pages import OUT_OF_DATE, WRONG, error_page, login_page
from resource_server.development.parameters import Parameters, Request, is_form
from resource_server.development.provider import Provider

MAX_BODY: Final = 64 * 1024

FORM_LIFETIME: Final = 600
"""Seconds that a person may look at the login page."""

MAX_FORMS: Final = 1_000

DOCS_REDIRECT: Final = "/docs/oauth2-redirect"
"""Where FastAPI's OpenAPI page waits for its code."""

_PUBLIC: Final = {"Access-Control-Allow-Origin": "*"}


@dataclass(frozen=True, slots=True)
class DevelopmentServer:
    """A new authorization server with all that it made up: serve :attr:`app`, and print :attr:`credentials`."""

    app: Starlette
    credentials: DevelopmentCredentials
    mint: Mint


def create_authorization_server(
    issuer: str,
    audience: str,
    *,
    api_origin: str,
    redirect_uris: Sequence[str] = (),
    accounts: Sequence[Account] = ACCOUNTS,
    key: SigningKey | None = None,
    now: Callable[[], float] = time.time,
) -> DevelopmentServer:
    """Make an authorization server for one API, with new keys, passwords and secrets.

    Args:
        issuer: Its own origin, on a loopback address: ``http://127.0.0.1:9000``. Serve it there and nowhere else.
        audience: The API's identifier, the ``aud`` of all tokens, and the one ``resource`` (RFC 8707) they can be for.
        api_origin: The one origin whose pages may call the token endpoint: ``http://127.0.0.1:8000``.
        redirect_uris: The public client's, compared exactly. Left out, the API's own OpenAPI page.
        accounts: The users.
        key: Signs the tokens; a new ES256 key if left out.
        now: Seconds since the epoch.

    Raises:
        ValueError: An address is not what it has to be; the sentence says which.
    """
    port = loopback_port(issuer)
    _check_origin(api_origin)
    redirect_uris = tuple(redirect_uris) or (api_origin + DOCS_REDIRECT,)
    for redirect_uri in redirect_uris:
        _check_redirect_uri(redirect_uri)

    credentials = DevelopmentCredentials.generate(accounts)
    clients = (
        Client(credentials.public_client_id, "authorization_code", tuple(SCOPES), redirect_uris),
        Client(credentials.client_id, "client_credentials", SERVICE_SCOPES, secret=credentials.client_secret),
    )
    mint = Mint(issuer, [key or SigningKey.generate()], now, audience=audience, lifetime=LIFETIME)
    provider = Provider(mint, audience, clients, Accounts(accounts, credentials.passwords), now)
    endpoints = _Endpoints(provider, api_origin, now)
    app = Starlette(
        routes=endpoints.routes(),
        middleware=[
            Middleware(LoopbackOnly, port=port),
            Middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY),
        ],
    )
    app.router.redirect_slashes = False
    return DevelopmentServer(app, credentials, mint)


class _Endpoints:
    """HTTP on one side, the provider on the other."""

    def __init__(self, provider: Provider, api_origin: str, now: Callable[[], float]) -> None:
        self._provider = provider
        self._issuer = provider.mint.issuer
        self._api_origin = api_origin
        self._forms: OneTime[bytes] = OneTime(lifetime=FORM_LIFETIME, bound=MAX_FORMS, now=now)

    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/oauth-authorization-server", self.metadata),
            Route("/.well-known/openid-configuration", self.metadata),
            Route("/jwks.json", self.jwks),
            Route("/authorize", self.authorize, methods=["GET", "POST"]),
            Route("/token", self.token, methods=["POST", "OPTIONS"]),
        ]

    async def metadata(self, http: HTTPRequest) -> Response:
        """RFC 8414 §3, and the same at OpenID Connect's address, where some clients look first."""
        facts: dict[str, Any] = {
            "issuer": self._issuer,
            "authorization_endpoint": f"{self._issuer}/authorize",
            "token_endpoint": f"{self._issuer}/token",
            "jwks_uri": f"{self._issuer}/jwks.json",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": list(METHODS),
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse(facts, headers=_PUBLIC)

    async def jwks(self, http: HTTPRequest) -> Response:
        """RFC 7517 §5."""
        return JSONResponse(self._provider.mint.jwks(), headers=_PUBLIC)

    async def authorize(self, http: HTTPRequest) -> Response:
        """Show the login page for a good authorization request (RFC 6749 §4.1.1), and take the page's form."""
        if http.method != "POST":
            return self._authorization(http, None)
        if http.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return error_page("Not from here", "This form can be sent by the login page only.", 403)
        try:
            form = await self._form(http)
        except OAuth2Error as error:
            return error_page("This form can't be read", str(error.description), 400)
        except ClientDisconnect:
            return Response(status_code=400)
        return self._authorization(http, form.data)

    async def token(self, http: HTTPRequest) -> Response:
        """RFC 6749 §3.2."""
        if http.method == "OPTIONS":
            return self._preflight(http)
        request = Request("POST", f"{self._issuer}/token", http.headers, Parameters(b""))
        try:
            if http.scope["query_string"]:
                raise InvalidRequestError("The parameters belong into the body.")  # RFC 6749 §2.3.1: never in the URI
            request.payload = await self._form(http)
            response = self._provider.token_response(request)
        except OAuth2Error as error:
            response = self._provider.error_response(request, error)
        except ClientDisconnect:
            return Response(status_code=400)
        return self._share(http, response)

    def _preflight(self, http: HTTPRequest) -> Response:
        """Answer a browser that asks whether a page may call the token endpoint."""
        allow = {
            "Allow": "POST, OPTIONS",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Requested-With",  # the last by Swagger UI
            "Access-Control-Max-Age": "600",
        }
        allowed = http.headers.get("origin") == self._api_origin
        return self._share(http, Response(None, 204, allow if allowed else {"Allow": "POST, OPTIONS"}))

    def _authorization(self, http: HTTPRequest, form: dict[str, str] | None) -> Response:
        query: bytes = http.scope["query_string"]
        try:
            request = Request("GET", f"{self._issuer}/authorize", http.headers, Parameters(query))
        except OAuth2Error as error:
            return error_page("This link can't be used", str(error.description), 400)
        try:
            grant = self._provider.authorization_request(request)
        except OAuth2Error as error:
            if error.redirect_uri:
                return self._provider.error_response(request, error)
            return error_page("This link can't be used", str(error.description), 400)

        if form is None:
            return self._login_page(query, request, grant.redirect_uri)
        if self._forms.take(form.get("transaction", "")) != _digest(query):
            return self._login_page(query, request, grant.redirect_uri, OUT_OF_DATE)
        if form.get("decision") == "deny":
            return self._provider.authorization_response(request, grant, None)
        user = self._provider.accounts.log_in(form.get("username", ""), form.get("password", ""))
        if user is None:
            return self._login_page(query, request, grant.redirect_uri, WRONG)
        return self._provider.authorization_response(request, grant, user)

    def _login_page(self, query: bytes, request: Request, redirect_uri: str, message: str = "") -> Response:
        """403 with a message: 401 would have to name an HTTP scheme to authenticate by (RFC 9110 §15.5.2)."""
        transaction = secrets.token_urlsafe(32)
        self._forms.put(transaction, _digest(query))
        return login_page(
            query=query.decode("ascii"),
            transaction=transaction,
            client_id=request.payload.client_id,
            redirect_uri=redirect_uri,
            scopes=request.scope.split(),
            status=403 if message else 200,
            message=message,
        )

    async def _form(self, http: HTTPRequest) -> Parameters:
        if not is_form(http.headers.get("content-type", "")):
            raise InvalidRequestError("The body has to be application/x-www-form-urlencoded.")
        form = Parameters(await http.body())
        form.refuse_repetition()
        return form

    def _share(self, http: HTTPRequest, response: Response) -> Response:
        """Let the API's own pages read the answer, and nobody else's."""
        response.headers["Vary"] = "Origin"
        if http.headers.get("origin") == self._api_origin:
            response.headers["Access-Control-Allow-Origin"] = self._api_origin
        return response


def _digest(query: bytes) -> bytes:
    """What a form remembers of the request that it was shown for; the whole could be long."""
    return hashlib.sha256(query).digest()


def _check_origin(origin: str) -> None:
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"api_origin {origin!r} is no origin: scheme, host and port, without a slash at the end")


def _check_redirect_uri(redirect_uri: str) -> None:
    parts = urlsplit(redirect_uri)
    origin = f"{parts.scheme}://{parts.netloc}"
    plain = redirect_uri.isascii() and redirect_uri.isprintable() and not set(redirect_uri) & set(" \"';,<>\\")
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in origin or parts.fragment or not plain:
        raise ValueError(f"redirect URI {redirect_uri!r} has to be absolute, http or https, without a fragment")
