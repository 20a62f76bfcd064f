"""The exported OpenAPI document, and the variant of the docs page, by the specification and by linters of others."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from typer.testing import CliRunner

from resource_server import ResourceServer
from resource_server.cli import app as command_line
from resource_server.demo.api import create_api
from resource_server.fastapi import ApiDocs
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.integration.serving import ROOT
from tests.openapi.schemas import examples, operations, violations


def test_the_exported_document_is_what_the_command_prints(document: dict[str, Any]) -> None:
    """DESIGN §3: drift is red; `make openapi` writes it anew."""
    printed = CliRunner().invoke(command_line, ["openapi"])
    assert json.loads(printed.stdout) == document


def test_the_yaml_says_the_same(document: dict[str, Any]) -> None:
    """Two forms of one document, in the same order."""
    read = yaml.safe_load((ROOT / "openapi/openapi.yaml").read_text("utf-8"))
    assert json.dumps(read) == json.dumps(document)


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """OpenAPI 3.1; a missing description of a response is found by the same means."""
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    broken = {**document, "paths": {"/": {"get": {"responses": {"401": {}}}}}}
    assert list(OpenAPIV31SpecValidator(broken).iter_errors()) != []


def test_a_linter_of_others_finds_nothing(linter: Path) -> None:
    """Each rule of Redocly's is an error; those that are off say why in `npm/redocly.yaml`."""
    command = ["node", "node_modules/@redocly/cli/bin/cli.js", "lint", "--config", "redocly.yaml", "--format", "json"]
    environment = {"PATH": os.environ["PATH"], "REDOCLY_TELEMETRY": "off", "CI": "true"}
    done = subprocess.run(
        [*command, str(ROOT / "openapi/openapi.json")], cwd=linter, env=environment, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert found["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}
    assert done.returncode == 0


def test_a_rule_that_is_off_has_a_reason(linter: Path) -> None:
    """No warning is excused silently."""
    lines = (linter / "redocly.yaml").read_text("utf-8").splitlines()
    rules = [number for number, line in enumerate(lines) if re.match(r"  [a-z-]+:", line)]
    assert rules
    assert [lines[number] for number in rules if not lines[number - 1].startswith("  # ")] == []


def test_each_example_is_valid_against_its_schema(document: dict[str, Any]) -> None:
    """Of answers, headers, parameters, and of each property; a wrong one would be found."""
    found = list(examples(document))
    assert len(found) > 150
    wrong = {place: violations(document, schema, value) for place, schema, value in found}
    assert {place: faults for place, faults in wrong.items() if faults} == {}
    assert violations(document, {"$ref": "#/components/schemas/Refusal"}, {"status": "403"}) != []


def test_the_names_of_the_security_schemes_are_stable(document: dict[str, Any]) -> None:
    """Generated clients and saved settings of pages know them by name."""
    schemes = document["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {
        "access_token": "openIdConnect",
        "bearer_token": "http",
    }
    used = {name for _, _, one in operations(document) for need in one["security"] for name in need}
    assert used == set(schemes)


def test_the_names_of_operations_and_schemas_are_stable(document: dict[str, Any]) -> None:
    """They are the functions and classes of generated clients."""
    assert {f"{method.upper()} {path}": one["operationId"] for method, path, one in operations(document)} == {
        "GET /healthz": "read_health",
        "GET /readyz": "read_readiness",
        "GET /api/v1/me": "read_me",
        "GET /api/v1/users": "list_users",
        "PUT /api/v1/users/{user_id}/profile": "write_profile",
        "GET /api/admin/users": "list_users_as_admin",
        "GET /admin/posts": "list_posts",
        "GET /admin/settings": "read_settings",
        "GET /admin/dashboard": "read_dashboard",
        "GET /admin/refusals/recent": "read_recent_refusals",
        "GET /admin/refusals/stream": "watch_refusals",
        "GET /orders": "list_orders",
        "POST /orders": "place_order",
        "GET /orders/events": "watch_orders",
    }
    assert {"Refusal", "Problem", "Order", "PlacedOrder", "Me"} <= set(document["components"]["schemas"])


def test_an_operation_belongs_to_one_tag_that_is_described(document: dict[str, Any]) -> None:
    """By which pages and clients group them."""
    described = [tag["name"] for tag in document["tags"] if tag["description"]]
    assert {name for _, _, one in operations(document) for name in one["tags"]} == set(described)
    assert [path for _, path, one in operations(document) if len(one["tags"]) != 1] == []


LOGIN = ApiDocs(
    authorization_endpoint="https://id.example.com/authorize", token_endpoint="https://id.example.com/token"
)


@pytest.mark.parametrize(
    ("docs", "schemes"),
    [
        pytest.param(LOGIN, {"login": "oauth2", "bearer_token": "http"}, id="login"),
        pytest.param(ApiDocs(), {"bearer_token": "http"}, id="no metadata yet"),
    ],
)
async def test_the_page_s_variant_is_valid_too(issuer: FakeIssuer, docs: ApiDocs, schemes: dict[str, str]) -> None:
    """Known pain 21: the page logs in where it knows how, and every scope that is asked for is one of the flow's."""
    server = ResourceServer(issuer.url, audience=issuer.audience, fetch=issuer.fetch)
    app = create_api(server, docs=docs)
    shown = (await call(app, "GET", "/docs/openapi.json")).json()
    assert list(OpenAPIV31SpecValidator(shown).iter_errors()) == []
    found = shown["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in found.items()} == schemes
    needs = [need for _, _, one in operations(shown) for need in one["security"]]
    assert {name for need in needs for name in need} == set(schemes)
    scopes = {scope for need in needs for scope in need.get("login", ())}
    if docs is LOGIN:
        assert scopes == set(found["login"]["flows"]["authorizationCode"]["scopes"])
        assert scopes == {"orders:read", "orders:write", "profile:write", "users:read"}
