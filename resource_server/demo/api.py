"""The bundled API's routes, and what each requires."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI, Path
from starlette.responses import JSONResponse

from resource_server.access_token import AccessToken
from resource_server.authorization import all_of, any_of, any_role, owner, role
from resource_server.demo.feed import create_feed
from resource_server.demo.head import HeadAsGet
from resource_server.demo.models import (
    AdministeredUser,
    Dashboard,
    Health,
    Me,
    Order,
    PlacedOrder,
    Post,
    Profile,
    Readiness,
    Settings,
    User,
)
from resource_server.demo.refusals import create_refusals
from resource_server.demo.refusals_page import PUBLIC as REFUSALS_PAGE
from resource_server.demo.refusals_page import add_refusals_page
from resource_server.fastapi import ApiDocs, ResourceServer
from resource_server.observers.recent import RecentRefusals

PUBLIC = ("/healthz", "/readyz")
DESCRIPTION = """Each route shows one way to require something of an access token. Nothing here is kept for long.

A path that is not listed here needs a token, too: 401 without one, 404 with one. Every GET can be a HEAD."""
TAGS = [
    {"name": "admin", "description": "For roles. Whoever lacks one is refused without a challenge."},
    {"name": "health", "description": "For whoever watches over the process. Needs no token."},
    {"name": "orders", "description": "Orders: a scope for reading and one for writing, and a stream that is watched."},
    {"name": "users", "description": "Users and their profiles: any token, a scope, ownership."},
]

MAX_ORDERS = 1000
MAX_BODY = 64 * 1024
"""Bytes."""
UNREADY: dict[int | str, dict[str, Any]] = {
    503: {
        "model": Readiness,
        "description": "No issuer's keys are known.",
        "headers": {
            "Retry-After": {
                "description": "Seconds after which another try makes sense.",
                "schema": {"type": "integer", "minimum": 1, "examples": [30]},
            }
        },
    }
}


def create_api(server: ResourceServer, *, docs: ApiDocs | None = None, recent: RecentRefusals | None = None) -> FastAPI:
    """Make the bundled API, protected by a resource server in whole: unknown paths, too, need a token.

    ``recent`` is what admins are shown of its refusals. It has to be among the server's observers: left out, there is
    nothing to show. The page that shows it is there where ``docs`` are.
    """
    app = FastAPI(
        title="Bundled API of resource_server",
        version="1",
        description=DESCRIPTION,
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/", "description": "Where this document comes from."}],
        openapi_tags=TAGS,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
        redirect_slashes=False,
    )
    public = (*PUBLIC, *REFUSALS_PAGE) if docs is not None else PUBLIC
    server.install(app, protect="all", public=public, answer_all=True, max_body=MAX_BODY, docs=docs)
    if docs is not None:
        add_refusals_page(app, docs, server.issuers)
    app.include_router(_health(server))
    app.include_router(_users(server), prefix="/api")
    app.include_router(_admin(server), prefix="/admin")
    app.include_router(create_refusals(server, recent or RecentRefusals()), prefix="/admin/refusals")
    app.include_router(_orders(server), prefix="/orders")
    app.add_middleware(HeadAsGet)
    return app


def _health(server: ResourceServer) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Ask whether the process runs", response_description="It runs.")
    async def read_health() -> Health:
        """Says so whatever the issuers do."""
        return Health(status="ok")

    @router.get(
        "/readyz",
        summary="Ask whether tokens can be judged",
        response_model=Readiness,
        response_description="Tokens of one issuer at least can be judged.",
        responses=UNREADY,
    )
    async def read_readiness() -> JSONResponse:
        """Names the issuers whose keys are missing."""
        missing = [{"issuer": keys.issuer.url, "keys": "unavailable"} for keys in server.issuers.unready]
        if server.issuers.is_ready:
            return JSONResponse({"status": "ready"} | ({"issuers": missing} if missing else {}))
        body = {"status": "unavailable", "issuers": missing}
        return JSONResponse(body, 503, {"retry-after": "30", "cache-control": "no-store"})

    return router


def _users(server: ResourceServer) -> APIRouter:
    router = APIRouter(tags=["users"])
    users = [User(id=name, display_name=name.title()) for name in ("alice", "eve", "root")]
    may_edit = any_of(all_of("profile:write", owner("user_id")), role("admin"))

    @router.get("/v1/me", summary="Read what the token says", response_description="Who asks, and by which token.")
    async def read_me(token: Annotated[AccessToken, server.requires()]) -> Me:
        """Open to every valid token."""
        return Me(
            sub=token.subject,
            client_id=token.client_id,
            scope=" ".join(sorted(token.scopes)),
            iss=token.issuer,
            roles=sorted(token.roles),
            exp=int(token.expires_at),
        )

    @router.get(
        "/v1/users",
        summary="List the users",
        response_description="All users.",
        dependencies=[server.requires("users:read")],
    )
    async def list_users() -> list[User]:
        """Open to a scope."""
        return users

    @router.put(
        "/v1/users/{user_id}/profile",
        summary="Write a profile",
        response_description="The user as written; it is not kept.",
        dependencies=[server.requires(may_edit)],
    )
    async def write_profile(
        user_id: Annotated[str, Path(description="The user's id; one's own is the token's sub.", examples=["alice"])],
        profile: Profile,
    ) -> User:
        """Open to users for their own profile, and to administrators for each."""
        return User(id=user_id, display_name=profile.display_name)

    @router.get(
        "/admin/users",
        summary="List the users, with their origin",
        response_description="All users.",
        dependencies=[server.requires(role("admin"))],
    )
    async def list_users_as_admin() -> list[AdministeredUser]:
        """Open to a role."""
        return [AdministeredUser(id=one.id, display_name=one.display_name, origin="bundled") for one in users]

    return router


def _admin(server: ResourceServer) -> APIRouter:
    router = APIRouter(tags=["admin"])

    @router.get(
        "/posts",
        summary="List the posts",
        response_description="All posts.",
        dependencies=[server.requires(any_role("editor", "admin"))],
    )
    async def list_posts() -> list[Post]:
        """Open to either of two roles."""
        return [Post(id="1", title="On refusals")]

    @router.get(
        "/settings",
        summary="Read the settings",
        response_description="The settings of the site.",
        dependencies=[server.requires(role("admin"))],
    )
    async def read_settings() -> Settings:
        """Open to a role."""
        return Settings(theme="plain")

    @router.get(
        "/dashboard",
        summary="Read the dashboard",
        response_description="Figures of the day.",
        dependencies=[server.requires(role("admin"))],
    )
    async def read_dashboard() -> Dashboard:
        """Open to a role: an ordinary customer gets 403, and no challenge."""
        return Dashboard(orders_today=3)

    return router


def _orders(server: ResourceServer) -> APIRouter:
    router = APIRouter(tags=["orders"])
    orders = [PlacedOrder(id=1, item="lamp", quantity=1)]

    @router.get(
        "",
        summary="List the orders",
        response_description="The orders that are kept, the oldest first.",
        dependencies=[server.requires("orders:read")],
    )
    async def list_orders() -> list[PlacedOrder]:
        """Open to a scope."""
        return orders

    @router.post(
        "",
        status_code=201,
        summary="Place an order",
        response_description="The order as placed.",
        dependencies=[server.requires("orders:write")],
    )
    async def place_order(order: Annotated[Order, Body()]) -> PlacedOrder:
        """Open to another scope. The last thousand are kept."""
        placed = PlacedOrder(id=orders[-1].id + 1, item=order.item, quantity=order.quantity)
        orders.append(placed)
        del orders[:-MAX_ORDERS]
        return placed

    router.include_router(create_feed(server, orders))
    return router
