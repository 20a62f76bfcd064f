"""The documents of users' applications, whatever they require and whoever answers: valid, and so are their examples."""

from typing import Annotated

import pytest
from fastapi import Body, FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator

from resource_server import RateLimit, ResourceServer, acr, all_of, any_of, any_scope, claim, network, owner, role
from resource_server.challenge import ProtectionSpace, answer
from resource_server.fastapi.openapi_schemas import PROBLEM, REFUSAL
from resource_server.refusals import Kind, Refusal
from tests.fastapi.ways import Note, ok
from tests.openapi.schemas import examples, violations

NEEDS = {
    "any": (),
    "scope": ("a",),
    "scopes": (any_scope("a", "b"), "c"),
    "role": (role("admin"),),
    "alternatives": (any_of(all_of("a", "b"), role("admin"), claim("tier", "gold")),),
    "owner": (owner("key"),),
    "hidden": (owner("key", hide=True),),
    "step-up": (acr("urn:mfa", max_age=300), "a"),
    "network": (network("192.0.2.0/24"),),
}
COMPONENTS = {
    "schemas": {"Refusal": REFUSAL, "Problem": {"allOf": [{"$ref": "#/components/schemas/Refusal"}], **PROBLEM}}
}


async def read(key: str) -> None: ...


async def write(key: str, note: Annotated[Note, Body()]) -> None: ...


async def read_user(user_id: str) -> None: ...


def server(*, rich: bool) -> ResourceServer:
    resource = "https://notes.example.com" if rich else None
    return ResourceServer(
        "https://id.example.com",
        audience="https://notes.example.com",
        resource=resource,
        disclose_requirements=rich,
        failed_authentications=RateLimit(20, per=60) if rich else None,
        observers=(),
    )


@pytest.mark.parametrize(("answer_all", "rich"), [(True, False), (False, True)])
def test_the_document_of_an_application_is_valid(answer_all: bool, rich: bool) -> None:
    """OpenAPI 3.1, with every requirement, with and without a body."""
    api, app = server(rich=rich), FastAPI()
    api.install(app, answer_all=answer_all, max_body=1000)
    for name, needs in NEEDS.items():
        app.get(f"/{name}/{{key}}", dependencies=[api.requires(*needs)], operation_id=f"read_{name}")(read)
    app.put("/notes/{key}", dependencies=[api.requires(*NEEDS["alternatives"])])(write)
    document = app.openapi()
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    found = list(examples(document))
    assert len(found) > 60
    assert {place: faults for place, schema, value in found if (faults := violations(document, schema, value))} == {}


@pytest.mark.parametrize("accept", ["*/*", "application/problem+json"])
@pytest.mark.parametrize("rich", [True, False])
@pytest.mark.parametrize("kind", Kind)
def test_every_answer_of_the_table_has_the_documented_form(kind: Kind, rich: bool, accept: str) -> None:
    """Also those that no document lists: each member has its type."""
    demands = all_of(acr("urn:mfa", max_age=300), "a", role("admin")).demands
    space = server(rich=rich).space if rich else ProtectionSpace()
    body = answer(Refusal(kind), space, demands, accept=accept).body
    name = "Refusal" if accept == "*/*" else "Problem"
    assert violations({"components": COMPONENTS}, COMPONENTS["schemas"][name], body) == []
    undocumented = (
        body.keys() - REFUSAL["properties"].keys() - (PROBLEM["properties"].keys() if name == "Problem" else set())
    )
    assert undocumented == set()


def test_a_parameter_that_only_the_requirement_reads_is_documented() -> None:
    """FastAPI leaves it out, and then the path has a parameter that nobody describes."""
    api, app = server(rich=False), FastAPI()
    api.install(app)
    app.get("/users/{user_id}/notes", dependencies=[api.requires(owner("user_id"))])(ok)
    app.get("/users/{user_id}", dependencies=[api.requires(owner("user_id"))])(read_user)
    document = app.openapi()
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    [parameter] = document["paths"]["/users/{user_id}/notes"]["get"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("user_id", "path", True)
    assert len(document["paths"]["/users/{user_id}"]["get"]["parameters"]) == 1
