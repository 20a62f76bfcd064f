"""What the docs page is told of the login."""

import pytest
from fastapi import FastAPI

from resource_server import ResourceServer
from resource_server.fastapi import ApiDocs
from tests.calls import call


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        pytest.param("https://id.example.com/authorize", "https://id.example.com/authorize?resource=a%26b", id="none"),
        pytest.param("https://id.example.com/a?p=1", "https://id.example.com/a?p=1&resource=a%26b", id="a query"),
    ],
)
async def test_more_parameters_go_to_the_authorization_endpoint_alone(endpoint: str, shown: str) -> None:
    """RFC 6749 §3.1 and §3.2: that endpoint may have a query; parameters of the token endpoint belong into the body."""
    docs = ApiDocs(
        parameters={"resource": "a&b"}, authorization_endpoint=endpoint, token_endpoint="https://id.example.com/token"
    )
    app = FastAPI(docs_url=None, redoc_url=None)
    server = ResourceServer("https://id.example.com", audience="https://api.example.com", observers=())
    server.install(app, docs=docs)

    @app.get("/notes", dependencies=[server.requires("notes:read")])
    async def list_notes() -> None: ...

    document = (await call(app, "GET", "/docs/openapi.json")).json()
    flow = document["components"]["securitySchemes"]["login"]["flows"]["authorizationCode"]
    assert (flow["authorizationUrl"], flow["tokenUrl"]) == (shown, "https://id.example.com/token")
    assert "resource" not in (await call(app, "GET", "/docs")).text
