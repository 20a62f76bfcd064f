"""The bundled API's routes, and what each requires."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from resource_server.access_token import AccessToken
from resource_server.authorization import all_of, any_of, any_role, owner, role
from resource_server.demo.feed import create_feed
from resource_server.demo.head import HeadAsGet
from resource_server.fastapi import ApiDocs, ResourceServer

PUBLIC = ("/healthz", "/readyz")
DESCRIPTION = "Each route shows one way to require something of an access token. Nothing here is kept for long."

MAX_ORDERS = 1000
MAX_BODY = 64 * 1024
"""Bytes."""


class Order(BaseModel):
    """An order, as a client sends it."""

    item: str = Field(min_length=1, max_length=100)
    quantity: int = Field(1, ge=1, le=1000)


class Profile(BaseModel):
    """What users may say of themselves."""

    display_name: str = Field(min_length=1, max_length=100)


def create_api(server: ResourceServer, *, docs: ApiDocs | None = None) -> FastAPI:
    """Make the bundled API, protected by a resource server in whole: unknown paths, too, need a token."""
    app = FastAPI(
        title="Bundled API of resource_server",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
        redirect_slashes=False,
    )
    server.install(app, protect="all", public=PUBLIC, answer_all=True, max_body=MAX_BODY, docs=docs)
    app.include_router(_health(server))
    app.include_router(_users(server), prefix="/api")
    app.include_router(_admin(server), prefix="/admin")
    app.include_router(_orders(server), prefix="/orders")
    app.add_middleware(HeadAsGet)
    return app


def _health(server: ResourceServer) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether the process runs."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"description": "The issuer's keys are not known yet."}})
    async def readyz() -> JSONResponse:
        """Whether tokens of any issuer can be judged; names the issuers whose keys are missing."""
        missing = [{"issuer": keys.issuer.url, "keys": "unavailable"} for keys in server.issuers.unready]
        if server.issuers.is_ready:
            return JSONResponse({"status": "ready"} | ({"issuers": missing} if missing else {}))
        body = {"status": "unavailable", "issuers": missing}
        return JSONResponse(body, 503, {"retry-after": "30", "cache-control": "no-store"})

    return router


def _users(server: ResourceServer) -> APIRouter:
    router = APIRouter(tags=["users"])
    users = {name: {"id": name, "display_name": name.title()} for name in ("alice", "eve", "root")}
    may_edit = any_of(all_of("profile:write", owner("user_id")), role("admin"))

    @router.get("/v1/me")
    async def read_me(token: Annotated[AccessToken, server.requires()]) -> dict[str, Any]:
        """Any valid token: what it says."""
        return {
            "sub": token.subject,
            "client_id": token.client_id,
            "scope": " ".join(sorted(token.scopes)),
            "iss": token.issuer,
            "roles": sorted(token.roles),
            "exp": int(token.expires_at),
        }

    @router.get("/v1/users", dependencies=[server.requires("users:read")])
    async def list_users() -> list[dict[str, str]]:
        """Scope users:read."""
        return list(users.values())

    @router.put("/v1/users/{user_id}/profile", dependencies=[server.requires(may_edit)])
    async def write_profile(user_id: str, profile: Profile) -> dict[str, str]:
        """Scope profile:write and one's own id, or role admin."""
        return {"id": user_id, "display_name": profile.display_name}

    @router.get("/admin/users", dependencies=[server.requires(role("admin"))])
    async def list_users_as_admin() -> list[dict[str, str]]:
        """Role admin."""
        return [{**user, "origin": "bundled"} for user in users.values()]

    return router


def _admin(server: ResourceServer) -> APIRouter:
    router = APIRouter(tags=["admin"])

    @router.get("/posts", dependencies=[server.requires(any_role("editor", "admin"))])
    async def list_posts() -> list[dict[str, str]]:
        """Role editor or admin."""
        return [{"id": "1", "title": "On refusals"}]

    @router.get("/settings", dependencies=[server.requires(role("admin"))])
    async def read_settings() -> dict[str, str]:
        """Role admin."""
        return {"theme": "plain"}

    @router.get("/dashboard", dependencies=[server.requires(role("admin"))])
    async def read_dashboard() -> dict[str, int]:
        """Role admin: an ordinary customer gets 403, and no challenge."""
        return {"orders_today": 3}

    return router


def _orders(server: ResourceServer) -> APIRouter:
    router = APIRouter(tags=["orders"])
    orders: list[dict[str, Any]] = [{"id": 1, "item": "lamp", "quantity": 1}]

    @router.get("", dependencies=[server.requires("orders:read")])
    async def list_orders() -> list[dict[str, Any]]:
        """Scope orders:read."""
        return orders

    @router.post("", status_code=201, dependencies=[server.requires("orders:write")])
    async def place_order(order: Annotated[Order, Body()]) -> dict[str, Any]:
        """Scope orders:write. Keeps the last thousand."""
        placed = {"id": orders[-1]["id"] + 1, **order.model_dump()}
        orders.append(placed)
        del orders[:-MAX_ORDERS]
        return placed

    router.include_router(create_feed(server, orders))
    return router
