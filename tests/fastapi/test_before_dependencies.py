"""A route's own dependencies run after the decision, wherever they stand: what one finds, no stranger learns."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security, WebSocket
from fastapi.routing import APIRoute
from starlette.responses import Response

from resource_server import AccessToken, ResourceServer, owner
from resource_server.testing import FakeIssuer
from tests.calls import MISSING, Exchange, bearer, call
from tests.fastapi.below import hidden
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note, installed, pass_on

METHODS = pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])


class Notes:
    """A dependency that looks a note up, and notes what was looked up."""

    def __init__(self) -> None:
        self.looked_up: list[int] = []

    async def __call__(self, note_id: int) -> str:
        self.looked_up.append(note_id)
        if note_id != 1:
            raise HTTPException(404)
        return "a note"


def in_the_signature(api: ResourceServer, notes: Notes) -> FastAPI:
    app = installed(api)

    @app.api_route("/{note_id}", methods=["GET", "DELETE"])
    async def read(note: Annotated[str, Depends(notes)], token: Annotated[AccessToken, api.requires("a")]) -> str:
        return note

    @app.put("/{note_id}")
    async def write(
        body: Note, note: Annotated[str, Depends(notes)], token: Annotated[AccessToken, api.requires("a")]
    ) -> str:
        return note

    return app


async def answer() -> str:
    return "a note"


def route(app: FastAPI | APIRouter, *dependencies: Any, path: str = "/{note_id}") -> None:
    app.api_route(path, methods=["GET", "PUT", "DELETE"], dependencies=list(dependencies))(answer)


def of_the_route(api: ResourceServer, notes: Notes) -> FastAPI:
    app = installed(api)
    route(app, Depends(notes), api.requires("a"))
    return app


def security(api: ResourceServer, notes: Notes) -> FastAPI:
    app = installed(api)
    route(app, Depends(notes), Security(api, scopes=["a"]))
    return app


def below_another_dependency(api: ResourceServer, notes: Notes) -> FastAPI:
    app = installed(api)

    async def user(token: Annotated[AccessToken, api.requires("a")]) -> str:
        return token.subject

    route(app, Depends(notes), Depends(user))
    return app


def of_the_inclusion(api: ResourceServer, notes: Notes) -> FastAPI:
    app, router, inner = installed(api), APIRouter(), APIRouter()
    route(inner, api.requires("a"))
    router.include_router(inner, dependencies=[Depends(notes)])
    app.include_router(router)
    return app


def mounted(api: ResourceServer, notes: Notes) -> FastAPI:
    app, below = installed(api), FastAPI()
    route(below, Depends(notes), api.requires("a"))
    app.mount("", below)
    return app


def added_after_the_first_request(api: ResourceServer, notes: Notes) -> FastAPI:
    app = installed(api)

    @app.get("/grow")
    async def grow() -> None:
        route(app, Depends(notes), api.requires("a"))

    return app


def behind_function_middleware(api: ResourceServer, notes: Notes) -> FastAPI:
    app = FastAPI()
    app.middleware("http")(pass_on)
    api.install(app)
    route(app, Depends(notes), api.requires("a"))
    return app


def of_a_route_class_of_one_s_own(api: ResourceServer, notes: Notes) -> FastAPI:
    """FastAPI documents that a route class may read the body before its handler does."""

    class Reading(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            handle = super().get_route_handler()

            async def read_first(request: Request) -> Response:
                await request.body()
                await notes(int(request.path_params["note_id"]))
                response: Response = await handle(request)
                return response

            return read_first

    app = installed(api)
    app.router.route_class = Reading
    route(app, api.requires("a"))
    return app


WAYS = [
    in_the_signature,
    of_the_route,
    security,
    below_another_dependency,
    of_the_inclusion,
    mounted,
    added_after_the_first_request,
    behind_function_middleware,
    of_a_route_class_of_one_s_own,
]
ways = pytest.mark.parametrize("build", [pytest.param(way, id=way.__name__) for way in WAYS])


@ways
@METHODS
async def test_a_stranger_is_not_told_what_exists(api: ResourceServer, build: Any, method: str) -> None:
    """T4: 404 for what is not there and 401 for what is, from a dependency that stands before requires()."""
    notes = Notes()
    app = build(api, notes)
    if build is added_after_the_first_request:
        await call(app, "GET", "/grow")
    body = b'{"text": "x"}' if method == "PUT" else b""
    known, unknown = [await Exchange(app, method, f"/{number}", body=body).run() for number in (1, 2)]
    assert known.sent == unknown.sent
    assert (known.status, known.body, known.received) == (401, MISSING, 0)
    assert known.field("www-authenticate") == ['Bearer realm="api", scope="a"']
    assert notes.looked_up == []


@ways
@METHODS
async def test_who_may_ask_is_told(api: ResourceServer, issuer: FakeIssuer, build: Any, method: str) -> None:
    """The positive control."""
    app, token = build(api, Notes()), issuer.token(scope="a")
    if build is added_after_the_first_request:
        await call(app, "GET", "/grow")
    body: Any = {"json": {"text": "x"}} if method == "PUT" else {}
    assert (await call(app, method, "/1", token=token, **body)).json() == "a note"
    assert (await call(app, method, "/2", token=token, **body)).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_what_is_hidden_is_not_looked_up(api: ResourceServer, issuer: FakeIssuer, method: str) -> None:
    """T4: hidden before the object is looked up, with a body and without."""
    app, notes = installed(api), Notes()
    route(app, Depends(notes), api.requires(owner("user", hide=True)), path="/{user}/{note_id}")
    token = issuer.token()
    hidden, missing = await call(app, method, "/bob/1", token=token), await call(app, method, "/alice/2", token=token)
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content) == (404, missing.content)
    assert notes.looked_up == [2]


@pytest.mark.parametrize("late", [False, True])
async def test_a_handshake_is_decided_before_its_dependencies_too(
    api: ResourceServer, issuer: FakeIssuer, late: bool
) -> None:
    """T4 at a handshake; Exchange ends it as soon as it is accepted."""
    notes, router, app = Notes(), APIRouter(), installed(api)
    if late:
        await call(app, "GET", "/")

    @router.websocket("/{note_id}", dependencies=[Depends(notes), api.requires("a")])
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app.include_router(router)
    assert [message["code"] for message in (await Exchange(app, "GET", "/1", type="websocket").run()).sent] == [1008]
    assert notes.looked_up == []
    fields: Any = bearer(issuer.token(scope="a")).items()
    accepted = await Exchange(app, "GET", "/1", type="websocket", headers=fields).run()
    assert [message["type"] for message in accepted.sent] == ["websocket.accept", "websocket.close"]


async def test_a_route_that_an_included_router_gets_later_is_decided_so_and_its_others_still_are(
    api: ResourceServer,
) -> None:
    """T4: the framework makes all routes of the router anew then."""
    app, router, inner, notes = installed(api), APIRouter(), APIRouter(), Notes()
    route(inner, Depends(notes), api.requires("a"), path="/first/{note_id}")
    router.include_router(inner)
    app.include_router(router)
    assert (await call(app, "GET", "/first/1")).status_code == 401
    route(inner, Depends(notes), api.requires("a"), path="/later/{note_id}")
    assert (await call(app, "GET", "/first/1")).status_code == 401
    assert (await call(app, "GET", "/later/1")).status_code == 401
    assert notes.looked_up == []


async def test_a_route_that_nothing_can_see_is_decided_so_from_its_second_request(api: ResourceServer) -> None:
    """The one exception, which docs/house.md names: such a route shows itself when its requires() runs."""
    app, below, notes = installed(api), FastAPI(), Notes()
    route(below, Depends(notes), api.requires("a"))
    app.mount("", hidden(below))
    assert [(await call(app, "GET", "/1")).status_code for _ in range(3)] == [401, 401, 401]
    assert notes.looked_up == [1]


async def test_two_resource_servers_each_decide_before_the_dependencies(make_api: MakeApi, issuer: FakeIssuer) -> None:
    """T4, T9."""
    app, notes, one, other = FastAPI(), Notes(), make_api(), make_api(realm="other")
    for api in (one, other):
        api.install(app)
    route(app, Depends(notes), one.requires("a"), other.requires("b"))
    assert (await call(app, "GET", "/1")).status_code == 401
    assert [(await call(app, "GET", "/1", token=issuer.token(scope=scope))).status_code for scope in "ab"] == [403, 403]
    assert notes.looked_up == []
    assert (await call(app, "GET", "/1", token=issuer.token(scope="a b"))).status_code == 200
