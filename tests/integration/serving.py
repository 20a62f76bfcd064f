"""``python -m resource_server`` as an operator runs it: a process of its own, configured by the environment alone."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parent.parent.parent
START_TIMEOUT = 30
STOP_TIMEOUT = 10
READY = re.compile(r"Serving on (http://127\.0\.0\.1:\d+), for access tokens of \S+\n")


class Output:
    """What a process writes, read as it comes, so that no full pipe ever stops it."""

    def __init__(self, stream: IO[str]) -> None:
        self._changed = threading.Condition()
        self._text = ""
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        """All of it so far."""
        with self._changed:
            return self._text

    def wait_for(self, found: Callable[[str], Any], seconds: float = START_TIMEOUT) -> Any:
        """What ``found`` makes of the text, once that is something; fails where the process ends before."""
        with self._changed:
            self._changed.wait_for(lambda: found(self._text) or self._ended, seconds)
            assert found(self._text), self._text
            return found(self._text)

    def join(self) -> str:
        """All of it, once the process has ended."""
        self._thread.join(STOP_TIMEOUT)
        return self.text

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._changed:
                self._text += line
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Running:
    """A command that runs, and what it writes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.out = Output(process.stdout)
        self.err = Output(process.stderr)
        self.process = process

    def stop(self) -> None:
        """End it by SIGTERM, as a supervisor does; then all that it wrote is there."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_TIMEOUT) == 0, self.err.text
        self.out.join()
        self.err.join()


class Served(Running):
    """The bundled API under ``serve``."""

    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def audit(self) -> list[dict[str, Any]]:
        """The audit: every line of standard output is JSON."""
        return [json.loads(line) for line in self.out.text.splitlines()]

    @property
    def access_log(self) -> list[str]:
        """Method, path and status of each request that was logged."""
        return re.findall(r"^[\d-]+ [\d:,]+ INFO (.+) [\d.]+ ms$", self.err.text, re.MULTILINE)


@contextmanager
def running(*arguments: str, kind: type[Running] = Running, **settings: str) -> Iterator[Any]:
    """Run a command of ours with nothing in its environment but these ``RESOURCE_SERVER_…`` variables."""
    environment = {f"RESOURCE_SERVER_{name}": value for name, value in settings.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "resource_server", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        command = kind(process)
        try:
            yield command
        except BaseException:
            process.kill()
            raise
        command.stop()


@contextmanager
def serving(**settings: str) -> Iterator[Served]:
    """Run ``serve`` on a free port of loopback."""
    with running("serve", "--host", "127.0.0.1", "--port", "0", kind=Served, **settings) as served:
        served.url = served.err.wait_for(READY.search)[1]
        yield served
