"""The development authorization server on a socket of loopback: it introspects JWTs, too, and signs no answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import uvicorn

from resource_server.development.authorization_server import DevelopmentServer, create_authorization_server
from tests.integration.identity_provider import API


class DevelopmentIssuer:
    """Tokens of two services, one of which gets opaque ones."""

    def __init__(self, url: str, server: DevelopmentServer, http: httpx2.Client) -> None:
        self.url = url
        self._http = http
        names = server.credentials
        self._services = {
            "JWT": (names.client_id, names.client_secret),
            "opaque": (names.opaque_client_id, names.opaque_client_secret),
        }
        self.settings = {
            "ISSUER": url,
            "AUDIENCE": API,
            "INTROSPECTION_ENDPOINT": f"{url}/introspect",
            "CLIENT_ID": names.api_client_id,
            "CLIENT_SECRET": names.api_client_secret,
        }
        """Those of a resource server that asks it."""

    def token(self, kind: str) -> str:
        """An access token of one kind (RFC 6749 §4.4)."""
        form = {"grant_type": "client_credentials", "scope": "orders:read"}
        answer = self._http.post(f"{self.url}/token", data=form, auth=self._services[kind]).raise_for_status()
        return str(answer.json()["access_token"])

    def revoke(self, token: str, kind: str) -> None:
        """End it (RFC 7009)."""
        self._http.post(f"{self.url}/revoke", data={"token": token}, auth=self._services[kind]).raise_for_status()


@contextmanager
def development_issuer() -> Iterator[DevelopmentIssuer]:
    """Run it while the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as bound, httpx2.Client(trust_env=False) as http:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        development = create_authorization_server(url, API, api_origin="http://127.0.0.1:8000")
        server = uvicorn.Server(uvicorn.Config(development.app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield DevelopmentIssuer(url, development, http)
        finally:
            server.should_exit = True
            thread.join()
