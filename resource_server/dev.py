"""``resource-server dev``: the bundled API and an authorization server, both on loopback, for one developer (T34).

The only module of the runtime that imports ``development/``; ``serve`` and the library can't.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence

import typer

from resource_server.asgi import AsgiApp, Receive, Scope, Send
from resource_server.configuration_error import ConfigurationError
from resource_server.demo import refusals_page, sample_client
from resource_server.demo.api import create_api
from resource_server.demo.sample_client import create_sample_client
from resource_server.development.accounts import ACCOUNTS, DevelopmentCredentials
from resource_server.development.authorization_server import create_authorization_server
from resource_server.development.loopback import LoopbackOnly
from resource_server.development.samples import Samples
from resource_server.events import Observer
from resource_server.fastapi import ApiDocs, ResourceServer
from resource_server.observers.audit import Audit
from resource_server.observers.recent import RecentRefusals
from resource_server.playground import PATH as PLAYGROUND
from resource_server.playground import Playground
from resource_server.serving.serve import Site, bind, run
from resource_server.settings import PREFIX, Settings

HOST = "127.0.0.1"


def develop(port: int, issuer_port: int) -> None:
    """Run both until interrupted. Raises :class:`ConfigurationError`."""
    settings = Settings.load()
    _check_private(settings)
    api_socket, issuer_socket = bind(HOST, port), bind(HOST, issuer_port)
    port = api_socket.getsockname()[1]
    origin, issuer = (f"http://{HOST}:{one.getsockname()[1]}" for one in (api_socket, issuer_socket))
    redirects = [origin + path for path in ("/docs/oauth2-redirect", refusals_page.LOGIN, sample_client.PATH)]
    provider = create_authorization_server(issuer, origin, api_origin=origin, redirect_uris=redirects)
    keys = settings.read_audit_keys()
    recent = RecentRefusals(keys[0])
    server = _resource_server(issuer, origin, [recent, *([Audit(keys)] if settings.audit else [])])
    docs = ApiDocs(client_id=provider.credentials.public_client_id, parameters={"resource": origin})
    beside: dict[str, AsgiApp] = {
        sample_client.PATH: create_sample_client(issuer, provider.credentials.public_client_id),
        PLAYGROUND: Playground(server, _resource_server(issuer, origin, ()), Samples(provider.mint, ACCOUNTS)),
    }
    api = LoopbackOnly(_beside(create_api(server, docs=docs, recent=recent), beside), port, headers={})

    def ready() -> None:
        typer.echo(_greeting(origin, issuer, provider.credentials))

    run([Site(api, api_socket), Site(provider.app, issuer_socket)], ready=ready)


def _resource_server(issuer: str, origin: str, observers: Sequence[Observer]) -> ResourceServer:
    return ResourceServer(issuer, audience=origin, resource=origin, disclose_requirements=True, observers=observers)


def _beside(api: AsgiApp, pages: Mapping[str, AsgiApp]) -> AsgiApp:
    """The API, and pages beside it, by their path: they need no token, and the API need not know them."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "") if scope["type"] == "http" else ""
        app = next((app for at, app in pages.items() if path == at or path.startswith(f"{at}/")), api)
        await app(scope, receive, send)

    return answer


def _check_private(settings: Settings) -> None:
    """Refuse to start where something suggests that others are meant to reach it."""
    cure = "the development server is for this machine alone; unset it, or use resource-server serve"
    if settings.trusted_proxies:
        raise ConfigurationError(f"{PREFIX}TRUSTED_PROXIES", f"is set: {cure}")
    if settings.resource and settings.resource.lower().startswith("https:"):
        raise ConfigurationError(f"{PREFIX}RESOURCE", f"is set: {cure}")
    for name in ("issuer", "issuers"):
        if getattr(settings, name):
            raise ConfigurationError(PREFIX + name.upper(), f"is set, but dev brings its own issuer: {cure}")


def _greeting(origin: str, issuer: str, credentials: DevelopmentCredentials) -> str:
    users = "\n".join(f"    {name:<6} {password}" for name, password in credentials.passwords.items())
    client = f"{credentials.client_id}:{credentials.client_secret}"
    command = f"{shlex.quote(sys.executable)} -m resource_server"
    return f"""
  The protected API          {origin}     (its docs: {origin}/docs)
  A client of it             {origin}/app     (how a page treats 401, 403, 429 and 503)
  The playground             {origin}/playground     (make a token, break it, see each check and the answer)
  The refusals, live         {origin}/admin/refusals     (log in as root)
  The authorization server   {issuer}     (for development: keys and passwords are new at each start)

  Paste these, one after the other:

  # 401: no token, and a challenge that says which scope is needed
  curl -i {origin}/orders

  # a token
  TOKEN=$(curl -s -u {client} \\
    -d grant_type=client_credentials -d scope=orders:read {issuer}/token \\
    | sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/')

  # 200: the token has the scope
  curl -i -H "Authorization: Bearer $TOKEN" {origin}/orders

  # 403: a role is missing, and no other token of the same client would help, so there is no challenge
  curl -i -H "Authorization: Bearer $TOKEN" {origin}/admin/dashboard

  # why: one line a check (in the folder where this was started)
  echo "$TOKEN" | {command} explain --route "GET /orders" \\
    --issuer {issuer} --audience {origin}

  Users who can log in (alice is a customer, eve an editor, root an admin):
{users}

  Press Ctrl+C to end.
"""
