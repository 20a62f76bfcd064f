"""curl: `--oauth2-bearer` for the token, `-u` for the client."""

import json
import subprocess
from typing import Any

from tests.callers.caller import Reading, RefusedGrantError, Request, read_with_our_parser
from tests.callers.development import Development

HTTP_ERROR = 22
"""curl's exit code for a status from 400 on, with --fail-with-body."""


class Curl:
    """The program, run once a request."""

    def client_credentials(self, server: Development, scope: str, secret: str | None = None) -> str:
        """As the greeting of the development server advises."""
        client = f"{server.client_id}:{secret or server.client_secret}"
        form = ["-d", "grant_type=client_credentials", "-d", f"scope={scope}"]
        status, _, body = self.run("-u", client, *form, f"{server.issuer}/token")
        if status != 200:
            raise RefusedGrantError(body.get("error"), body.get("error_description"))
        return str(body["access_token"])

    def call(self, request: Request) -> Reading:
        """With the token where curl puts it."""
        body = [] if request.body is None else ["-H", "content-type: application/json", "-d", request.body]
        return self.read("--oauth2-bearer", request.token, "-X", request.method, *body, request.url)

    def read(self, *arguments: str) -> Reading:
        """Run curl, and read the answer."""
        status, headers, body = self.run(*arguments)
        return read_with_our_parser(status, {name: ", ".join(lines) for name, lines in headers.items()}, body)

    def run(self, *arguments: str) -> tuple[int, dict[str, list[str]], Any]:
        """Status, header fields line by line, body; curl's own verdict is held against the status."""
        shown = '%{stderr}{"status": %{http_code}, "headers": %{header_json}}'
        command = ["curl", "-q", "-sS", "--noproxy", "*", "--fail-with-body", "-w", shown, *arguments]
        done = subprocess.run(command, capture_output=True, check=False, timeout=10)
        shown = done.stderr.decode()
        told = json.loads(shown[shown.index("{") :])
        assert done.returncode == (HTTP_ERROR if told["status"] >= 400 else 0), shown
        return told["status"], told["headers"], json.loads(done.stdout) if done.stdout else None
