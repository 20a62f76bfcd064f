"""``install(app, answer_all=True)``: the application's own 404, 405, 422 and 500 in the form of the refusals."""

from http import HTTPStatus
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse

from resource_server import ResourceServer
from resource_server.testing import FakeIssuer
from tests.calls import MISSING, call
from tests.fastapi.ways import ok


class Note(BaseModel):
    text: str
    stars: int = 0


@pytest.fixture
def app(api: ResourceServer) -> FastAPI:
    app, router = FastAPI(), APIRouter()
    api.install(app, answer_all=True)

    @app.get("/notes/{number}", dependencies=[api.requires()])
    async def read(number: int) -> int:
        return number

    @router.delete("/notes/{number}", dependencies=[api.requires()])
    async def delete(number: int) -> int:
        return number

    @router.post("/notes", dependencies=[api.requires()])
    async def write(note: Note) -> None: ...

    @app.get("/raise/{status}")
    async def fail(status: int) -> None:
        raise HTTPException(status, "a text", {"Retry-After": "7", "WWW-Authenticate": "Basic realm=x"})

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("the vault is under the stairs")

    app.include_router(router)
    app.get("/open")(ok)
    return app


async def test_a_path_that_leads_nowhere(app: FastAPI) -> None:
    """D27: as a hidden one."""
    response = await call(app, "GET", "/nothing")
    assert (response.status_code, response.content) == (404, b'{"title":"Not Found","status":404}')
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        pytest.param("/notes/1", "DELETE, GET", id="two-routes-one-of-them-included"),
        pytest.param("/notes", "POST", id="an-included-route"),
        pytest.param("/open", "GET", id="one-route"),
    ],
)
async def test_a_method_that_a_path_does_not_know(app: FastAPI, path: str, allow: str) -> None:
    """D32, RFC 9110 §15.5.6: Allow names all methods of the path, not those of the first route alone."""
    response = await call(app, "PATCH", path)
    assert (response.status_code, response.content) == (405, b'{"title":"Method Not Allowed","status":405}')
    assert response.headers["allow"] == allow
    assert response.headers["cache-control"] == "no-store"


async def test_allow_names_no_method_that_is_not_allowed(app: FastAPI) -> None:
    """RFC 9110 §10.2.1: without HEAD in its routes, the application answers HEAD 405."""
    response = await call(app, "HEAD", "/open")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")


async def test_content_that_is_invalid(app: FastAPI, issuer: FakeIssuer) -> None:
    """D33: nothing of the input is echoed."""
    response = await call(app, "POST", "/notes", token=issuer.token(), json={"stars": "canary"})
    assert (response.status_code, response.content) == (422, b'{"title":"Unprocessable Content","status":422}')
    assert response.headers["content-type"] == "application/json"


async def test_content_that_is_invalid_in_detail_for_a_caller_that_reads_problems(
    app: FastAPI, issuer: FakeIssuer
) -> None:
    """RS-9457-3-a: where and what, not the input."""
    headers = {"accept": "application/problem+json"}
    response = await call(app, "POST", "/notes", token=issuer.token(), json={"stars": "canary"}, headers=headers)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem.pop("instance").startswith("urn:uuid:")
    assert problem == {
        "title": "Unprocessable Content",
        "status": 422,
        "type": "about:blank",
        "errors": [
            {"loc": ["body", "text"], "msg": "Field required"},
            {
                "loc": ["body", "stars"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
            },
        ],
    }


async def test_a_crash(app: FastAPI) -> None:
    """RS-9457-5-a: no text of the exception."""
    response = await call(app, "GET", "/crash")
    assert (response.status_code, response.content) == (500, b'{"title":"Internal Server Error","status":500}')


@pytest.mark.parametrize("status", [401, 404, 409, 429, 503])
async def test_an_error_that_the_application_raises_keeps_its_header_fields(app: FastAPI, status: int) -> None:
    """RS-9110-11.6.1-a: a 401 of another layer keeps its challenge; a 429 its Retry-After."""
    response = await call(app, "GET", f"/raise/{status}")
    assert response.status_code == status
    assert response.headers["retry-after"] == "7"
    assert response.headers["www-authenticate"] == "Basic realm=x"
    told = {} if status == 404 else {"detail": "a text"}
    assert response.json() == {"title": HTTPStatus(status).phrase, "status": status} | told


UNREADABLE = pytest.mark.parametrize(
    "content", [pytest.param(b"\xff", id="no-text"), pytest.param(b"[" * 100_000, id="too-deep")]
)
JSON = {"content-type": "application/json"}
PROBLEM = {"accept": "application/problem+json"}
SAID = "There was an error parsing the body"


@UNREADABLE
async def test_content_that_can_not_be_read(app: FastAPI, issuer: FakeIssuer, content: bytes) -> None:
    """RFC 9110 §15.5.1: no fault of the token, so without a challenge."""
    response = await call(app, "POST", "/notes", token=issuer.token(), content=content, headers=JSON)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/json")
    assert response.json() == {"title": "Bad Request", "status": 400, "detail": SAID}
    assert (response.headers["cache-control"], "www-authenticate" in response.headers) == ("no-store", False)


@UNREADABLE
async def test_content_that_can_not_be_read_is_a_problem_for_a_caller_that_reads_problems(
    app: FastAPI, issuer: FakeIssuer, content: bytes
) -> None:
    """RS-9457-3-a: one caller, one form, whoever refuses."""
    response = await call(app, "POST", "/notes", token=issuer.token(), content=content, headers=JSON | PROBLEM)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    problem = response.json()
    assert problem.pop("instance").startswith("urn:uuid:")
    assert problem == {"title": "Bad Request", "status": 400, "detail": SAID, "type": "about:blank"}


async def test_what_the_application_raises_is_a_problem_for_a_caller_that_reads_problems(app: FastAPI) -> None:
    """RFC 9457 §4.2.1: what has no type of its own is ``about:blank``, and its title the status's."""
    response = await call(app, "GET", "/raise/409", headers=PROBLEM)
    assert (response.status_code, response.headers["retry-after"]) == (409, "7")
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem.pop("instance").startswith("urn:uuid:")
    assert problem == {"title": "Conflict", "status": 409, "detail": "a text", "type": "about:blank"}


@pytest.mark.parametrize(
    ("status", "detail", "body"),
    [
        pytest.param(409, None, {"title": "Conflict", "status": 409}, id="no-text"),
        pytest.param(409, {"left": 3}, {"title": "Conflict", "status": 409, "errors": {"left": 3}}, id="an-object"),
        pytest.param(499, "gone", {"title": "Error", "status": 499, "detail": "gone"}, id="a-status-of-one-s-own"),
    ],
)
async def test_what_the_application_raises_keeps_what_it_says(
    api: ResourceServer, status: int, detail: Any, body: dict[str, Any]
) -> None:
    """RFC 9457 §3.1.4: ``detail`` is a text; anything else is an extension."""
    app = FastAPI()
    api.install(app, answer_all=True)

    @app.get("/")
    async def fail() -> None:
        raise HTTPException(status, detail, {"Cache-Control": "max-age=9"})

    response = await call(app, "GET", "/")
    assert (response.status_code, response.json()) == (status, body)
    assert response.headers["cache-control"] == "max-age=9"


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_content_has_none(api: ResourceServer, status: int) -> None:
    """RFC 9110 §6.4.1: raised, as FastAPI lets it be; content would break the connection."""
    app = FastAPI()
    api.install(app, answer_all=True)

    @app.get("/")
    async def read() -> None:
        raise HTTPException(status, headers={"etag": '"1"'})

    response = await call(app, "GET", "/", headers=PROBLEM)
    assert (response.status_code, response.content, response.headers["etag"]) == (status, b"", '"1"')
    assert "content-length" not in response.headers


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(StarletteHTTPException, id="starlette-s"),
        HTTPException,
        RequestValidationError,
        Exception,
        500,
        404,
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
async def test_a_handler_of_the_application_s_own_stays_wherever_it_was_added(
    api: ResourceServer, issuer: FakeIssuer, kind: Any, first: bool
) -> None:
    """A handler that somebody wrote is meant, whether install() stands above it or below."""
    app = FastAPI()
    if not first:
        api.install(app, answer_all=True)

    @app.exception_handler(kind)
    async def handle(request: Request, error: Exception) -> Response:
        return JSONResponse("mine", 418)

    if first:
        api.install(app, answer_all=True)

    @app.get("/notes/{number}", dependencies=[api.requires()])
    async def read(number: int) -> None:
        raise HTTPException(409) if number else RuntimeError

    asked = {StarletteHTTPException: "/x", HTTPException: "/notes/1", RequestValidationError: "/notes/x", 404: "/x"}
    paths = ["/x", "/notes/1", "/notes/x", "/notes/0"]
    statuses = {path: (await call(app, "GET", path, token=issuer.token())).status_code for path in paths}
    expected = {"/x": 404, "/notes/1": 409, "/notes/x": 422, "/notes/0": 500} | {asked.get(kind, "/notes/0"): 418}
    if kind is StarletteHTTPException:
        expected["/notes/1"] = 418
    assert statuses == expected
    assert (await call(app, "GET", "/notes/1")).content == MISSING


async def test_refusals_are_as_ever(app: FastAPI) -> None:
    """D01: one renderer."""
    response = await call(app, "GET", "/notes/1")
    assert (response.status_code, response.content) == (401, MISSING)


async def test_without_it_the_application_s_bodies_stay_fastapi_s(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §4: a user's app keeps FastAPI's bodies unless it asks for ours."""
    app = FastAPI()
    api.install(app)

    @app.post("/notes", dependencies=[api.requires()])
    async def write(note: Note) -> None: ...

    assert (await call(app, "GET", "/nothing")).json() == {"detail": "Not Found"}
    response = await call(app, "POST", "/notes", token=issuer.token(), content=b"\xff", headers=JSON | PROBLEM)
    assert (response.status_code, response.json()) == (400, {"detail": SAID})
    assert (await call(app, "POST", "/notes", headers=PROBLEM)).headers["content-type"] == "application/problem+json"
    assert (await call(app, "GET", "/notes")).json() == {"detail": "Method Not Allowed"}
    response = await call(app, "POST", "/notes", token=issuer.token(), json={})
    assert response.json()["detail"][0]["loc"] == ["body", "text"]
