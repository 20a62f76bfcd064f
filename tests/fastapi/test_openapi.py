"""What OpenAPI says of protected operations: the scheme, each route's scopes, the refusals with their headers."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Security

from resource_server import AccessToken, ResourceServer, any_scope, role
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
    app.get("/alternatives", dependencies=[api.requires(any_scope("a", "b"))])(ok)

    @app.get("/security")
    async def secured(token: Annotated[AccessToken, Security(api, scopes=["a", "b"])]) -> None: ...

    @router.post("/notes", dependencies=[api.requires("write")])
    async def write(note: Note, token: Annotated[AccessToken, api.requires("read")]) -> None: ...

    app.include_router(router)
    return app.openapi()


def test_the_scheme_points_to_the_issuer_s_metadata(schema: dict[str, Any], issuer: FakeIssuer) -> None:
    """DESIGN §4: a person browsing the docs presses Authorize."""
    assert schema["components"]["securitySchemes"] == {
        "access_token": {
            "type": "openIdConnect",
            "openIdConnectUrl": f"{issuer.url}/.well-known/openid-configuration",
        }
    }


@pytest.mark.parametrize(
    ("path", "method", "scopes"),
    [
        pytest.param("/any", "get", [], id="any-token"),
        pytest.param("/role", "get", [], id="role"),
        pytest.param("/alternatives", "get", ["a"], id="alternatives"),
        pytest.param("/security", "get", ["a", "b"], id="security"),
        pytest.param("/notes", "post", ["read", "router", "write"], id="union"),
    ],
)
def test_each_protected_operation_names_its_scopes(
    schema: dict[str, Any], path: str, method: str, scopes: list[str]
) -> None:
    """Known pain 22: required scopes visible per route, merged into one need."""
    (need,) = schema["paths"][path][method]["security"]
    assert list(need) == ["access_token"]
    assert sorted(need["access_token"]) == scopes


@pytest.mark.parametrize("path", ["/any", "/role", "/security"])
def test_each_protected_operation_documents_its_refusals_with_their_headers(schema: dict[str, Any], path: str) -> None:
    """DESIGN §4: 401, 403 and 503 with their headers."""
    responses = schema["paths"][path]["get"]["responses"]
    assert set(responses) >= {"200", "400", "401", "403", "503"}
    for status, headers in (
        ("400", {"WWW-Authenticate"}),
        ("401", {"WWW-Authenticate"}),
        ("403", {"WWW-Authenticate"}),
        ("503", {"Retry-After"}),
    ):
        assert set(responses[status]["headers"]) == headers, status
        body = responses[status]["content"]["application/json"]["schema"]
        assert body == {"$ref": "#/components/schemas/Refusal"}
    assert schema["components"]["schemas"]["Refusal"]["required"] == ["status"]


def test_an_open_operation_documents_none(schema: dict[str, Any]) -> None:
    """The positive control."""
    operation = schema["paths"]["/open"]["get"]
    assert "security" not in operation
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
    assert served["paths"]["/"]["get"]["security"] == [{"access_token": ["a"]}]
