"""HTTP by the byte, several answers to a connection."""

import socket
from typing import NamedTuple

TIMEOUT = 5.0
ASK_LAST = b"GET /healthz HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n"
"""Sent after what is tried: whether it is answered shows whether the server still knows where a request begins."""
LAST = b'{"status":"ok"}'


class Answer(NamedTuple):
    """One answer as it stood on the wire."""

    status: int
    fields: tuple[str, ...]
    """Lines in lower case, but for Date."""
    body: bytes


def ask(port: int, data: bytes, *, last: bool = True, patient: bool = False) -> list[Answer]:
    """Send bytes, then the last request, on one connection; all answers until the server hangs up.

    The last request comes in the same packet, or after the first answer from a patient client.
    """
    pieces = [data, ASK_LAST] if patient else [data + (ASK_LAST if last else b"")]
    received = b""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                received += connection.recv(65536)
            while more := connection.recv(65536):
                received += more
        except (ConnectionResetError, BrokenPipeError):
            pass  # it hung up while more was coming
    return parse(received)


def parse(data: bytes) -> list[Answer]:
    """Divide what a server has sent into its answers. An answer to HEAD has no content, whatever it says."""
    answers = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = tuple(line.lower() for line in lines if not line.lower().startswith("date:"))
        length = next((int(line.split(":")[1]) for line in fields if line.startswith("content-length:")), 0)
        size = 0 if data.startswith(b"HTTP/1.1 ") else length
        answers.append(Answer(int(first.split(" ")[1]), fields, data[:size]))
        data = data[size:]
    return answers


def request(target: bytes | str, *lines: bytes | str, method: bytes | str = b"GET", body: bytes = b"") -> bytes:
    """A request with these field lines."""
    parts = [part.encode("utf-8") if isinstance(part, str) else part for part in (method, target, *lines)]
    head = parts[0] + b" " + parts[1] + b" HTTP/1.1\r\nHost: api.example.com\r\n"
    return head + b"".join(line + b"\r\n" for line in parts[2:]) + b"\r\n" + body


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


MISSING = (
    b'{"title":"Unauthorized","status":401,'
    b'"detail":"This resource needs an access token: Authorization: Bearer <token>."}'
)
INVALID = b'{"error":"invalid_token","error_description":"The access token is invalid","status":401}'
MALFORMED = b'{"error":"invalid_request","error_description":"The Authorization header is malformed","status":400}'
TWICE = b'{"error":"invalid_request","error_description":"The access token was sent in more than one way","status":400}'
NOT_FOUND = b'{"title":"Not Found","status":404}'
NO_METHOD = b'{"title":"Method Not Allowed","status":405}'
DENIED = (
    b'{"error":"access_denied","error_description":"You are not allowed to do this","status":403,'
    b'"required_roles":["admin"]}'
)
"""What the bundled API tells, whose roles are no secret."""

BAD = Answer(
    400,
    ("content-type: application/json", "cache-control: no-store", "content-length: 36", "connection: close"),
    b'{"title":"Bad Request","status":400}',
)
"""To what is no HTTP."""
TOO_LARGE = Answer(
    431,
    ("content-type: application/json", "cache-control: no-store", "content-length: 56", "connection: close"),
    b'{"title":"Request Header Fields Too Large","status":431}',
)
