"""Configuration as an operator gives it: variables and files."""

import os
from pathlib import Path

import pytest

PREFIX = "RESOURCE_SERVER_"
GOOD = {"ISSUER": "https://id.example.com", "AUDIENCE": "https://api.example.com"}


class Configuration:
    """An environment with no variable of ours in it but those that a test sets, and a folder for its files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self.folder = folder
        for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
            monkeypatch.delenv(name)

    def set(self, **values: str) -> None:
        """Set ``RESOURCE_SERVER_…`` variables."""
        for name, value in values.items():
            self._monkeypatch.setenv(PREFIX + name, value)

    def write(self, content: str | bytes, *, mode: int = 0o600, name: str = "file") -> str:
        """Write a file, by default one that only its owner may write; its path."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return str(path)
