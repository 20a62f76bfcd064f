"""A server on loopback that refuses as it is told: its whole answer is what `challenge.answer` renders."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt

from resource_server.challenge import Answer, ProtectionSpace, answer
from resource_server.refusals import TABLE, Kind, Refusal
from tests.decision_table import BEARER_AND_DPOP, BEARER_ONLY, DEMANDS, METADATA

NONCE = "Zk9xY0aQ3h.7rT-2mW"  # row D19
HARD_REALM = r'a "b\c", Bearer error=x, DPoP realm="api", ='

# Column of the table, or another space: what is accepted there, and the scheme that the client used.
COLUMNS: dict[str, tuple[ProtectionSpace, str]] = {
    "bearer": (BEARER_ONLY, "Bearer"),
    "both": (BEARER_AND_DPOP, "Bearer"),
    "both-by-dpop": (BEARER_AND_DPOP, "DPoP"),
    "hard-realm": (ProtectionSpace(HARD_REALM, None, METADATA, ("ES256",)), "Bearer"),
}
OF_PROOFS = ("D16", "D17", "D18", "D19")  # only a client of DPoP can get these


@dataclass(frozen=True)
class Case:
    """One refusal in one space."""

    column: str
    kind: Kind

    def __str__(self) -> str:
        return f"{TABLE[self.kind].id} {self.kind} {self.column}"

    @property
    def path(self) -> str:
        """Where the server answers so."""
        return f"/{self.column}/{self.kind}"

    @property
    def answer(self) -> Answer:
        """What it answers."""
        space, scheme = COLUMNS[self.column]
        return answer(Refusal(self.kind), space, DEMANDS, scheme=scheme)

    @property
    def lines(self) -> list[str]:
        """The WWW-Authenticate lines of the answer."""
        return [value for name, value in self.answer.headers if name == "www-authenticate"]


CASES = [
    Case(column, kind)
    for kind in Kind
    for column, (_, scheme) in COLUMNS.items()
    if scheme == "DPoP" or TABLE[kind].id not in OF_PROOFS
]
NONCE_PATH = "/nonce"
"""Demands a nonce in the proof, and is content with it (RFC 9449 §9)."""


@dataclass(frozen=True)
class Refusing:
    """The running server."""

    url: str
    requests: list[Message]
    """The header of each request, in order."""


@contextmanager
def running() -> Iterator[Refusing]:
    """Serve while the context lasts."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Refusing(f"http://127.0.0.1:{server.server_port}", server.requests)
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.requests: list[Message] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.server.requests.append(self.headers)
        if self.path == NONCE_PATH:
            self._demand_nonce()
        else:
            column, kind = self.path[1:].split("/")
            self._send(Case(column, Kind(kind)).answer)

    def _demand_nonce(self) -> None:
        if nonce_of(self.headers) == NONCE:
            self._send(Answer(200, (("cache-control", "no-store"),), {"served": True}))
        else:
            self._send(Case("both-by-dpop", Kind.NONCE_REQUIRED).answer, ("dpop-nonce", NONCE))

    def _send(self, rendered: Answer, *more: tuple[str, str]) -> None:
        self.send_response(rendered.status)
        length = ("content-length", str(len(rendered.content)))
        for name, value in (*rendered.headers, *more, length, ("connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(rendered.content)

    def log_message(self, *arguments: Any) -> None:
        """Not on the tests' stderr."""


def nonce_of(request: Message) -> str | None:
    """The nonce in a request's DPoP proof, which nobody verifies here."""
    proof = jwt.decode(str(request["dpop"]), options={"verify_signature": False})
    return proof.get("nonce")
