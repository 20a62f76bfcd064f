"""What we rely on of FastAPI beyond its documentation. Where one of these fails, its docstring says what breaks."""

from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response, Security
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Match

from tests.calls import Exchange, call
from tests.fastapi.ways import Note, pass_on


async def scope_seen_by_receive(app: FastAPI, path: str) -> dict[str, Any]:
    """The scope at the first call of receive: what the gate decides by."""
    seen: list[dict[str, Any]] = []

    def note(scope: dict[str, Any]) -> None:
        seen.append({**scope, "fastapi": dict(scope.get("fastapi", {}))})

    await Exchange(app, "POST", path, body=b'{"text": "x"}', at_receive=note).run()
    return seen[0]


def refuse(scope: dict[str, Any]) -> None:
    raise HTTPException(401, "passed", {"WWW-Authenticate": "Bearer realm=x"})


async def write(note: Note) -> None: ...


async def test_a_plain_route_is_matched_before_the_body_is_read() -> None:
    """If this breaks, bodies are read before the decision: a stranger's {bad is 422 instead of 401."""
    app = FastAPI()
    app.post("/notes/{number}")(write)
    scope = await scope_seen_by_receive(app, "/notes/7")
    assert scope["route"] is app.router.routes[-1]
    assert scope["path_params"] == {"number": "7"}
    assert scope["app"] is app


async def test_an_included_route_s_context_is_in_the_scope_before_the_body_is_read() -> None:
    """If this breaks, what include_router(dependencies=[…]) requires is missing from the challenge of routes with a
    body, and their {bad is 422: ``fastapi.effective_route_context`` is FastAPI's own key. Refusals stay refusals,
    since each dependency judges for itself.
    """
    app, router = FastAPI(), APIRouter()
    router.post("/notes")(write)

    async def guard() -> None: ...

    app.include_router(router, prefix="/v1", dependencies=[Depends(guard)])
    scope = await scope_seen_by_receive(app, "/v1/notes")
    context = scope["fastapi"]["effective_route_context"]
    assert context.original_route is scope["route"] is router.routes[-1]
    assert context.path_format == "/v1/notes"
    assert [dependency.call for dependency in context.dependant.dependencies] == [guard]
    assert isinstance(scope["route"], APIRoute)
    assert scope["route"].dependant.dependencies == []


async def test_route_contexts_match_included_routes_with_their_prefix() -> None:
    """If this breaks, protect='all' refuses without the scopes of the route that was meant."""
    app, router = FastAPI(), APIRouter()
    router.post("/notes/{number}")(write)
    app.include_router(router, prefix="/v1")
    scope = Exchange(app, "POST", "/v1/notes/7").scope
    matches = [context.matches(dict(scope)) for context in iter_route_contexts(app.routes)]
    (full,) = [child for match, child in matches if match is Match.FULL]
    assert full["path_params"] == {"number": "7"}


async def test_an_http_exception_raised_by_receive_passes_the_reading_of_a_body() -> None:
    """If this breaks, a refusal in the gate becomes a 400 of FastAPI's."""
    app = FastAPI()
    app.post("/notes")(write)
    exchange = await Exchange(app, "POST", "/notes", body=b"{}", at_receive=refuse).run()
    assert (exchange.status, exchange.field("www-authenticate")) == (401, ["Bearer realm=x"])


async def test_function_middleware_wraps_what_receive_raises_in_a_group() -> None:
    """If this no longer holds, ``refused.Innermost`` can go."""
    app = FastAPI()
    app.middleware("http")(pass_on)
    caught: list[Exception] = []

    @app.get("/")
    async def read(request: Request) -> None:
        try:
            await request.body()
        except Exception as error:  # noqa: BLE001 - what it is, is the question
            caught.append(error)

    await Exchange(app, "GET", "/", at_receive=refuse).run()
    assert [type(error) for error in caught] == [ExceptionGroup]


@pytest.mark.parametrize("path", ["/open", "/nothing"])
async def test_routes_and_404s_know_their_application(path: str) -> None:
    """If this breaks, overrides are looked for in no application."""
    app = FastAPI()
    seen: list[object] = []

    @app.exception_handler(404)
    async def handle(request: Request, error: Exception) -> Any:
        seen.append(request.scope["app"])
        return Response(status_code=404)

    @app.get("/open")
    async def read(request: Request) -> None:
        seen.append(request.scope["app"])

    await call(app, "GET", path)
    assert seen == [app]


def test_frontends_are_where_they_were(tmp_path: Any) -> None:
    """If this breaks, frontends lose their door and their line in ``routes``: what they require, FastAPI decides alone,
    after other dependencies, and never for methods that they lack.
    """
    app, router = FastAPI(), APIRouter()
    app.frontend("/own", directory=tmp_path)
    router.frontend("/included", directory=tmp_path)
    app.include_router(router, prefix="/v1")
    groups: list[Any] = list(app.router._iter_low_priority_routes())
    own, included = groups
    assert [(one.path, one.methods) for one in own.routes] == [("/own", {"GET", "HEAD"})]
    assert (own.dependencies, own.dependant.dependencies) == ([], [])
    assert (included.frontend_prefix, included.original_route.routes[0].path) == ("/v1", "/included")
    assert included.app is not None
    assert not hasattr(own, "app")


def test_an_addition_that_leaves_the_number_of_routes_as_it_was_is_counted_all_the_same(tmp_path: Any) -> None:
    """If this breaks, a late frontend takes the doors of its router's routes away until each was asked for."""
    router = APIRouter()
    router.get("/")(write)
    before = router._routes_version
    router.frontend("/app", directory=tmp_path)
    assert router._routes_version > before


def test_scopes_of_one_text_are_its_letters() -> None:
    """If FastAPI refuses such a text one day, ``security_scopes.py`` can go."""
    app = FastAPI()
    app.get("/", dependencies=[Security(write, scopes="read")])(write)
    route: Any = app.router.routes[-1]
    assert route.dependant.dependencies[0].own_oauth_scopes == ["r", "e", "a", "d"]
