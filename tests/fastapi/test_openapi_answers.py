"""What OpenAPI says of an application's answers beside the refusals, and of the schemas that they have."""

from copy import deepcopy

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import create_model

from resource_server import RateLimit, ResourceServer, acr, all_of, any_of, claim, group, network, owner, role
from resource_server.authorization.combination import Need
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note, ok


def test_what_is_written_into_one_schema_is_in_no_other(api: ResourceServer) -> None:
    """FastAPI's documented way to extend a schema is to write into it."""
    schemas = []
    for _ in range(2):
        app = FastAPI()
        api.install(app, answer_all=True)
        app.get("/{key}", dependencies=[api.requires(owner("key", hide=True))])(ok)
        schemas.append(app.openapi())
    written, other = schemas
    before = deepcopy(other)
    written["components"]["schemas"]["Refusal"]["properties"].clear()
    written["components"]["schemas"]["Problem"].clear()
    for response in written["paths"]["/{key}"]["get"]["responses"].values():
        response.get("headers", {}).clear()
        response["content"].clear()
    assert other == before


@pytest.mark.parametrize("taken", ["Refusal", "Problem"])
def test_a_schema_of_the_user_s_own_keeps_its_name(api: ResourceServer, taken: str) -> None:
    """Ours have another one then, and the responses refer to it."""
    model = create_model(taken, why=(str, ...))
    app = FastAPI()
    api.install(app)

    @app.get("/", dependencies=[api.requires()])
    async def explain() -> model: ...  # type: ignore[valid-type]

    schemas = app.openapi()["components"]["schemas"]
    content = app.openapi()["paths"]["/"]["get"]["responses"]["401"]["content"]
    assert list(schemas[taken]["properties"]) == ["why"]
    assert schemas["ResourceServerProblem"]["allOf"] == [{"$ref": "#/components/schemas/ResourceServerRefusal"}]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/ResourceServerRefusal"}
    assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/ResourceServerProblem"}


@pytest.fixture
def orders(api: ResourceServer) -> FastAPI:
    """Routes that can refuse in each way of an application's own."""
    app = FastAPI()
    app.get("/orders/{number}", dependencies=[api.requires()])(ok)
    app.get("/hidden/{key}", dependencies=[api.requires(owner("key", hide=True))])(ok)

    @app.post("/notes", dependencies=[api.requires("write")])
    async def write(note: Note) -> None: ...

    @app.post("/open")
    async def write_openly(note: Note) -> None: ...

    return app


def documented(app: FastAPI, method: str, path: str) -> dict[str, list[str]]:
    """The examples of each status."""
    responses = app.openapi()["paths"][path][method]["responses"]
    return {
        status: list(response["content"]["application/json"]["examples"])
        for status, response in responses.items()
        if status >= "400" and "examples" in response["content"]["application/json"]
    }


def test_where_all_answers_have_one_form_they_are_documented_in_it(api: ResourceServer, orders: FastAPI) -> None:
    """D27, D32, D33, R30: what `answer_all` and `max_body` answer, instead of FastAPI's HTTPValidationError."""
    api.install(orders, answer_all=True, max_body=100)
    assert documented(orders, "get", "/orders/{number}") == {
        "400": ["malformed_credentials"],
        "401": ["no_credentials", "bad_signature", "expired"],
        "404": ["hidden"],
        "405": ["method_not_allowed"],
        "431": ["oversized_credentials"],
        "503": ["issuer_unavailable"],
    }
    assert documented(orders, "post", "/notes") == {
        "400": ["malformed_credentials", "unreadable_content"],
        "401": ["no_credentials", "bad_signature", "expired"],
        "403": ["insufficient_scope"],
        "405": ["method_not_allowed"],
        "413": ["oversized_content"],
        "422": ["invalid_content"],
        "431": ["oversized_credentials"],
        "503": ["issuer_unavailable"],
    }
    assert documented(orders, "post", "/open") == {
        "400": ["unreadable_content"],
        "405": ["method_not_allowed"],
        "413": ["oversized_content"],
        "422": ["invalid_content"],
    }
    assert {"HTTPValidationError", "ValidationError"}.isdisjoint(orders.openapi()["components"]["schemas"])


def test_where_fastapi_answers_its_own_form_is_documented(api: ResourceServer, orders: FastAPI) -> None:
    """And what is hidden looks like its 404."""
    api.install(orders)
    hidden = orders.openapi()["paths"]["/hidden/{key}"]["get"]["responses"]["404"]["content"]["application/json"]
    assert hidden["examples"] == {"hidden": {"value": {"detail": "Not Found"}}}
    assert hidden["schema"]["required"] == ["detail"]
    responses = orders.openapi()["paths"]["/notes"]["post"]["responses"]
    assert {"404", "405", "413"}.isdisjoint(responses)
    reference = {"$ref": "#/components/schemas/HTTPValidationError"}
    assert responses["422"]["content"]["application/json"]["schema"] == reference
    assert "HTTPValidationError" in orders.openapi()["components"]["schemas"]


def test_a_handler_of_the_user_s_own_has_the_say_over_what_is_documented(api: ResourceServer, orders: FastAPI) -> None:
    """Where another handler answers, ours is not promised."""
    api.install(orders, answer_all=True)

    @orders.exception_handler(RequestValidationError)
    async def invalid(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)

    assert "405" not in documented(orders, "post", "/notes")


@pytest.mark.parametrize("limit", [None, RateLimit(20, per=60), RateLimit(5, per=3600)], ids=str)
def test_where_failures_are_limited_each_operation_that_needs_a_token_says_so(
    make_api: MakeApi, orders: FastAPI, limit: RateLimit | None
) -> None:
    """D28: with a time that is true; and nowhere else, where it would not be."""
    api = make_api(failed_authentications=limit)
    orders.post("/closed", dependencies=[api.requires()])(ok)
    api.install(orders)
    responses = orders.openapi()["paths"]["/closed"]["post"]["responses"]
    assert "429" not in orders.openapi()["paths"]["/open"]["post"]["responses"]
    if limit is None:
        assert "429" not in responses
        return
    header = responses["429"]["headers"]["Retry-After"]
    assert header["schema"]["examples"] == [{20: 6, 5: 1200}[limit.limit]]
    examples = responses["429"]["content"]["application/json"]["examples"]
    assert examples["rate_limited"]["value"]["error"] == "rate_limited"
    assert "WWW-Authenticate" not in responses["429"]["headers"]


@pytest.mark.parametrize(
    ("need", "refusals"),
    [
        pytest.param(network("192.0.2.0/24"), {"403": ["network"]}, id="network"),
        pytest.param(group("staff"), {"403": ["missing_role"]}, id="group"),
        pytest.param(claim("tier", "gold"), {"403": ["missing_claim"]}, id="claim"),
        pytest.param(owner("key"), {"403": ["not_owner"]}, id="owner"),
        pytest.param(owner("key", hide=True), {"404": ["hidden"]}, id="hidden"),
        pytest.param(lambda token: bool(token.subject), {"403": ["policy"]}, id="callable"),
        pytest.param(
            any_of(all_of("a", owner("key")), role("admin")),
            {"403": ["insufficient_scope", "not_owner", "missing_role"]},
            id="alternatives",
        ),
        pytest.param(
            all_of("a", acr("urn:mfa")),
            {
                "401": ["insufficient_authentication", "insufficient_authentication_and_scope"],
                "403": ["insufficient_scope"],
            },
            id="step-up and scope",
        ),
    ],
)
def test_a_requirement_documents_what_it_refuses_with(
    api: ResourceServer, need: Need, refusals: dict[str, list[str]]
) -> None:
    """And nothing else: a hidden resource has no 403."""
    app = FastAPI()
    api.install(app)
    app.get("/any", dependencies=[api.requires()])(ok)
    app.get("/{key}", dependencies=[api.requires(need)])(ok)
    always, found = documented(app, "get", "/any"), documented(app, "get", "/{key}")
    added = {status: [name for name in names if name not in always.get(status, ())] for status, names in found.items()}
    assert {status: names for status, names in added.items() if names} == refusals
