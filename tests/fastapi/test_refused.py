"""A refusal on its way out: as the exceptions that FastAPI and Authlib know, past the handlers of users."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import pytest
from authlib.oauth2 import OAuth2Error
from fastapi import Depends, FastAPI, HTTPException, Request
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response

from resource_server import AccessToken, Kind, Refused, ResourceServer, role
from resource_server.challenge import ProtectionSpace, answer
from resource_server.demands import Demands
from resource_server.refusals import Refusal
from resource_server.testing import FakeIssuer
from tests.calls import LACKS_SCOPE, MISSING, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note, installed, ok

CHALLENGE = 'Bearer realm="api", scope="notes:read"'


def refused(kind: Kind, space: ProtectionSpace = ProtectionSpace()) -> Refused:  # noqa: B008 - immutable
    refusal = Refusal(kind, "a private reason")
    return Refused(answer(refusal, space, Demands(scopes=("notes:read",))), refusal)


def test_a_refusal_is_an_exception_of_fastapi() -> None:
    """DESIGN §3: it survives body reads and sub-applications, and needs no handler."""
    error = refused(Kind.INSUFFICIENT_SCOPE)
    assert isinstance(error, HTTPException)
    assert error.status_code == 403
    detail: Any = error.detail
    assert detail == {
        "error": "insufficient_scope",
        "error_description": "The access token lacks the required scope",
        "scope": "notes:read",
        "status": 403,
    }
    assert error.headers.getlist("www-authenticate") == [f'Bearer realm="api", {LACKS_SCOPE}, scope="notes:read"']


def test_a_refusal_is_an_exception_of_authlib() -> None:
    """DESIGN §3: so Authlib's users feel at home."""
    error = refused(Kind.INSUFFICIENT_SCOPE)
    assert isinstance(error, OAuth2Error)
    assert (error.error, error.description) == (
        "insufficient_scope",
        "The access token lacks the required scope",
    )
    assert error.get_error_description() == "The access token lacks the required scope"
    status, body, headers = error()
    assert (status, body) == (403, error.detail)
    assert dict(headers)["www-authenticate"] == f'Bearer realm="api", {LACKS_SCOPE}, scope="notes:read"'


def test_where_the_client_sent_nothing_authlib_s_face_has_no_error_either() -> None:
    """RS-6750-3.1-a."""
    error = refused(Kind.NO_CREDENTIALS)
    status, body, _ = error()
    assert (status, error.error, error.description) == (401, "", "")
    assert body == {
        "title": "Unauthorized",
        "status": 401,
        "detail": "This resource needs an access token: Authorization: Bearer <token>.",
    }


def test_a_refusal_can_bear_two_challenges() -> None:
    """RS-9110-11.3-b: HTTPException.headers is a mapping, which carries only one line."""
    error = refused(Kind.NO_CREDENTIALS, ProtectionSpace(dpop_algorithms=("ES256",)))
    assert error.headers.getlist("www-authenticate") == [
        'Bearer realm="api", scope="notes:read"',
        'DPoP realm="api", scope="notes:read", algs="ES256"',
    ]


def test_a_refusal_s_text_is_for_the_operator() -> None:
    """DESIGN §3: Refusal(kind, private reason)."""
    assert str(refused(Kind.WRONG_AUDIENCE)) == "wrong_audience: a private reason"


def protected(api: ResourceServer) -> FastAPI:
    app = installed(api)
    app.get("/notes", dependencies=[api.requires("notes:read")])(ok)

    @app.post("/notes", dependencies=[api.requires("notes:read")])
    async def write(note: Note) -> None: ...

    return app


async def login(request: Request, error: Exception) -> Response:
    return PlainTextResponse("log in", getattr(error, "status_code", 500))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_user_s_handler_for_401_doesn_t_lose_the_challenge(api: ResourceServer, method: str) -> None:
    """RS-9110-11.6.1-a, DESIGN §4."""
    app = protected(api)
    app.add_exception_handler(401, login)
    response = await call(app, method, "/notes", json={})
    assert (response.status_code, response.text) == (401, "log in")
    assert response.headers["www-authenticate"] == CHALLENGE
    assert response.headers["cache-control"] == "no-store"


async def test_a_user_s_handler_for_403_doesn_t_lose_the_challenge(api: ResourceServer, issuer: FakeIssuer) -> None:
    """RS-9110-11.6.1-b, D21."""
    app = protected(api)
    app.add_exception_handler(403, login)
    response = await call(app, "GET", "/notes", token=issuer.token())
    assert (response.status_code, response.text) == (403, "log in")
    assert response.headers["www-authenticate"] == f'Bearer realm="api", {LACKS_SCOPE}, scope="notes:read"'


async def test_a_user_s_handler_for_403_invents_no_challenge_for_a_role(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """D22: other credentials of the same user would not help."""
    app = installed(api)
    app.get("/", dependencies=[api.requires(role("admin"))])(ok)
    app.add_exception_handler(403, login)
    response = await call(app, "GET", "/", token=issuer.token())
    assert (response.status_code, response.text) == (403, "log in")
    assert "www-authenticate" not in response.headers


async def test_a_user_s_handler_may_word_the_challenge_itself(api: ResourceServer) -> None:
    """Nothing is added beside what a handler said; a scheme's challenge occurs once."""
    app = protected(api)

    @app.exception_handler(401)
    async def answer(request: Request, error: Exception) -> Response:
        return Response(status_code=401, headers={"WWW-Authenticate": "Basic realm=x", "Cache-Control": "private"})

    response = await call(app, "GET", "/notes")
    assert response.headers.get_list("www-authenticate") == ["Basic realm=x"]
    assert response.headers.get_list("cache-control") == ["private"]


async def test_a_user_s_handler_may_send_the_browser_to_a_login_page(api: ResourceServer) -> None:
    """A challenge is added to the refusal's own status alone."""
    app = protected(api)

    @app.exception_handler(401)
    async def answer(request: Request, error: Exception) -> Response:
        return Response(status_code=303, headers={"Location": "/login"})

    for method in ("GET", "POST"):
        response = await call(app, method, "/notes", json={})
        assert response.status_code == 303
        assert "www-authenticate" not in response.headers
        assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "caught", [HTTPException, StarletteHTTPException, OAuth2Error, Exception], ids=lambda caught: caught.__module__
)
async def test_a_user_s_handler_for_a_wider_class_leaves_refusals_alone(
    api: ResourceServer, caught: type[Exception]
) -> None:
    """DESIGN §3: one renderer."""
    app = protected(api)
    app.add_exception_handler(caught, login)
    response = await call(app, "GET", "/notes")
    assert (response.status_code, response.content) == (401, MISSING)
    assert response.headers["www-authenticate"] == CHALLENGE


@pytest.mark.parametrize("caught", [HTTPException, OAuth2Error])
async def test_code_that_catches_the_refusal_can_answer_in_its_own_form(
    api: ResourceServer, caught: type[Exception]
) -> None:
    """DESIGN §3: ``except HTTPException`` and ``except OAuth2Error`` catch it; the challenge stays."""
    app = installed(api)
    seen: list[Exception] = []

    class Catching:
        def __init__(self, server: ResourceServer) -> None:
            self.inner = server.requires("notes:read").dependency

        async def __call__(self, request: Request) -> AccessToken | None:
            try:
                token: AccessToken = await self.inner(request)
            except caught as error:
                seen.append(error)
                return None
            return token

    @app.get("/notes")
    async def read(token: Annotated[AccessToken | None, Depends(Catching(api))]) -> Response:
        return JSONResponse({"who": token.subject if token else None}, 200 if token else 401)

    response = await call(app, "GET", "/notes")
    assert (response.status_code, response.json()) == (401, {"who": None})
    assert response.headers["www-authenticate"] == CHALLENGE
    assert [type(error) for error in seen] == [Refused]


@pytest.mark.parametrize("built", [False, True])
async def test_a_dependency_that_cleans_up_after_any_exception_sees_a_refusal_that_comes_after_it(
    api: ResourceServer, built: bool
) -> None:
    """FastAPI throws it into dependencies with yield, as every HTTPException; none runs before a route's own."""
    app = installed(api)
    seen: list[BaseException] = []

    async def session() -> Any:
        try:
            yield
        except Exception as error:
            seen.append(error)
            raise

    @app.get("/notes", dependencies=[Depends(session), *([] if built else [api.requires("notes:read")])])
    async def read(request: Request) -> None:
        await api.requires("notes:read").dependency(request)

    response = await call(app, "GET", "/notes")
    assert (response.status_code, response.content) == (401, MISSING)
    assert [type(error) for error in seen] == ([Refused] if built else [])


@pytest.mark.parametrize("before", [True, False])
async def test_a_user_s_middleware_sees_the_refusal_s_answer(api: ResourceServer, before: bool) -> None:
    """DESIGN §4: middleware on either side of the gate; none gets an exception."""
    statuses: list[int] = []

    async def note(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        statuses.append(response.status_code)
        return response

    app = FastAPI()
    if before:
        app.middleware("http")(note)
    api.install(app)
    if not before:
        app.middleware("http")(note)
    app.get("/notes", dependencies=[api.requires("notes:read")])(ok)
    response = await call(app, "GET", "/notes")
    assert (response.status_code, response.content, statuses) == (401, MISSING, [401])


async def test_a_caller_that_names_problem_json_gets_it(make_api: MakeApi) -> None:
    """RS-9457-3-a: the OAuth members are extension members; the header fields are the same."""
    app = protected(make_api(resource="https://api.example.com"))
    response = await call(app, "GET", "/notes", headers={"accept": "application/problem+json"})
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == (
        'Bearer realm="api", scope="notes:read", '
        'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"'
    )
    problem = response.json()
    assert problem.pop("instance").startswith("urn:uuid:")
    assert problem == {
        "type": "https://api.example.com/problems/unauthorized",
        "title": "Unauthorized",
        "status": 401,
        "detail": "This resource needs an access token: Authorization: Bearer <token>.",
    }


async def test_head_gets_the_same_header_fields(api: ResourceServer) -> None:
    """RS-9110-9.3.2-a."""
    app = installed(api)
    app.api_route("/notes", methods=["GET", "HEAD"], dependencies=[api.requires("notes:read")])(ok)
    head, get = await call(app, "HEAD", "/notes"), await call(app, "GET", "/notes")
    assert head.status_code == get.status_code == 401
    assert head.headers == get.headers
