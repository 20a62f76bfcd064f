"""The embedded development authorization server: real grants, real tokens, and nothing that outlives the process.

It is for ``resource-server dev`` and for tests. It shares no code with the resource server that it issues tokens for.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import Route

from resource_server.development.accounts import (
    ACCOUNTS,
    CLI_REDIRECT,
    SCOPES,
    SERVICE_SCOPES,
    Account,
    Accounts,
    DevelopmentCredentials,
)
from resource_server.development.authorization_endpoint import AuthorizationEndpoint
from resource_server.development.client_endpoints import ClientEndpoints
from resource_server.development.clients import Client
from resource_server.development.device import DEVICE_GRANT
from resource_server.development.forms import Forms
from resource_server.development.loopback import LoopbackOnly, loopback_port
from resource_server.development.minting import LIFETIME, Mint, SigningKey
from resource_server.development.provider import Provider
from resource_server.development.verification_endpoint import VerificationEndpoint

MAX_BODY: Final = 64 * 1024

DOCS_REDIRECT: Final = "/docs/oauth2-redirect"
"""Where FastAPI's OpenAPI page waits for its code."""


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
    opaque: bool = False,
    now: Callable[[], float] = time.time,
) -> DevelopmentServer:
    """Make an authorization server for one API, with new keys, passwords and secrets.

    Args:
        issuer: Its own origin, on a loopback address: ``http://127.0.0.1:9000``. Serve it there and nowhere else.
        audience: The API's identifier, the ``aud`` of all tokens, and the one ``resource`` (RFC 8707) they can be for.
        api_origin: The one origin whose pages may call the token endpoint: ``http://127.0.0.1:8000``.
        redirect_uris: Those of the OpenAPI page's client, compared exactly. Left out, the API's own OpenAPI page.
        accounts: The users.
        key: Signs the tokens; a new ES256 key if left out.
        opaque: Make every client's access tokens opaque, so that they must be introspected (RFC 7662). Those of
            ``example-opaque-service`` are in any case.
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
    mint = Mint(issuer, [key or SigningKey.generate()], now, audience=audience, lifetime=LIFETIME)
    clients = _clients(credentials, redirect_uris, opaque=opaque)
    provider = Provider(mint, audience, clients, Accounts(accounts, credentials.passwords), now)
    forms = Forms(now)
    app = Starlette(
        routes=[
            *ClientEndpoints(provider, api_origin).routes(),
            Route("/authorize", AuthorizationEndpoint(provider, forms).answer, methods=["GET", "POST"]),
            Route("/device", VerificationEndpoint(provider, forms).answer, methods=["GET", "POST"]),
        ],
        middleware=[
            Middleware(LoopbackOnly, port=port),
            Middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY),
        ],
    )
    app.router.redirect_slashes = False
    return DevelopmentServer(app, credentials, mint)


def _clients(names: DevelopmentCredentials, redirect_uris: tuple[str, ...], *, opaque: bool) -> list[Client]:
    """Register the clients. Those that run where their users are get refresh tokens, and can keep no secret."""
    code, machine, scopes = ("authorization_code", "refresh_token"), ("client_credentials",), tuple(SCOPES)
    return [
        Client(names.public_client_id, code, scopes, redirect_uris, opaque=opaque),
        Client(names.cli_client_id, (*code, DEVICE_GRANT), scopes, (CLI_REDIRECT,), opaque=opaque),
        Client(names.client_id, machine, SERVICE_SCOPES, secret=names.client_secret, opaque=opaque),
        Client(names.opaque_client_id, machine, SERVICE_SCOPES, secret=names.opaque_client_secret, opaque=True),
        Client(names.api_client_id, secret=names.api_client_secret, introspects=True),
    ]


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
