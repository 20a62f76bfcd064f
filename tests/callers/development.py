"""The development servers as a user starts them: one process, real sockets, and what it prints is all that is known."""

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.development.visitor import form_action, hidden_fields

START_TIMEOUT = 30


@dataclass(frozen=True)
class Development:
    """`resource-server dev`, running."""

    api: str
    issuer: str
    client_id: str
    client_secret: str
    passwords: dict[str, str]

    public_client_id = "swagger-ui"

    @property
    def redirect_uri(self) -> str:
        """The public client's one redirect URI."""
        return f"{self.api}/docs/oauth2-redirect"

    @property
    def resource_metadata(self) -> str:
        """What its challenges point to (RFC 9728 §5.1)."""
        return f"{self.api}/.well-known/oauth-protected-resource"

    def visit(self, authorization_url: str, user: str, decision: str) -> str:
        """Be the user's browser at the login page; give the URL that it is sent back to."""
        with httpx2.Client(trust_env=False) as browser:
            page = browser.get(authorization_url)
            assert page.status_code == 200, page.text
            form = {"username": user, "password": self.passwords[user], "decision": decision, **hidden_fields(page)}
            answer = browser.post(f"{self.issuer}{form_action(page)}", data=form)
        assert answer.headers["location"].startswith(self.redirect_uri), answer.text
        return str(answer.headers["location"])


@contextmanager
def running(folder: Path, port: int = 0, issuer_port: int = 0) -> Iterator[Development]:
    """Run the servers while the context lasts, on free ports unless others are named; `folder` gets their log."""
    command = [sys.executable, "-m", "resource_server", "dev", "--port", str(port), "--issuer-port", str(issuer_port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RESOURCE_SERVER_")}
    log = folder / "dev.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            yield _parse(_greeting(process, log))
        finally:
            process.terminate()


def _greeting(process: "subprocess.Popen[bytes]", log: Path) -> str:
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    printed, deadline = b"", time.monotonic() + START_TIMEOUT
    while b"Ctrl+C" not in printed:
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        chunk = process.stdout.read() if ready else b""
        if not chunk:
            raise RuntimeError(f"the development servers did not start:\n{printed.decode()}{log.read_text()}")
        printed += chunk
    return printed.decode()


def _parse(greeting: str) -> Development:
    [api] = re.findall(r"The protected API +(\S+)", greeting)
    [issuer] = re.findall(r"The authorization server +(\S+)", greeting)
    [(client_id, client_secret)] = re.findall(r"curl -s -u ([\w-]+):(\w+) ", greeting)
    passwords = dict(re.findall(r"(?m)^    (\w+) +([0-9a-f]{24})$", greeting))
    return Development(api, issuer, client_id, client_secret, passwords)
