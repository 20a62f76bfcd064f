"""A server in a process of its own, whose output goes to files: a flood must not be slowed down by its reader."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
START_TIMEOUT = 30.0
STOP_TIMEOUT = 10


class Server:
    """A running server."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self._process = process
        self._folder = folder
        self.port = self._wait_for_port()

    @property
    def out(self) -> bytes:
        """What it has written to standard output."""
        return (self._folder / "out").read_bytes()

    @property
    def err(self) -> bytes:
        """What it has written to standard error."""
        return (self._folder / "err").read_bytes()

    @property
    def memory(self) -> int:
        """Its resident set, in KiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])

    def stop(self) -> int:
        """End it as a supervisor does."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_TIMEOUT)

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + START_TIMEOUT
        while not (found := ADDRESS.search(self.err.decode("utf-8", "replace"))):
            assert self._process.poll() is None, self.err
            assert time.monotonic() < deadline, self.err
            time.sleep(0.02)
        return int(found[1])


@contextmanager
def server(folder: Path, *arguments: str, **variables: str) -> Iterator[Server]:
    """Run ``python -m …`` with nothing in its environment but these variables; it says its port on standard error."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **variables},
            stdout=out,
            stderr=err,
        )
    try:
        yield Server(process, folder)
    finally:
        process.kill()
        process.wait()
