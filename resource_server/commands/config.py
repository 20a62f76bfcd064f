"""``config``: what the environment and the TOML file say, and whether a server would start with it."""

from typing import Any

import typer
from pydantic import SecretStr

from resource_server.commands.output import OK, print_json
from resource_server.settings import PREFIX, Settings

MASK = "********"


def check(settings: Settings, host: str, *, as_json: bool) -> int:
    """Build what ``serve`` would build. Raises :class:`ConfigurationError`, in one sentence."""
    settings.check_bind(host)
    settings.read_audit_keys()
    server, doubt = settings.resource_server(), settings.doubt(host)
    if as_json:
        issuers = [{"issuer": keys.issuer.url, "audience": sorted(keys.issuer.audiences)} for keys in server.issuers]
        print_json({"ok": True, "issuers": issuers} | ({"doubt": doubt} if doubt else {}))
    else:
        typer.echo("The configuration is good. Accepted are tokens")
        for keys in server.issuers:
            typer.echo(f"  of {keys.issuer.url} for {', '.join(sorted(keys.issuer.audiences))}")
        if doubt:
            typer.echo(f"In doubt: {doubt}.")
    return OK


def show(settings: Settings, *, as_json: bool) -> int:
    """Print every setting with its value and whether it was set; secrets are masked."""
    rows = {
        name: {"value": _shown(getattr(settings, name)), "set": name in settings.model_fields_set}
        for name in Settings.model_fields
    }
    if as_json:
        print_json({PREFIX + name.upper(): row for name, row in rows.items()})
        return OK
    width = max(map(len, rows)) + len(PREFIX)
    for name, row in rows.items():
        origin = "set" if row["set"] else "default"
        typer.echo(f"{PREFIX + name.upper():<{width}}  {origin:<7}  {row['value']}")
    return OK


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, bool | int | float | str | None) else str(value)
