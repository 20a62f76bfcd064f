"""Each answer of the bundled API, got by a request, against what the document says of it: status, header, body."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from resource_server import RateLimit, ResourceServer
from resource_server.demo.api import MAX_BODY, create_api
from resource_server.development.minting import Mint
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.testing import FakeIssuer
from tests.calls import MISSING, call
from tests.integration.exchange import connect
from tests.integration.serving import Served
from tests.openapi.names import AUDIENCE, EVERYTHING
from tests.openapi.schemas import violations
from tests.turnable_clock import TurnableClock

PROFILE = "/api/v1/users/{user_id}/profile"
ORDER = {"json": {"item": "lamp"}}
EVE = {"json": {"display_name": "Eve"}, "user_id": "eve"}


@pytest.fixture
def app(issuer: FakeIssuer, time: TurnableClock) -> FastAPI:
    server = ResourceServer(
        issuer.url,
        audience=issuer.audience,
        resource=AUDIENCE,
        disclose_requirements=True,
        failed_authentications=RateLimit(20, per=60),
        clock=time.clock,
        fetch=issuer.fetch,
    )
    return create_api(server)


def faults(document: dict[str, Any], method: str, path: str, response: httpx2.Response) -> list[str]:
    """What an answer has that is not documented; where bodies are shown, it has to be one of them."""
    documented = document["paths"][path][method.lower()]["responses"].get(str(response.status_code))
    if documented is None:
        return [f"status {response.status_code}"]
    schemas = {name.lower(): header["schema"] for name, header in documented.get("headers", {}).items()}
    present = schemas.keys() & response.headers.keys()
    found = [one for name in present for one in violations(document, schemas[name], read(response, name))]
    telling = {"www-authenticate", "retry-after", "allow"} & set(response.headers)
    found += [f"header {name}" for name in telling - schemas.keys()]
    content = documented["content"].get(response.headers["content-type"].partition(";")[0])
    if content is None:
        return [*found, f"content-type {response.headers['content-type']}"]
    found += violations(document, content["schema"], response.json())
    shown = [example["value"] for example in content.get("examples", {}).values()]
    return found + ([f"body {response.text}"] if shown and response.json() not in shown else [])


def read(response: httpx2.Response, name: str) -> Any:
    """A field as its schema sees it: a number, if it is nothing but digits."""
    value = response.headers[name]
    return int(value) if value.isdigit() else value


CASES = [
    pytest.param("GET", "/healthz", 200, None, {}, id="200-open"),
    pytest.param("GET", "/api/v1/me", 200, {}, {}, id="200-me"),
    pytest.param("GET", "/api/v1/users", 200, EVERYTHING, {}, id="200-list"),
    pytest.param("POST", "/orders", 201, EVERYTHING, ORDER, id="201"),
    pytest.param("GET", "/orders", 400, None, {"headers": {"authorization": "Bearer a b"}}, id="400-malformed"),
    pytest.param("POST", "/orders", 400, EVERYTHING, {"content": b"\xff"}, id="400-unreadable"),
    pytest.param("GET", "/orders", 401, None, {}, id="401-missing"),
    pytest.param("GET", "/orders", 401, None, {"headers": {"authorization": "Bearer x"}}, id="401-invalid"),
    pytest.param("GET", "/orders", 401, {"exp": 1}, {}, id="401-expired"),
    pytest.param("GET", "/orders", 403, {}, {}, id="403-scope"),
    pytest.param("GET", "/admin/settings", 403, {}, {}, id="403-role"),
    pytest.param("PUT", PROFILE, 403, {"scope": "profile:write"}, EVE, id="403-owner"),
    pytest.param("PUT", PROFILE, 404, EVERYTHING, {"user_id": "a/b"}, id="404"),
    pytest.param("POST", "/healthz", 405, None, {}, id="405-open"),
    pytest.param("DELETE", "/orders", 405, {}, {}, id="405"),
    pytest.param("POST", "/orders", 413, EVERYTHING, {"content": b" " * (MAX_BODY + 1)}, id="413"),
    pytest.param("POST", "/orders", 422, EVERYTHING, {"json": {"item": ""}}, id="422-value"),
    pytest.param("POST", "/orders", 422, EVERYTHING, {"content": b"{"}, id="422-no-json"),
    pytest.param("GET", "/orders", 431, None, {"headers": {"authorization": "Bearer " + "x" * 20_000}}, id="431"),
]


@pytest.mark.parametrize("accept", ["*/*", "application/problem+json"])
@pytest.mark.parametrize(("method", "path", "status", "claims", "options"), CASES)
async def test_an_answer_is_as_documented(
    app: FastAPI,
    issuer: FakeIssuer,
    document: dict[str, Any],
    method: str,
    path: str,
    status: int,
    claims: dict[str, Any] | None,
    options: dict[str, Any],
    accept: str,
) -> None:
    """DESIGN §4: in the exported document, which nothing but the code has written."""
    options = dict(options)
    headers = {"accept": accept, "content-type": "application/json", **options.pop("headers", {})}
    target = path.format(user_id=options.pop("user_id", "alice"))
    token = None if claims is None else issuer.token(**claims)
    response = await call(app, method, target, token=token, headers=headers, **options)
    assert response.status_code == status
    documented = method if method.lower() in document["paths"][path] else "GET"  # 405 stands at each of a path's own
    assert faults(document, documented, path, response) == []


@pytest.mark.parametrize("path", ["/orders", "/readyz"])
async def test_an_outage_is_as_documented(
    issuer: FakeIssuer, time: TurnableClock, document: dict[str, Any], path: str
) -> None:
    """D26: 503, and how long to wait."""

    async def fetch(url: str) -> Fetched:
        raise FetchError("down")

    app = create_api(ResourceServer(issuer.url, audience=issuer.audience, clock=time.clock, fetch=fetch))
    response = await call(app, "GET", path, token=issuer.token())
    assert response.status_code == 503
    assert response.headers["retry-after"].isdigit()
    assert faults(document, "GET", path, response) == []


@pytest.mark.parametrize("accept", ["*/*", "application/problem+json"])
async def test_a_limit_is_as_documented(app: FastAPI, document: dict[str, Any], accept: str) -> None:
    """D28: 429, and how long to wait: no longer than the document's example."""
    transport = httpx2.ASGITransport(app, client=("198.51.100.7", 5))
    async with httpx2.AsyncClient(transport=transport, base_url=AUDIENCE) as client:
        for _ in range(12):
            response = await client.get("/orders", headers={"authorization": "Bearer guess", "accept": accept})
    assert response.status_code == 429
    header = document["paths"]["/orders"]["get"]["responses"]["429"]["headers"]["Retry-After"]
    assert header["schema"]["examples"] == [int(response.headers["retry-after"])]
    assert faults(document, "GET", "/orders", response) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(lambda responses: responses.pop("401"), "status 401", id="status"),
        pytest.param(lambda responses: responses["401"]["headers"].clear(), "header www-authenticate", id="header"),
        pytest.param(
            lambda responses: responses["401"]["content"].pop("application/json"),
            "content-type application/json",
            id="content type",
        ),
        pytest.param(
            lambda responses: responses["401"]["content"]["application/json"].update(schema={"required": ["error"]}),
            "$: 'error' is a required property",
            id="schema",
        ),
        pytest.param(
            lambda responses: responses["401"]["content"]["application/json"]["examples"].pop("no_credentials"),
            f"body {MISSING.decode()}",
            id="example",
        ),
    ],
)
async def test_what_is_not_documented_is_found(
    app: FastAPI, change: Callable[[dict[str, Any]], object], fault: str
) -> None:
    """The control of the tests above."""
    document = app.openapi()
    change(document["paths"]["/orders"]["get"]["responses"])
    assert faults(document, "GET", "/orders", await call(app, "GET", "/orders")) == [fault]


def test_the_stream_is_as_documented(document: dict[str, Any], served: Served, mint: Mint) -> None:
    """Which has no end, so schemathesis leaves it out."""
    documented = document["paths"]["/orders/events"]["get"]["responses"]["200"]["content"]
    with connect(served.port) as connection:
        token = mint.access_token(**EVERYTHING)
        fields = [f"Host: 127.0.0.1:{served.port}", f"Authorization: Bearer {token}"]
        connection.sendall("\r\n".join(["GET /orders/events HTTP/1.1", *fields, "", ""]).encode())
        data = b""
        while b"data: " not in data:
            data += connection.recv(65536)
    head = data.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    assert head[0] == "http/1.1 200 ok"
    [content_type] = [line.removeprefix("content-type: ") for line in head if line.startswith("content-type:")]
    assert list(documented) == [content_type.partition(";")[0]]
