"""The command line: ``resource-server serve`` and ``resource-server dev``."""

import json
import sys
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


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the bundled API, protected by the issuer that the environment names.

    RESOURCE_SERVER_ISSUER and RESOURCE_SERVER_AUDIENCE are needed; docs/settings.md lists all settings.
    """
    from resource_server.demo.api import create_api
    from resource_server.observers.audit import Audit
    from resource_server.serving.serve import Site, bind, run
    from resource_server.settings import Settings

    settings = Settings.load()
    settings.check_bind(host)
    observers = [Audit(settings.read_audit_key())] if settings.audit else []
    server = settings.resource_server(observers)
    api = create_api(server, docs=settings.docs)
    socket = bind(host, port)
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{socket.getsockname()[1]}"

    def ready() -> None:
        typer.echo(f"Serving on {address}, for access tokens of {server.issuer.url}", err=True)

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
def openapi() -> None:
    """Print the OpenAPI document of the bundled API, as JSON."""
    from resource_server.demo.api import create_api
    from resource_server.fastapi import ResourceServer

    server = ResourceServer("https://id.example.com", audience="https://api.example.com")
    typer.echo(json.dumps(create_api(server).openapi(), indent=2, ensure_ascii=False))


def main() -> None:
    """Run the command line. Ends with 2 where the configuration is wrong, after one sentence that says how."""
    try:
        app()
    except ConfigurationError as error:
        typer.echo(f"{error}", err=True)
        sys.exit(2)
