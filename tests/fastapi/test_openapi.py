"""What OpenAPI says of protected operations: the scheme, each route's scopes, the refusals with their headers."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Security

from resource_server import AccessToken, ResourceServer, acr, all_of, any_of, any_scope, role
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.fastapi.ways import Note, ok


@pytest.fixture
def schema(api: ResourceServer) -> dict[str, Any]:
    app, router = FastAPI(), APIRouter(dependencies=[api.requires("router")])
    api.install(app)
    app.get("/open")(ok)
    app.get("/any", dependencies=[api.requires()])(ok)
    app.get("/role", dependencies=[api.requires(role("admin"))])(ok)
    app.get("/either", dependencies=[api.requires(any_of(all_of("a", "b"), role("admin")))])(ok)
    app.get("/step-up", dependencies=[api.requires(acr("urn:mfa"))])(ok)
    app.get("/alternatives", dependencies=[api.requires(any_scope("a", "b"))])(ok)

    @app.get("/security")
    async def secured(token: Annotated[AccessToken, Security(api, scopes=["a", "b"])]) -> None: ...

    @router.post("/notes", dependencies=[api.requires("write")])
    async def write(note: Note, token: Annotated[AccessToken, api.requires("read")]) -> None: ...

    app.include_router(router)
    return app.openapi()


def test_the_scheme_points_to_the_issuer_s_metadata(schema: dict[str, Any], issuer: FakeIssuer) -> None:
    """DESIGN §4: a person browsing the docs presses Authorize."""
    schemes = schema["components"]["securitySchemes"]
    assert schemes["access_token"] == {
        "type": "openIdConnect",
        "openIdConnectUrl": f"{issuer.url}/.well-known/openid-configuration",
    }
    assert (schemes["bearer_token"]["type"], schemes["bearer_token"]["scheme"]) == ("http", "bearer")


@pytest.mark.parametrize(
    ("path", "method", "scopes"),
    [
        pytest.param("/any", "get", [[]], id="any-token"),
        pytest.param("/role", "get", [[]], id="role"),
        pytest.param("/alternatives", "get", [["a"], ["b"]], id="alternatives"),
        pytest.param("/security", "get", [["a", "b"]], id="security"),
        pytest.param("/notes", "post", [["read", "router", "write"]], id="union"),
        pytest.param("/either", "get", [["a", "b"], []], id="scopes-or-a-role"),
    ],
)
def test_each_protected_operation_names_its_scopes(
    schema: dict[str, Any], path: str, method: str, scopes: list[list[str]]
) -> None:
    """Known pain 22: required scopes visible per route, all that are needed together, and alternatives."""
    *needs, pasted = schema["paths"][path][method]["security"]
    assert [sorted(need["access_token"]) for need in needs] == scopes
    assert pasted == {"bearer_token": []}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/any", "any valid token"),
        ("/role", "role admin"),
        ("/alternatives", "one scope of a b"),
        ("/either", "((scope a and scope b) or role admin)"),
    ],
)
def test_what_is_required_is_said_in_words(schema: dict[str, Any], path: str, words: str) -> None:
    """Roles and ownership have no place in OpenAPI's security; people read them all the same."""
    operation = schema["paths"][path]["get"]
    assert operation["x-requires"] == words
    assert operation["description"].endswith(f"**Requires** {words}.")


def test_an_operation_documents_the_refusals_that_it_can_give_and_no_others(schema: dict[str, Any]) -> None:
    """A client's author reads here what can happen."""
    kinds = {
        path: {
            status: sorted(response["content"]["application/json"]["examples"])
            for status, response in schema["paths"][path]["get"]["responses"].items()
            if "examples" in response.get("content", {}).get("application/json", {})
        }
        for path in ("/any", "/role", "/alternatives", "/step-up")
    }
    always = {
        "400": ["malformed_credentials"],
        "401": ["bad_signature", "expired", "no_credentials"],
        "431": ["oversized_credentials"],
        "503": ["issuer_unavailable"],
    }
    assert kinds["/any"] == always
    assert kinds["/role"] == always | {"403": ["missing_role"]}
    assert kinds["/alternatives"] == always | {"403": ["insufficient_scope"]}
    assert kinds["/step-up"] == always | {"401": [*always["401"][:2], "insufficient_authentication", "no_credentials"]}


async def test_the_examples_are_the_answers(api: ResourceServer) -> None:
    """What the documentation shows is what a caller gets, header and body."""
    app = FastAPI()
    api.install(app)
    app.get("/notes", dependencies=[api.requires("read", "write")])(ok)
    documented = app.openapi()["paths"]["/notes"]["get"]["responses"]["401"]
    response = await call(app, "GET", "/notes")
    assert response.headers["www-authenticate"] in documented["headers"]["WWW-Authenticate"]["schema"]["examples"]
    assert response.json() == documented["content"]["application/json"]["examples"]["no_credentials"]["value"]


def test_with_everything_protected_a_route_without_requirements_needs_a_token(api: ResourceServer) -> None:
    """protect="all": what the gate demands is documented, too; what is declared public is not."""
    app = FastAPI()
    api.install(app, protect="all", public=["/open"])
    app.get("/open")(ok)
    app.get("/closed")(ok)
    paths = app.openapi()["paths"]
    assert paths["/closed"]["get"]["security"] == [{"access_token": []}, {"bearer_token": []}]
    assert paths["/open"]["get"]["security"] == []


@pytest.mark.parametrize("path", ["/any", "/role", "/security"])
def test_each_protected_operation_documents_its_refusals_with_their_headers(schema: dict[str, Any], path: str) -> None:
    """DESIGN §4: 401, 403 and 503 with their headers."""
    responses = schema["paths"][path]["get"]["responses"]
    for status, headers in (
        ("400", {"WWW-Authenticate"}),
        ("401", {"WWW-Authenticate"}),
        *([("403", {"WWW-Authenticate"})] if path == "/security" else []),  # elsewhere another token would not help
        *([("403", set[str]())] if path == "/role" else []),
        ("503", {"Retry-After"}),
    ):
        assert set(responses[status]["headers"]) == headers, status
        body = responses[status]["content"]["application/json"]["schema"]
        assert body == {"$ref": "#/components/schemas/Refusal"}
    assert schema["components"]["schemas"]["Refusal"]["required"] == ["status"]


def test_an_open_operation_documents_none(schema: dict[str, Any]) -> None:
    """The positive control; that it is open is said, so that a linter doesn't take it for forgotten."""
    operation = schema["paths"]["/open"]["get"]
    assert operation["security"] == []
    assert set(operation["responses"]) == {"200"}


def test_a_refusal_that_the_user_documented_is_left_as_it_is(api: ResourceServer) -> None:
    """The user's word stands."""
    app = FastAPI()
    api.install(app)
    app.get("/", dependencies=[api.requires()], responses={403: {"description": "Members only."}})(ok)
    responses = app.openapi()["paths"]["/"]["get"]["responses"]
    assert responses["403"] == {"description": "Members only."}
    assert set(responses["401"]["headers"]) == {"WWW-Authenticate"}


async def test_the_schema_is_made_once_and_served(api: ResourceServer) -> None:
    """FastAPI keeps the schema; adding to it twice would do no good."""
    app = FastAPI()
    api.install(app)
    app.get("/", dependencies=[api.requires("a")])(ok)
    served = (await call(app, "GET", "/openapi.json")).json()
    assert served == app.openapi() == app.openapi()
    assert served["paths"]["/"]["get"]["security"] == [{"access_token": ["a"]}, {"bearer_token": []}]
