"""Authlib's `AsyncOAuth2Client`, on httpx2."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from tests.callers.caller import Reading, RefusedGrantError, Request, read_with_our_parser
from tests.callers.development import Development

T = TypeVar("T")
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
_TLS = ssl.create_default_context()  # costs more than all requests, and no request here uses it


class AuthlibClient:
    """A new client for each request, as in a script."""

    def client_credentials(self, server: Development, scope: str, secret: str | None = None) -> str:
        """By client_secret_basic, Authlib's default."""
        metadata = self._discover(server.issuer)

        async def fetch(client: AsyncOAuth2Client) -> Any:
            return await client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")

        options = {"client_id": server.client_id, "client_secret": secret or server.client_secret, "scope": scope}
        return str(_run(fetch, **options)["access_token"])

    def log_in(self, server: Development, user: str, scope: str, decision: str = "allow") -> str:
        """As a public client."""
        metadata = self._discover(server.issuer)

        async def fetch(client: AsyncOAuth2Client) -> Any:
            url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=VERIFIER)
            callback = await asyncio.to_thread(server.visit, url, user, decision)
            returned = dict(parse_qsl(urlsplit(callback).query))
            if "error" in returned:  # this client leaves it to its user; those that Authlib has for frameworks do so
                raise OAuthError(returned["error"], returned.get("error_description"))
            endpoint = metadata["token_endpoint"]
            return await client.fetch_token(
                endpoint, authorization_response=callback, state=state, code_verifier=VERIFIER
            )

        options = {
            "client_id": server.public_client_id,
            "redirect_uri": server.redirect_uri,
            "scope": scope,
            "token_endpoint_auth_method": "none",
            "code_challenge_method": "S256",
        }
        return str(_run(fetch, **options)["access_token"])

    def call(self, request: Request) -> Reading:
        """With the token that the client was given."""
        return self._read(request, token={"access_token": request.token, "token_type": "Bearer"})

    def call_without_token(self, url: str) -> Reading:
        """A request that Authlib leaves alone."""
        return self._read(Request(url, ""), withhold=True)

    def _read(self, request: Request, *, withhold: bool = False, **options: Any) -> Reading:
        async def send(client: AsyncOAuth2Client) -> httpx2.Response:
            headers = {"content-type": "application/json"} if request.body else {}
            answer: httpx2.Response = await client.request(
                request.method, request.url, withhold_token=withhold, headers=headers, content=request.body
            )
            return answer

        answer = _run(send, **options)
        assert answer.is_error == (answer.status_code >= 400)
        return read_with_our_parser(answer.status_code, dict(answer.headers), answer.json())

    def _discover(self, issuer: str) -> dict[str, Any]:
        """RFC 8414 §3, held against its own rules by Authlib."""
        url = get_well_known_url(issuer, external=True)
        metadata = AuthorizationServerMetadata(httpx2.get(url, verify=_TLS, trust_env=False).json())
        metadata.validate()
        assert metadata["issuer"] == issuer
        return dict(metadata)


def _run(use: Callable[[AsyncOAuth2Client], Awaitable[T]], **options: Any) -> T:
    async def run() -> T:
        async with AsyncOAuth2Client(verify=_TLS, trust_env=False, **options) as client:
            try:
                return await use(client)
            except OAuthError as error:
                raise RefusedGrantError(error.error, error.description) from error

    return asyncio.run(run())
