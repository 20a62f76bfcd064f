"""How commands speak: to people, or by ``--json`` to machines; and where they get a token from."""

import json
import sys
from pathlib import Path
from typing import Any

import typer

from resource_server.configuration_error import ConfigurationError
from resource_server.printable import printable

__all__ = ["OK", "REFUSED", "UNREACHABLE", "USAGE", "print_json", "printable", "read_secret", "read_token"]

OK = 0
REFUSED = 1
USAGE = 2
UNREACHABLE = 3


def print_json(value: Any) -> None:
    """Print a value for a machine."""
    typer.echo(json.dumps(value, indent=2))


def read_secret(file: Path) -> str:
    """A client's secret, from a file or, for ``-``, from standard input."""
    try:
        return (sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")).strip()
    except (OSError, UnicodeError) as error:
        raise ConfigurationError("--client-secret-file", f"can't be read ({type(error).__name__}): {file}") from None


def read_token(argument: str | None, file: Path | None) -> str:
    """A token from a file, else from standard input; an argument is visible to every process, so it is warned of."""
    if argument is not None and file is not None:
        raise ConfigurationError("--file", "contradicts the token on the command line: give one of them")
    if argument is not None:
        typer.echo("The token is visible in the list of processes: give it by standard input or --file.", err=True)
        return argument.strip()
    if file is not None:
        try:
            return file.read_text("utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise ConfigurationError("--file", f"can't be read ({type(error).__name__}): {file}") from None
    if sys.stdin.isatty():
        typer.echo("Paste the token, then press Enter and Ctrl+D.", err=True)
    token = sys.stdin.buffer.read(1024 * 1024).decode("utf-8", "replace").strip()
    if not token:
        raise ConfigurationError("a token", "is missing: give it by standard input or --file")
    return token
