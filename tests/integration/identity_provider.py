"""A real authorization server on loopback, so that no token of the integration tests is of our own making.

It is the npm package `oidc-provider`, started by `oidc_provider/launch.mjs`; that file holds its clients,
accounts, roles and scopes.
"""

import base64
import hashlib
import json
import secrets
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

from tests.integration.installation import FOLDER

ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")  # EdDSA: the older name of Ed25519, one key
API = "https://api.example.com"
OTHER_API = "https://other.example.com"
OPAQUE_API = "https://opaque.example.com"  # its access tokens are no JWTs
OTHER_OPAQUE_API = "https://other-opaque.example.com"
RESOURCE_SERVER = ("resource-server", "secret-of-resource-server")  # may introspect
REDIRECT_URI = "http://127.0.0.1:8765/callback"

START_TIMEOUT = 30


@dataclass(frozen=True)
class Run:
    """The process, as long as it lives."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def rotate(self) -> None:
        """Make it sign with new keys from now on, and go on publishing the old ones."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"rotate\n")
        self.process.stdin.flush()
        self.read()

    def kill(self) -> None:
        """End it without a word, as a crash does."""
        self.process.kill()
        self.process.wait()

    def read(self) -> dict[str, Any]:
        """The next line that it writes."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise RuntimeError(f"the identity provider did not answer:\n{self.log.read_text()}")
        told: dict[str, Any] = json.loads(line)
        return told


class IdentityProvider:
    """A client's view of the running provider: what it publishes, and tokens by two grants."""

    def __init__(
        self, issuer: str, http: httpx2.Client, client_key: dict[str, Any], run: "Run", resource: str = API
    ) -> None:
        self.issuer = issuer
        self.run = run
        self.client_key = client_key
        """The private key of the client `resource-server-key`, as a JWK."""
        self.resource = resource
        """What tokens are asked for where a test does not say."""
        self._http = http
        self.metadata: dict[str, Any] = _json(http.get(f"{issuer}/.well-known/openid-configuration"))
        self.jwks_uri: str = self.metadata["jwks_uri"]

    @classmethod
    @contextmanager
    def started(cls, log: Path, port: int = 0, keys: Path | None = None) -> Iterator["IdentityProvider"]:
        """Run the provider while the context lasts, its errors going to `log`.

        Port 0 takes a free one. The port of an earlier run brings the same issuer back, with other keys unless both
        runs keep theirs in the same file.
        """
        with (
            log.open("wb") as errors,
            subprocess.Popen(
                ["node", "launch.mjs", str(port), *([str(keys)] if keys else [])],
                cwd=FOLDER,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            ) as process,
            httpx2.Client(trust_env=False) as http,
        ):
            try:
                run = Run(process, log)
                told = run.read()
                yield cls(told["issuer"], http, told["clientKey"], run)
            finally:
                process.kill()

    def asked_for(self, resource: str) -> "IdentityProvider":
        """The same provider, asked for tokens for another API."""
        return IdentityProvider(self.issuer, self._http, self.client_key, self.run, resource)

    def jwks(self) -> list[dict[str, Any]]:
        """Its public keys (RFC 7517)."""
        keys: list[dict[str, Any]] = _json(self._http.get(self.jwks_uri))["keys"]
        return keys

    def client_credentials(self, algorithm: str = "RS256", scope: str = "users:read", resource: str = "") -> str:
        """Give an access token of the client `cc-<algorithm>` (RFC 6749 section 4.4)."""
        form = {"grant_type": "client_credentials", "scope": scope, "resource": resource or self.resource}
        answer = self._http.post(self.metadata["token_endpoint"], data=form, auth=_machine(algorithm))
        return str(_json(answer)["access_token"])

    def authorization_code(
        self, algorithm: str = "RS256", user: str = "alice", scope: str = "users:read", resource: str = ""
    ) -> dict[str, Any]:
        """Log `user` in with the client `code-<algorithm>` (RFC 6749 section 4.1, RFC 7636).

        Gives the whole token response: besides the access token it has an `id_token` and a `refresh_token`.
        """
        resource = resource or self.resource
        client, verifier, state = f"code-{algorithm}", secrets.token_urlsafe(32), secrets.token_urlsafe(8)
        callback = self._log_in(
            user,
            {
                "client_id": client,
                "response_type": "code",
                "redirect_uri": REDIRECT_URI,
                "scope": f"openid offline_access {scope}",
                "prompt": "consent",
                "resource": resource,
                "state": state,
                "code_challenge": _challenge(verifier),
                "code_challenge_method": "S256",
            },
        )
        assert (callback["state"], callback["iss"]) == (state, self.issuer)
        form = {
            "grant_type": "authorization_code",
            "client_id": client,
            "code": callback["code"],
            "redirect_uri": REDIRECT_URI,
            "code_verifier": verifier,
            "resource": resource,
        }
        return _json(self._http.post(self.metadata["token_endpoint"], data=form))

    def introspect(self, token: str) -> dict[str, Any]:
        """Ask about an opaque token, as a resource server does (RFC 7662)."""
        endpoint = self.metadata["introspection_endpoint"]
        return _json(self._http.post(endpoint, data={"token": token}, auth=RESOURCE_SERVER))

    def revoke(self, token: str, algorithm: str = "RS256", client: str = "cc") -> None:
        """Revoke an opaque token of the client `cc-<algorithm>`, or of `code-<algorithm>` (RFC 7009)."""
        name, secret = _machine(algorithm) if client == "cc" else (f"{client}-{algorithm}", None)
        form = {"token": token} | ({} if secret else {"client_id": name})
        auth = (name, secret) if secret else httpx2.USE_CLIENT_DEFAULT
        answer = self._http.post(self.metadata["revocation_endpoint"], data=form, auth=auth)
        assert answer.is_success, answer.text

    def _log_in(self, user: str, request: dict[str, str]) -> dict[str, str]:
        """Go the browser's way, redirect by redirect, until the client's callback; the callback's query."""
        with httpx2.Client(trust_env=False) as browser:
            answer = browser.get(self.metadata["authorization_endpoint"], params=request)
            while not (location := _location(answer)).startswith(REDIRECT_URI):
                if "/interaction/" in location:
                    answer = browser.post(location, data={"account": user})
                else:
                    answer = browser.get(location)
        query = parse_qs(urlsplit(location).query)
        assert "code" in query, location
        return {name: values[0] for name, values in query.items()}


def _machine(algorithm: str) -> tuple[str, str]:
    return f"cc-{algorithm}", f"secret-of-cc-{algorithm}"


def _challenge(verifier: str) -> str:
    """Hash a code verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _location(answer: httpx2.Response) -> str:
    assert answer.is_redirect, f"{answer.status_code} {answer.text}"
    return urljoin(str(answer.url), answer.headers["location"])


def _json(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    members: dict[str, Any] = answer.json()
    return members
