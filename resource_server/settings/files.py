"""Files that decide who is let in, or that hold a secret (T37)."""

import stat
from pathlib import Path

from resource_server.configuration_error import ConfigurationError


def check_file(path: Path, setting: str) -> None:
    """Demand a file that can be read and that others can't write: who writes it decides who is let in."""
    try:
        mode = path.stat().st_mode
        path.open("rb").close()
    except OSError as error:
        raise ConfigurationError(
            setting, f"names a file that can't be read ({error.strerror}): {str(path)!r}"
        ) from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigurationError(setting, f"names a file that others may write: run chmod go-w {str(path)!r}")


def read_secret(path: Path, setting: str) -> bytes:
    """Read a secret. Raises :class:`ConfigurationError`, never quoting it."""
    check_file(path, setting)
    secret = path.read_bytes().strip()
    if not secret:
        raise ConfigurationError(setting, "names an empty file: put a random secret into it")
    return secret


def lines(secret: bytes) -> list[bytes]:
    """The lines of a text. Random bytes are one, or else a line end among them would leave two short secrets."""
    try:
        secret.decode()
    except UnicodeDecodeError:
        return [secret]
    return secret.splitlines()
