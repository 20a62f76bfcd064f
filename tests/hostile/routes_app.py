"""An application of the library, protected route by route, as its users write it: ``python -m … JWKS_FILE``."""

import sys
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import APIRouter, FastAPI

from resource_server import AccessToken, Issuer, ResourceServer, role

SECRET = "the secret of the protected routes"


def create_app(jwks_file: Path) -> FastAPI:
    """Routes, a router with a requirement of its own, a mounted application, a path parameter that takes slashes."""
    issuer = Issuer(url="https://id.example.com", audience="https://api.example.com", jwks_file=jwks_file)
    api = ResourceServer(issuer)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    admin = APIRouter(prefix="/admin", dependencies=[api.requires(role("admin"))])
    mounted = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[api.requires(role("admin"))])

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/orders")
    async def list_orders(token: Annotated[AccessToken, api.requires("orders:read")]) -> dict[str, str]:
        return {"secret": SECRET, "for": token.subject}

    @app.post("/orders", dependencies=[api.requires("orders:write")])
    async def place_order(order: dict[str, str]) -> dict[str, str]:
        return {"secret": SECRET, **order}

    @app.get("/files/{path:path}", dependencies=[api.requires(role("admin"))])
    async def read_file(path: str) -> dict[str, str]:
        return {"secret": SECRET, "path": path}

    @admin.get("/users")
    async def list_users() -> dict[str, str]:
        return {"secret": SECRET}

    @mounted.get("/users")
    async def list_mounted_users() -> dict[str, str]:
        return {"secret": SECRET}

    app.include_router(admin)
    app.mount("/mounted", mounted)
    api.install(app)
    return app


def main() -> None:
    """Serve it on a free port."""
    uvicorn.run(create_app(Path(sys.argv[1])), host="127.0.0.1", port=0, log_level="info")


if __name__ == "__main__":
    main()
