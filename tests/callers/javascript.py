"""npm's `openid-client` and `oauth4webapi`, each run by node behind a few lines of its own in `npm/`."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.callers.caller import Reading, RefusedGrantError, Request
from tests.callers.development import Development

FOLDER = Path(__file__).parent / "npm"


class ThrownError(Exception):
    """The library threw; `told` is what its error offers to read."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told)
        self.told = told


class JavaScript:
    """One of the two, in a process that lasts: it takes commands."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @classmethod
    @contextmanager
    def started(cls, package: str) -> Iterator["JavaScript"]:
        """Run it while the context lasts."""
        pipe = subprocess.PIPE
        command = ["node", f"{package}.mjs"]
        with subprocess.Popen(command, cwd=FOLDER, stdin=pipe, stdout=pipe, text=True) as process:
            try:
                yield cls(process)
            finally:
                process.kill()

    def do(self, command: str, **options: Any) -> Any:
        """What the command returned. Raises ThrownError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, **options}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"node ended during {command!r}, with {self._process.wait()}: see its stderr")
        outcome = json.loads(line)
        if "thrown" in outcome:
            raise ThrownError(outcome["thrown"])
        return outcome["returned"]

    def client_credentials(self, server: Development, scope: str, secret: str | None = None) -> str:
        """After discovery (RFC 8414)."""
        secret = secret or server.client_secret
        client = {"client_id": server.client_id, "client_secret": secret}
        return self._token("client_credentials", issuer=server.issuer, scope=scope, **client)

    def log_in(self, server: Development, user: str, scope: str, decision: str = "allow") -> str:
        """After discovery (RFC 8414), as a public client; `state` and `iss` are checked (RFC 9207)."""
        client = {"client_id": server.public_client_id, "redirect_uri": server.redirect_uri}
        url = self.do("authorization_url", issuer=server.issuer, scope=scope, **client)
        return self._token("redeem", callback=server.visit(url, user, decision))

    def call(self, request: Request) -> Reading:
        """A challenge is thrown, with all challenges parsed; any other answer is returned."""
        command = {"method": request.method, "url": request.url, "token": request.token, "body": request.body}
        try:
            return _reading(self.do("call", **command), [])
        except ThrownError as error:
            told = error.told
        kind = (told["name"], told.get("code"))
        assert kind == ("WWWAuthenticateChallengeError", "OAUTH_WWW_AUTHENTICATE_CHALLENGE"), told
        assert told["status"] == told["response"]["status"]
        return _reading(told["response"], told["cause"])

    def _token(self, command: str, **options: Any) -> str:
        try:
            return str(self.do(command, **options)["access_token"])
        except ThrownError as error:
            if "response" not in error.told:
                raise RefusedGrantError(error.told.get("error"), error.told.get("error_description")) from error
            body = json.loads(error.told["response"]["text"])  # a challenge came with it, and is thrown before
            raise RefusedGrantError(body["error"], body["error_description"]) from error


def _reading(response: dict[str, Any], challenges: list[dict[str, Any]]) -> Reading:
    headers = response["headers"]
    body = json.loads(response["text"])
    return Reading(response["status"], headers.get("www-authenticate"), challenges, headers, body)
