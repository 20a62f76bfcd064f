"""``explain``: why a token is, or is not, accepted by the bundled API as it is configured."""

import asyncio
import textwrap
from typing import Any

import typer
from starlette.routing import compile_path

from resource_server.authorization.combination import AllOf
from resource_server.check import Check
from resource_server.commands.output import OK, REFUSED, UNREACHABLE, print_json, printable
from resource_server.configuration_error import ConfigurationError
from resource_server.demo.api import create_api
from resource_server.explain import Explanation, explain
from resource_server.fastapi.operation import Operations
from resource_server.protector import ANY_TOKEN
from resource_server.settings import Settings


def run(token: str, settings: Settings, route: str, *, as_json: bool) -> int:
    """Explain, print, and answer the exit code: 0 accepted, 1 refused, 3 where the issuer can't be reached."""
    server = settings.resource_server()
    requirement, path_params = _find(create_api(server), server.operations, route) if route else (ANY_TOKEN, {})

    async def explain_with_keys() -> Explanation:
        await server.issuers.refresh()
        try:
            return await explain(token, server, route=route, requirement=requirement, path_params=path_params)
        finally:
            await server.aclose()

    explanation = asyncio.run(explain_with_keys())
    if as_json:
        print_json(explanation.as_json())
    else:
        typer.echo(render(explanation))
    if explanation.kind is None:
        return OK
    return UNREACHABLE if explanation.status == 503 else REFUSED


def render(explanation: Explanation) -> str:
    """One line a check, and below a failed one what differs and the cure."""
    lines = [_line(check) for check in explanation.checks]
    end = "granted" if explanation.kind is None else f"kind {explanation.kind} · docs/refusals.md#{explanation.kind}"
    lines.append(f"  => {explanation.status}  {end}")
    lines += [f"     WWW-Authenticate: {challenge}" for challenge in explanation.challenges]
    return "\n".join(lines)


def _line(check: Check) -> str:
    said = printable(check.found)
    if check.passed:
        return f"  ✔ {check.name:<13} {said}".rstrip()
    lines = [f"  ✘ {check.name:<13} token:  {said}"]
    margin = " " * 18
    if check.expected:
        lines.append(f"{margin}config: {printable(check.expected)}")
    if check.cure:
        lines.append(
            textwrap.fill(printable(check.cure), 110, initial_indent=f"{margin}fix:    ", subsequent_indent=margin)
        )
    return "\n".join(lines)


def _find(app: Any, operations: Operations, route: str) -> tuple[AllOf, dict[str, Any]]:
    """The requirement of ``GET /orders``, and its path parameters."""
    method, _, path = route.partition(" ")
    scope = {"type": "http", "method": method.upper(), "path": path, "app": app, "headers": [], "root_path": ""}
    operation = operations.find(scope)
    if operation is None:
        raise ConfigurationError("--route", "is no protected route of the bundled API: give it as 'GET /orders'")
    matched = compile_path(operation.route or path)[0].match(path)
    return operation.requirement, matched.groupdict() if matched else {}
