"""``routes``: what each route of an application requires, and which are open."""

import importlib
import sys
from dataclasses import asdict
from pathlib import Path

import typer
from starlette.applications import Starlette

from resource_server.commands.output import OK, REFUSED, print_json
from resource_server.configuration_error import ConfigurationError
from resource_server.fastapi.inventory import Exposure, check_routes, inventory


def run(target: str, *, strict: bool, as_json: bool) -> int:
    """Print the routes of ``module:application``; with ``strict``, 1 where one is open and not declared public.

    Raises :class:`ConfigurationError` for what is no application, and for a route that could let nobody in.
    """
    app = load(target)
    check_routes(app)
    exposures = list(inventory(app))
    if as_json:
        print_json([asdict(one) for one in exposures])
    else:
        _print_table(exposures)
    undeclared = [one for one in exposures if one.is_open and not one.declared_public]
    if undeclared and not as_json:
        root = "; '/' stands for '/*' there" if any(one.path == "/*" for one in undeclared) else ""
        typer.echo(
            f"\n{len(undeclared)} open and not declared public: install(app, public=[…]) declares them{root}.", err=True
        )
    return REFUSED if strict and undeclared else OK


def load(target: str) -> Starlette:
    """Import an application, written as ``module:name``. Raises :class:`ConfigurationError`."""
    module_name, _, name = target.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module_name), name or "app")
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError("APP", f"can't be imported ({error}): give it as module:app") from None
    if not isinstance(found, Starlette):
        what = "a class" if isinstance(found, type) else f"a {type(found).__name__}"
        raise ConfigurationError("APP", f"is no application but {what}: name the FastAPI object itself, as module:app")
    return found


def _print_table(exposures: list[Exposure]) -> None:
    width = max((len(one.where) for one in exposures), default=0)
    for one in exposures:
        needs = one.requires or ("public" if one.declared_public else "OPEN")
        needs += f"; public at {', '.join(one.public_at)}" if one.public_at else ""
        typer.echo(f"{one.methods:<10}  {one.where:<{width}}  {needs}")
