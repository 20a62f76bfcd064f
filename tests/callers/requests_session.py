"""requests-oauthlib's `OAuth2Session`."""

from typing import Any

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests import Response
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from tests.callers.caller import Reading, RefusedGrantError, Request, read_with_our_parser
from tests.callers.development import Development


class RequestsSession:
    """A new session for each request, as in a script. It finds no metadata: its user types the endpoints."""

    def client_credentials(self, server: Development, scope: str, secret: str | None = None) -> str:
        """By HTTP Basic, as its documentation advises."""
        client = BackendApplicationClient(client_id=server.client_id, scope=scope)
        with _session(client=client) as session:
            auth = HTTPBasicAuth(server.client_id, secret or server.client_secret)
            return _fetch(session, f"{server.issuer}/token", auth=auth)

    def log_in(self, server: Development, user: str, scope: str, decision: str = "allow") -> str:
        """As a public client."""
        with _session(server.public_client_id, redirect_uri=server.redirect_uri, scope=scope, pkce="S256") as session:
            url, _ = session.authorization_url(f"{server.issuer}/authorize")
            callback = server.visit(url, user, decision)
            return _fetch(session, f"{server.issuer}/token", authorization_response=callback, include_client_id=True)

    def call(self, request: Request) -> Reading:
        """With the token that the session was given."""
        with _session(token={"access_token": request.token, "token_type": "Bearer"}) as session:
            headers = {"content-type": "application/json"} if request.body else {}
            return _read(session.request(request.method, request.url, data=request.body, headers=headers))

    def call_without_token(self, url: str) -> Reading:
        """A request that the session leaves alone."""
        with _session() as session:
            return _read(session.request("GET", url, withhold_token=True))


def _session(*arguments: Any, **options: Any) -> OAuth2Session:
    session = OAuth2Session(*arguments, **options)
    session.trust_env = False
    return session


def _fetch(session: OAuth2Session, endpoint: str, **options: Any) -> str:
    try:
        return str(session.fetch_token(endpoint, **options)["access_token"])
    except OAuth2Error as error:
        raise RefusedGrantError(error.error, error.description) from error


def _read(answer: Response) -> Reading:
    assert answer.ok == (answer.status_code < 400)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return read_with_our_parser(answer.status_code, headers, answer.json())
