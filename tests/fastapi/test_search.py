"""Where everything is protected, a refusal names the scopes of the route that was meant, however that came to be."""

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match, Mount

from resource_server import ResourceServer
from tests.calls import call
from tests.fastapi.ways import ok


async def scopes_of(app: FastAPI, path: str) -> str:
    challenge = (await call(app, "GET", path)).headers["www-authenticate"]
    return challenge.removeprefix('Bearer realm="api"').removeprefix(', scope="').removesuffix('"')


def application(api: ResourceServer) -> FastAPI:
    app = FastAPI()
    api.install(app, protect="all")
    app.get("/first", dependencies=[api.requires("first")])(ok)
    return app


@pytest.mark.parametrize("place", ["application", "router", "router-of-a-router", "mounted", "mounted-by-hand"])
async def test_a_route_that_came_after_a_refusal_is_found(api: ResourceServer, place: str) -> None:
    """RS-6750-3.1-e: what is prepared for a flood must not outlive the routes that it was prepared of."""
    app, router, inner, below = application(api), APIRouter(), APIRouter(), FastAPI()
    router.include_router(inner, prefix="/inner")
    app.include_router(router, prefix="/router")
    app.mount("/mounted", below)
    assert await scopes_of(app, "/first") == "first"
    later: Any = {"application": app, "router": router, "router-of-a-router": inner, "mounted": below}
    target = later.get(place) or FastAPI()
    if place == "mounted-by-hand":
        app.router.routes.append(Mount("/hand", target))
    prefix = {"router": "/router", "router-of-a-router": "/router/inner", "mounted": "/mounted"}
    path = {"application": "", "mounted-by-hand": "/hand"} | prefix
    assert await scopes_of(app, f"{path[place]}/late") == ""
    target.get("/late", dependencies=[api.requires("late")])(ok)
    assert await scopes_of(app, f"{path[place]}/late") == "late"


async def test_a_route_that_took_another_one_s_place_is_the_one_that_is_found(api: ResourceServer) -> None:
    """RS-6750-3.1-e: as many routes as before, and one that the framework takes for the same."""
    app, other = application(api), FastAPI()
    other.get("/first", dependencies=[api.requires("second")])(ok)
    assert await scopes_of(app, "/first") == "first"
    app.router.routes[-1] = other.router.routes[-1]
    assert await scopes_of(app, "/first") == "second"


async def test_a_route_with_a_way_to_match_of_its_own_is_asked(api: ResourceServer) -> None:
    """RS-6750-3.1-e: its pattern says nothing of it."""

    class Anywhere(APIRoute):
        def matches(self, scope: Any) -> tuple[Match, Any]:
            return Match.FULL, {"endpoint": self.endpoint, "path_params": {}, "route": self}

    app = application(api)
    app.router.add_api_route(
        "/x", ok, dependencies=[api.requires("anywhere")], route_class_override=Anywhere, methods=["GET"]
    )
    assert await scopes_of(app, "/first") == "first"
    assert await scopes_of(app, "/elsewhere") == "anywhere"
