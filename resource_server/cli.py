"""The command line: ``resource-server serve`` and ``resource-server dev``."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from resource_server.configuration_error import ConfigurationError

app = typer.Typer(
    name="resource-server",
    help="An OAuth 2.0 resource server: protects an API by access tokens, with exact refusals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with local variables would show tokens
)

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)]

DEV_ISSUER = "http://127.0.0.1:9000"
MOST_NAMED = 5
"""Issuers that the greeting names."""
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the bundled API, protected by the issuer that the environment names.

    RESOURCE_SERVER_ISSUER and RESOURCE_SERVER_AUDIENCE are needed; docs/settings.md lists all settings.
    """
    from resource_server.demo.api import create_api
    from resource_server.observers.audit import Audit
    from resource_server.observers.recent import RecentRefusals
    from resource_server.serving.serve import Site, bind, run
    from resource_server.settings import Settings

    settings = Settings.load()
    settings.check_bind(host)
    keys = settings.read_audit_keys()
    recent = RecentRefusals(keys[0])
    server = settings.resource_server([recent, *([Audit(keys)] if settings.audit else [])])
    api = create_api(server, docs=settings.api_docs(), recent=recent)
    socket = bind(host, port)
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{socket.getsockname()[1]}"

    def ready() -> None:
        typer.echo(f"Serving on {address}, for access tokens of {_named(server.issuers.names)}", err=True)
        if doubt := settings.doubt(host):
            typer.echo(doubt, err=True)

    run([Site(api, socket)], ready=ready)


@app.command()
def dev(
    port: Port = 8000,
    issuer_port: Annotated[int, typer.Option(help="The port of the authorization server.", min=0, max=65535)] = 9000,
) -> None:
    """Run the bundled API beside an authorization server for development, both on loopback only.

    Prints lines to paste: a refusal, a token, and what it allows. Keys and passwords are new at each start.
    """
    from resource_server.dev import develop

    develop(port, issuer_port)


@app.command()
def explain(
    token: Annotated[str | None, typer.Argument(help="Better by standard input: arguments are visible.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file with the token.")] = None,
    route: Annotated[str, typer.Option(help="A route of the bundled API, such as 'GET /orders'.")] = "",
    issuer: Annotated[str | None, typer.Option(help="Instead of RESOURCE_SERVER_ISSUER.")] = None,
    audience: Annotated[str | None, typer.Option(help="Instead of RESOURCE_SERVER_AUDIENCE.")] = None,
    as_json: Json = False,
) -> None:
    """Explain why a token is, or is not, accepted: one line a check, and what to change.

    Reads the token from standard input. Exits with 0 if it is accepted, 1 if not, 3 if the issuer can't be reached.
    """
    from resource_server.commands.explain import run
    from resource_server.commands.output import read_token
    from resource_server.settings import Settings

    given = {"issuer": issuer, "audience": audience}
    settings = Settings.load(**{name: value for name, value in given.items() if value is not None})
    raise typer.Exit(run(read_token(token, file), settings, route, as_json=as_json))


@app.command()
def doctor(
    issuer: Annotated[str | None, typer.Option(help="Instead of RESOURCE_SERVER_ISSUER.")] = None,
    audience: Annotated[str | None, typer.Option(help="Instead of RESOURCE_SERVER_AUDIENCE.")] = None,
    strict: Annotated[bool, typer.Option(help="Exit with 1 if there is a warning.")] = False,
    as_json: Json = False,
) -> None:
    """Ask every configured issuer, and say what is wrong and what to change: metadata, keys, TLS, clock, grants.

    Exits with 0 if all is fine, 1 if something is wrong, 3 if an issuer can't be reached and nothing else is wrong.
    """
    from resource_server.commands.doctor import run
    from resource_server.settings import Settings

    given = {"issuer": issuer, "audience": audience}
    settings = Settings.load(**{name: value for name, value in given.items() if value is not None})
    raise typer.Exit(run(settings, strict=strict, as_json=as_json))


@app.command()
def token(
    issuer: Annotated[str, typer.Option(help="The issuer; by default the development server.")] = DEV_ISSUER,
    client_id: Annotated[str, typer.Option(help="The client's id at the issuer.")] = "resource-server-cli",
    client_secret_file: Annotated[
        Path | None, typer.Option(help="A file with the client's secret, - for standard input: client credentials.")
    ] = None,
    scope: Annotated[str, typer.Option(help="The scopes to ask for, parted by spaces.")] = "",
    resource: Annotated[str | None, typer.Option(help="The API that the token is for (RFC 8707).")] = None,
    as_json: Json = False,
) -> None:
    """Get an access token: with a client's secret, or by logging in with a browser (PKCE).

    Prints the token alone, so that it can be piped: resource-server token | resource-server explain
    """
    from resource_server.commands.output import read_secret
    from resource_server.commands.token import run

    secret = read_secret(client_secret_file) if client_secret_file is not None else None
    raise typer.Exit(run(issuer, client_id, secret, scope, resource, as_json=as_json))


@app.command()
def routes(
    target: Annotated[str, typer.Argument(metavar="APP", help="The application, as module:app.")],
    strict: Annotated[bool, typer.Option(help="Exit with 1 if a route is open and not declared public.")] = False,
    as_json: Json = False,
) -> None:
    """List the routes of an application and what each requires."""
    from resource_server.commands.routes import run

    raise typer.Exit(run(target, strict=strict, as_json=as_json))


config = typer.Typer(help="Check or show the configuration.", no_args_is_help=True)
app.add_typer(config, name="config")


@config.command()
def check(host: Host = "127.0.0.1", as_json: Json = False) -> None:
    """Say whether serve would start with this configuration; 2 and one sentence if not."""
    from resource_server.commands.config import check
    from resource_server.settings import Settings

    raise typer.Exit(check(Settings.load(), host, as_json=as_json))


@config.command()
def show(as_json: Json = False) -> None:
    """Show every setting, and whether it was set; secrets are masked."""
    from resource_server.commands.config import show
    from resource_server.settings import Settings

    raise typer.Exit(show(Settings.load(), as_json=as_json))


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the bundled API, as JSON: with all that it may answer, however it is configured."""
    from resource_server.demo.api import create_api
    from resource_server.fastapi import ResourceServer
    from resource_server.rate_limit import RateLimit

    server = ResourceServer(
        "https://id.example.com",
        audience="https://api.example.com",
        disclose_requirements=True,
        failed_authentications=RateLimit(20, per=60),
        observers=(),
    )
    typer.echo(json.dumps(create_api(server).openapi(), indent=2, ensure_ascii=False))


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def main() -> None:
    """Run the command line. Ends with 2 where the configuration is wrong, after one sentence that says how."""
    try:
        app(prog_name="resource-server")
    except ConfigurationError as error:
        typer.echo(f"{error}", err=True)
        sys.exit(2)
