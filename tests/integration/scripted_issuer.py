"""An issuer of opaque tokens on loopback that counts the questions about them, and can be made slow, faulty or dead."""

import base64
import json
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from resource_server.development.minting import Mint, SigningKey

CLIENT, SECRET = "api", "secret-canary-5c1d"
PATIENCE = 30
"""Seconds for which a question is held, at most."""


class OpaqueMint(Mint):
    """Keeps the claims behind tokens that say nothing."""

    def __init__(self, issuer: str) -> None:
        super().__init__(issuer, [SigningKey.generate("ES256")])
        self.kept: dict[str, dict[str, Any]] = {}

    def access_token(
        self, *, header: Mapping[str, Any] | None = None, key: SigningKey | None = None, **claims: Any
    ) -> str:
        """Make an opaque token; it has neither header nor signature."""
        assert header is None
        assert key is None
        token = secrets.token_urlsafe(32)
        self.kept[token] = self.claims(**{"token_type": "Bearer"} | claims)
        return token

    def revoke(self, token: str) -> None:
        """End a token before its time (RFC 7009)."""
        del self.kept[token]


class ScriptedIssuer:
    """Its metadata, its keys, and an introspection endpoint that does as it is told."""

    def __init__(self) -> None:
        self.status = 200
        """What the introspection endpoint answers with."""
        self.may_answer = threading.Event()
        """Cleared, it holds every question back."""
        self.may_answer.set()
        self.questions: list[str] = []
        """The tokens that were asked about."""
        self._server = _Server(("127.0.0.1", 0), self)
        self.port = self._server.server_port
        self.mint = OpaqueMint(self.url)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    issuer = url

    @property
    def settings(self) -> dict[str, str]:
        """Those of a resource server that asks it."""
        endpoint = f"{self.url}/introspect"
        return {"ISSUER": self.url, "INTROSPECTION_ENDPOINT": endpoint, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET}

    def stop(self) -> None:
        """Go away: connections are cut, and new ones refused."""
        self.may_answer.set()
        self._server.end()

    def come_back(self) -> None:
        """Answer again, at the same address, with the same tokens."""
        self._server = _Server(("127.0.0.1", self.port), self)
        self._server.begin()

    def document(self, path: str) -> dict[str, Any] | None:
        """What is published at a path."""
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks.json"}
        return dict(self.mint.jwks()) if path == "/jwks.json" else None

    def introspect(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Answer a question (RFC 7662 §2.2)."""
        [token] = form["token"]
        self.questions.append(token)
        self.may_answer.wait(PATIENCE)
        if self.status != 200:
            return self.status, {"error": "server_error"}
        claims = self.mint.kept.get(token)
        return 200, {"active": False} if claims is None else {"active": True, **claims}


@contextmanager
def scripted_issuer() -> Iterator[ScriptedIssuer]:
    """Answer while the context lasts."""
    issuer = ScriptedIssuer()
    issuer._server.begin()
    try:
        yield issuer
    finally:
        issuer.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], issuer: ScriptedIssuer) -> None:
        super().__init__(address, _Handler)
        self.issuer = issuer
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        for connection in list(self._connections):
            with suppress(OSError):  # closed by its other end meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that were cut."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and content in one piece
    server: _Server

    def do_GET(self) -> None:
        document = self.server.issuer.document(self.path)
        self._answer(404 if document is None else 200, document)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.path != "/introspect" or self.headers["authorization"] != expected:
            self._answer(401, {"error": "invalid_client"})
        else:
            self._answer(*self.server.issuer.introspect(form))

    def _answer(self, status: int, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""
