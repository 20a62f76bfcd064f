"""HTTP by the byte: what a client library would smooth over is what these tests are about."""

import json
import socket
from dataclasses import dataclass
from typing import Any

TIMEOUT = 10
METADATA = "https://api.example.com/.well-known/oauth-protected-resource"


@dataclass(frozen=True)
class Answer:
    """An answer as it stood on the wire."""

    status: int
    fields: tuple[tuple[str, str], ...]
    """Names in lower case, in their order, as often as they were sent."""
    content: bytes

    def all(self, name: str) -> list[str]:
        """Every field of a name."""
        return [value for known, value in self.fields if known == name]

    @property
    def challenges(self) -> list[str]:
        return self.all("www-authenticate")

    @property
    def body(self) -> Any:
        return json.loads(self.content)


def send(port: int, method: str, target: str, *fields: str, body: bytes = b"") -> Answer:
    """One request on a connection of its own."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", *fields, "Connection: close"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    with connect(port) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return parse(read(connection))


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), TIMEOUT)


def read(connection: socket.socket) -> bytes:
    """All that comes until the server hangs up."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def parse(data: bytes) -> Answer:
    """One answer that is all there is; its length must be what it says."""
    head, _, content = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(": ") for line in lines]
    fields = tuple((name.lower(), value) for name, _, value in pairs)
    answer = Answer(int(first.split(" ")[1]), fields, content)
    if answer.all("transfer-encoding") != ["chunked"] and content:
        assert answer.all("content-length") == [str(len(content))], data
    return answer


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"
