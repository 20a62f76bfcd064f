"""``token``: get an access token, as a service with a secret or as a user who logs in with a browser."""

import secrets
import time
import webbrowser
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx2
import typer
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from resource_server.commands.output import OK, REFUSED, UNREACHABLE, print_json
from resource_server.issuers.discovery import metadata_urls
from resource_server.issuers.urls import check_url

REDIRECT_PORT: Final = 8765
REDIRECT_URI: Final = f"http://127.0.0.1:{REDIRECT_PORT}/callback"
"""Where the browser brings the code; to be registered with the issuer."""
PATIENCE: Final = 300.0
"""Seconds for the login."""


def run(issuer: str, client_id: str, secret: str | None, scope: str, resource: str | None, *, as_json: bool) -> int:
    """Get a token and print it alone; 1 where the issuer refuses, 3 where it can't be reached."""
    check_url(issuer, "--issuer")
    extra = {"resource": resource} if resource else {}
    try:
        metadata = _metadata(issuer)
        client = OAuth2Client(
            client_id,
            secret,
            scope=scope or None,
            redirect_uri=REDIRECT_URI,
            code_challenge_method="S256",
            trust_env=False,
        )
        with client:
            if secret is not None:
                token = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", **extra)
            else:
                token = _log_in(client, metadata, extra)
        if not isinstance(token.get("access_token"), str):
            raise OAuthError("no_token", "its answer has no access token")
    except httpx2.HTTPError as error:
        typer.echo(f"{issuer} can't be reached: {type(error).__name__}", err=True)
        return UNREACHABLE
    except OAuthError as error:
        typer.echo(f"The issuer refuses: {error.error}: {error.description}", err=True)
        return REFUSED
    if as_json:
        print_json({name: value for name, value in token.items() if name != "refresh_token"})
    else:
        typer.echo(token["access_token"])
    return OK


def _metadata(issuer: str) -> Mapping[str, Any]:
    for url in metadata_urls(issuer):
        response = httpx2.get(url, trust_env=False, timeout=10)
        document = _read(response) if response.status_code == 200 else {}
        if document.get("issuer") == issuer:
            for name in ("authorization_endpoint", "token_endpoint"):
                # where the secret and the code go: an https issuer must not send them elsewhere in clear
                check_url(str(document.get(name, "")), f"the issuer's {name}", loopback=issuer.startswith("http:"))
            return document
    raise OAuthError("no_metadata", f"no document at {' or '.join(metadata_urls(issuer))} names this issuer")


def _read(response: httpx2.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _log_in(client: OAuth2Client, metadata: Mapping[str, Any], extra: Mapping[str, str]) -> Mapping[str, Any]:
    """Authorization code with PKCE (RFC 8252): the browser comes back to a port of this machine."""
    verifier = secrets.token_urlsafe(48)
    url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, **extra)
    typer.echo(f"Log in with your browser:\n  {url}", err=True)
    answer = _redirect_of(url)
    if answer.get("state") != state:
        raise OAuthError("wrong_state", "the answer belongs to another login")
    if answer.get("iss", metadata["issuer"]) != metadata["issuer"]:
        raise OAuthError("wrong_issuer", "the answer comes from another issuer (RFC 9207)")
    if "code" not in answer:
        raise OAuthError(answer.get("error", "no_code"), answer.get("error_description", "no code came back"))
    token: Mapping[str, Any] = client.fetch_token(
        metadata["token_endpoint"], code=answer["code"], code_verifier=verifier, **extra
    )
    return token


def _redirect_of(url: str) -> dict[str, str]:
    """Open a browser at a URL, and wait for what it brings to the redirect URI."""
    found: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            if urlsplit(self.path).path != "/callback":
                self.send_error(404)
                return
            found.update(parse_qsl(urlsplit(self.path).query))
            page = b"<!doctype html><title>Done</title><p>You can close this page and return to the terminal."
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-security-policy", "default-src 'none'")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Write nothing: the path holds the code."""

    try:
        server = HTTPServer(("127.0.0.1", REDIRECT_PORT), Handler)
    except OSError as error:
        raise OAuthError("no_port", f"port {REDIRECT_PORT} can't be had ({error.strerror})") from None
    with server:
        webbrowser.open(url)
        deadline = time.monotonic() + PATIENCE
        while not found and (left := deadline - time.monotonic()) > 0:
            server.timeout = left
            server.handle_request()
    if not found:
        raise OAuthError("no_answer", "nobody logged in")
    return found
