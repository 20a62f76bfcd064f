"""The bundled API as ``serve`` runs it, over a real socket: what a test client would tidy up on the way."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from resource_server.testing import FakeIssuer
from tests.rfc.challenges import read
from tests.rfc.checklist import requirement


@dataclass
class Served:
    """A process that serves, and the issuer that it trusts."""

    process: subprocess.Popen[str]
    port: int
    issuer: FakeIssuer
    tokens: list[str] = field(default_factory=list)

    def token(self) -> str:
        """A good token, which is noted."""
        self.tokens.append(self.issuer.token(scope="orders:read orders:write"))
        return self.tokens[-1]

    def say(self, target: str, *fields: str, method: str = "GET", content: bytes = b"") -> tuple[str, str]:
        """Send a head and, once nothing comes back any more, the content, on a connection of its own.

        What came back before the content, and what came back in all until the server hung up.
        """
        head = "\r\n".join(
            (f"{method} {target} HTTP/1.1", "Host: api.example.com", *fields, "Connection: close", "", "")
        )
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(head.encode("latin-1"))
            early = late = _receive(connection, 0.3 if content else 10)
            if content:
                connection.sendall(content)
                late += _receive(connection, 10)
        return early.decode("latin-1"), late.decode("latin-1")

    def end(self) -> str:
        """End the process; all that it wrote."""
        self.process.terminate()
        return "".join(self.process.communicate(timeout=10))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    issuer = FakeIssuer()
    keys = tmp_path_factory.mktemp("keys") / "jwks.json"
    _write(keys, issuer)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RESOURCE_SERVER_")} | {
        "RESOURCE_SERVER_ISSUER": issuer.url,
        "RESOURCE_SERVER_AUDIENCE": issuer.audience,
        "RESOURCE_SERVER_JWKS_FILE": str(keys),
    }
    command = [sys.executable, "-m", "resource_server", "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        line = process.stderr.readline()
        port = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert port, line
        served = Served(process, int(port[1]), issuer)
        _, response = served.say("/orders", f"Authorization: Bearer {served.token()}")
        assert response.startswith("HTTP/1.1 200 "), response
        yield served
        process.kill()


def _receive(connection: socket.socket, seconds: float) -> bytes:
    """All that comes until the server hangs up or falls silent."""
    connection.settimeout(seconds)
    received = b""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        while chunk := connection.recv(65536):
            received += chunk
    return received


def _write(path: Path, issuer: FakeIssuer) -> None:
    path.write_text(json.dumps(issuer.mint.jwks()))
    path.chmod(0o600)


def challenge_of(response: str) -> str | None:
    lines = [line.partition(": ")[2] for line in response.split("\r\n") if line.lower().startswith("www-authenticate:")]
    assert len(lines) <= 1
    return dict(read(lines[0])[0].parameters).get("error") if lines else None


@requirement("RS-9110-11.6.2-a")
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(["Authorization: Bearer {}", "Authorization: Bearer bad"], id="good-then-bad"),
        pytest.param(["Authorization: Bearer bad", "authorization: Bearer {}"], id="bad-then-good"),
        pytest.param(["AUTHORIZATION: Bearer {}", "Authorization: Bearer {}"], id="twice-the-same"),
        pytest.param(["Authorization:", "Authorization: Bearer {}"], id="empty-first"),
        pytest.param(["Authorization: Bearer {},", " Bearer bad"], id="folded"),
    ],
)
def test_rs_9110_11_6_2_a_two_field_lines_are_malformed_on_the_wire(served: Served, fields: list[str]) -> None:
    """RFC 9110 §5.3: nothing between the socket and us joins or drops one. RFC 9112 §5.2 refuses a folded line."""
    token = served.token()
    _, response = served.say("/orders", *(one.format(token) for one in fields))
    assert response.startswith("HTTP/1.1 400 ")
    assert challenge_of(response) in ("invalid_request", None)


@requirement("RS-9110-9.3.2-a")
@pytest.mark.parametrize(("token", "status"), [("good", "200"), ("bad", "401")])
def test_rs_9110_9_3_2_a_no_content_of_a_head_is_on_the_wire(served: Served, token: str, status: str) -> None:
    """RFC 9110 §9.3.2: a client would take it for the beginning of the next answer."""
    field = f"Authorization: Bearer {served.token() if token == 'good' else token}"
    get, head = [re.sub("date: .*\r\n", "", served.say("/orders", field, method=one)[1]) for one in ("GET", "HEAD")]
    assert get.startswith(f"HTTP/1.1 {status} ")
    assert head == get.partition("\r\n\r\n")[0] + "\r\n\r\n"


@requirement("RS-9110-x-a")
def test_rs_9110_x_a_the_content_is_not_waited_for(served: Served) -> None:
    """A ruling: the answer comes while the content is still on its way, and the connection ends with it."""
    content = b'{"item": "lamp", "quantity": 1}'
    announced = ("Content-Type: application/json", f"Content-Length: {len(content)}", "Expect: 100-continue")
    good = f"Authorization: Bearer {served.token()}"
    early, granted = served.say("/orders", good, *announced, method="POST", content=content)
    refused, _ = served.say("/orders", *announced, method="POST")
    assert re.fullmatch(r"(HTTP/1\.1 100 Continue\r\n\r\n)?", early)
    assert "HTTP/1.1 201 " in granted
    assert refused.startswith("HTTP/1.1 401 ")
    assert "\r\nconnection: close\r\n" in refused.lower()


@requirement("RS-6585-5-a")
@pytest.mark.parametrize("size", [17, 32, 70])
def test_rs_6585_5_a_a_token_that_is_too_large_is_431_on_the_wire(served: Served, size: int) -> None:
    """RFC 6585 §5: of so many KiB; not 400, and no connection that breaks off without a word."""
    _, response = served.say("/orders", f"Authorization: Bearer {'a' * size * 1024}")
    assert response.startswith("HTTP/1.1 431 ")
    assert "\r\ncache-control: no-store\r\n" in response.lower()
    assert "\r\nwww-authenticate:" not in response.lower()


@requirement("RS-6750-5.3-a")
def test_rs_6750_5_3_a_serve_writes_no_part_of_a_token(served: Served) -> None:
    """RFC 6750 §5.3, §2.3: neither to its log nor to its audit, though somebody puts one into the query. Ends it."""
    token = served.token()
    for target, fields in (
        (f"/orders?access_token={token}", []),
        (f"/orders?access_token={token}", [f"Authorization: Bearer {token}"]),
        ("/orders", [f"Authorization: Token {token}"]),
        ("/orders", [f"Authorization: Bearer {token} {token}"]),
        ("/orders", [f"Authorization: Bearer {token[:-4]}AAAA"]),
        ("/admin/dashboard", [f"Authorization: Bearer {token}"]),
    ):
        assert re.match(r"HTTP/1\.1 40[013] ", served.say(target, *fields)[1])
    written = served.end()
    assert "GET /orders 401" in written
    assert '"kind": "bad_signature"' in written
    assert [part for one in served.tokens for part in one.split(".") if part in written] == []
