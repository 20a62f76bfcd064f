"""What the docs page is told of the login."""

import pytest
from fastapi import FastAPI

from resource_server import ResourceServer
from resource_server.fastapi import ApiDocs
from tests.calls import call

TOKEN_ENDPOINT = "https://id.example.com/token"


def notes(docs: ApiDocs) -> FastAPI:
    """An application of which nothing is known but its issuer's name."""
    app = FastAPI(docs_url=None, redoc_url=None)
    server = ResourceServer("https://id.example.com", audience="https://api.example.com", observers=())
    server.install(app, docs=docs)

    @app.get("/notes", dependencies=[server.requires("notes:read")])
    async def list_notes() -> None: ...

    return app


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        pytest.param("https://id.example.com/authorize", "https://id.example.com/authorize?resource=a%26b", id="none"),
        pytest.param("https://id.example.com/a?p=1", "https://id.example.com/a?p=1&resource=a%26b", id="a query"),
    ],
)
async def test_more_parameters_go_to_the_authorization_endpoint_alone(endpoint: str, shown: str) -> None:
    """RFC 6749 §3.1 and §3.2: that endpoint may have a query; parameters of the token endpoint belong into the body."""
    app = notes(ApiDocs(parameters={"resource": "a&b"}, authorization_endpoint=endpoint, token_endpoint=TOKEN_ENDPOINT))
    document = (await call(app, "GET", "/docs/openapi.json")).json()
    flow = document["components"]["securitySchemes"]["login"]["flows"]["authorizationCode"]
    assert (flow["authorizationUrl"], flow["tokenUrl"]) == (shown, TOKEN_ENDPOINT)


async def test_the_page_is_told_of_the_resource_for_the_body_of_the_token_request() -> None:
    """RFC 8707 §2.2; of the other parameters the token endpoint hears nothing."""
    app = notes(ApiDocs(parameters={"resource": "</a&b", "audience": "c"}))
    page = (await call(app, "GET", "/docs")).text
    assert '"resource": "\\u003c/a&b"' in page
    assert "audience" not in page


async def test_a_page_that_may_not_talk_to_the_issuer_offers_no_login() -> None:
    """Before the metadata is there: the page's policy and its document agree, whatever comes between the two."""
    page = await call(notes(ApiDocs()), "GET", "/docs")
    assert "connect-src 'self';" in page.headers["content-security-policy"]
    assert '"openapi.json?without_login"' in page.text
    known = notes(ApiDocs(authorization_endpoint="https://id.example.com/a", token_endpoint=TOKEN_ENDPOINT))
    assert '"openapi.json"' in (await call(known, "GET", "/docs")).text
    document = (await call(known, "GET", "/docs/openapi.json?without_login")).json()
    assert set(document["components"]["securitySchemes"]) == {"bearer_token"}
    assert document["paths"]["/notes"]["get"]["security"] == [{"bearer_token": []}]


async def test_scopes_that_no_operation_asks_for_can_be_chosen_too() -> None:
    """``openid`` and ``offline_access`` are the issuer's own; Swagger UI offers what the document lists."""
    docs = ApiDocs(scopes=["openid"], authorization_endpoint="https://id.example.com/a", token_endpoint=TOKEN_ENDPOINT)
    document = (await call(notes(docs), "GET", "/docs/openapi.json")).json()
    flow = document["components"]["securitySchemes"]["login"]["flows"]["authorizationCode"]
    assert list(flow["scopes"]) == ["notes:read", "openid"]
