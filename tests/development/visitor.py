"""A browser and its client, as far as the authorization code grant needs them: RFC 6749 §4.1 with RFC 7636."""

import base64
import hashlib
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import jwt

from resource_server.development.authorization_server import DevelopmentServer

ISSUER = "http://127.0.0.1:9000"
API = "http://127.0.0.1:8000"
REDIRECT_URI = f"{API}/docs/oauth2-redirect"
OTHER_REDIRECT_URI = f"{API}/elsewhere?kept=1"
AUDIENCE = "https://notes.example.com"

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

DAY = 1_800_000_000.0


class TurnableClock:
    """Seconds since the epoch, by hand."""

    def __init__(self) -> None:
        self.time = DAY

    def __call__(self) -> float:
        return self.time


class Visitor:
    """Talks to one development server, in process."""

    def __init__(self, server: DevelopmentServer, http: httpx2.AsyncClient) -> None:
        self.server = server
        self.http = http

    async def ask(self, **changes: str | None) -> httpx2.Response:
        """Open the authorization endpoint with a good request, changed; None leaves a parameter out."""
        return await self.http.get(f"/authorize?{query(**changes)}")

    async def submit(self, page: httpx2.Response, user: str = "alice", **changes: str) -> httpx2.Response:
        """Fill the login page's form in, and send it where the page says."""
        fields = {"username": user, "password": self.server.credentials.passwords.get(user, "?"), **hidden_fields(page)}
        return await self.http.post(form_action(page), data={**fields, "decision": "allow", **changes})

    async def code(self, user: str = "alice", **changes: str | None) -> str:
        """Log in, and give the code that the redirect carries."""
        answer = await self.submit(await self.ask(**changes), user)
        return returned(answer)["code"]

    async def redeem(self, code: str, **changes: str | None) -> httpx2.Response:
        """Send a good token request for a code, changed."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.server.credentials.public_client_id,
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
            **changes,
        }
        return await self.http.post("/token", data={name: value for name, value in form.items() if value is not None})

    async def tokens(self, user: str = "alice", **changes: str | None) -> dict[str, Any]:
        """Log in, and give what the code is redeemed for."""
        tokens: dict[str, Any] = (await self.redeem(await self.code(user, **changes))).json()
        return tokens

    async def refresh(self, refresh_token: str, /, **form: str) -> httpx2.Response:
        """Send a good refresh request, changed."""
        client_id = self.server.credentials.public_client_id
        good = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": refresh_token}
        return await self.http.post("/token", data={**good, **form})

    async def revoke(self, token: str, **form: str) -> httpx2.Response:
        """Send a good revocation request of the public client, changed."""
        client_id = self.server.credentials.public_client_id
        return await self.http.post("/revoke", data={"client_id": client_id, "token": token, **form})

    async def introspect(self, token: str, **form: str) -> dict[str, Any]:
        """Ask what a token stands for, as the API."""
        credentials = self.server.credentials
        auth = (credentials.api_client_id, credentials.api_client_secret)
        answer = await self.http.post("/introspect", data={"token": token, **form}, auth=auth)
        assert answer.status_code == 200
        members: dict[str, Any] = answer.json()
        return members

    async def connect(self, **form: str) -> dict[str, Any]:
        """Begin as a device, with a good request, changed; give its codes."""
        answer = await self.http.post("/device_authorization", data={"client_id": "resource-server-cli", **form})
        assert answer.status_code == 200, answer.text
        codes: dict[str, Any] = answer.json()
        return codes

    async def poll(self, codes: dict[str, Any], **form: str) -> httpx2.Response:
        """Ask, as a device, whether the user has decided."""
        good = {"grant_type": DEVICE_GRANT, "client_id": "resource-server-cli", "device_code": codes["device_code"]}
        return await self.http.post("/token", data={**good, **form})

    async def machine(self, **form: str) -> httpx2.Response:
        """Send a good client credentials request, changed."""
        return await self.http.post("/token", data={"grant_type": "client_credentials", **form}, auth=self.service)

    @property
    def service(self) -> tuple[str, str]:
        """The name and the secret of the service."""
        return self.server.credentials.client_id, self.server.credentials.client_secret

    @property
    def opaque_service(self) -> tuple[str, str]:
        """The name and the secret of the service whose tokens are opaque."""
        return self.server.credentials.opaque_client_id, self.server.credentials.opaque_client_secret


def query(**changes: str | None) -> str:
    parameters = {
        "response_type": "code",
        "client_id": "swagger-ui",
        "redirect_uri": REDIRECT_URI,
        "scope": "orders:read",
        "state": "xyz",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return urlencode({name: value for name, value in parameters.items() if value is not None})


def returned(answer: httpx2.Response) -> dict[str, str]:
    """What a redirect brings back to the client."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(API)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def hidden_fields(page: httpx2.Response) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))


def form_action(page: httpx2.Response) -> str:
    [action] = re.findall(r'<form method="post" action="([^"]*)">', page.text)
    return unescape(action)


def policy(answer: httpx2.Response) -> dict[str, list[str]]:
    """A content security policy: its directives and their sources."""
    directives = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: sources for name, *sources in directives}


def claims_of(token: str) -> dict[str, Any]:
    """Unverified: the tests of signatures are elsewhere."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims
