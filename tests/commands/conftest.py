"""The command line in process, configured by a file of keys."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from resource_server import cli
from resource_server.testing import FakeIssuer
from tests.configuring import Configuration


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    return Configuration(monkeypatch, tmp_path)


@pytest.fixture
def real_issuer(configuration: Configuration) -> FakeIssuer:
    """An issuer by the real clock, whose keys are in a file that the configuration names."""
    issuer = FakeIssuer()
    path = configuration.write(json.dumps(issuer.mint.jwks()), name="jwks.json")
    configuration.set(ISSUER=issuer.url, AUDIENCE=issuer.audience, JWKS_FILE=path)
    return issuer


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with that standard input."""

    def run_command(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["resource-server", *arguments])
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin.encode("utf-8", "surrogateescape"))))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run_command
