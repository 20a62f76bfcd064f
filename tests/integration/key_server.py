"""An issuer's metadata and keys over HTTP on loopback, and nothing else; the tests hold the mint."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from resource_server.development.minting import Mint, SigningKey


class KeyServer:
    """An issuer that a test mints for. ``requests`` holds the paths that were asked for."""

    def __init__(self, issuer: str) -> None:
        self.mint = Mint(issuer, [SigningKey.generate("ES256")])
        self.requests: list[str] = []
        self.stop: Callable[[], None] = lambda: None
        """Go away, so that connections are refused."""

    @property
    def issuer(self) -> str:
        return self.mint.issuer

    def document(self, path: str) -> dict[str, Any] | None:
        """What is published at a path."""
        self.requests.append(path)
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks.json"}
        return dict(self.mint.jwks()) if path == "/jwks.json" else None


@contextmanager
def key_server(port: int = 0) -> Iterator[KeyServer]:
    """Publish the keys of a new issuer while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = keys.document(self.path)
            content = json.dumps(document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        keys = KeyServer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        keys.stop = stop
        try:
            yield keys
        finally:
            stop()
