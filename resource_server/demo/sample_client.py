"""The sample client at ``/app``: how a page treats 401, 403, 429 and 503 (``docs/clients.md``). For ``dev`` alone."""

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resource_server.page import asset, page

PATH: Final = "/app"
"""Where it is, and where its login comes back to."""
ASSETS: Final = ("sample_client.css", "sample_client.js", "api.js", "session.js", "challenge.js")


def create_sample_client(issuer: str, client_id: str) -> Starlette:
    """Make the pages of the client, which is registered at the issuer and may talk to it and to its own origin."""

    async def show(_request: Request) -> Response:
        return page("sample_client", connect=f"'self' {issuer}", issuer=issuer, client_id=client_id)

    async def serve(request: Request) -> Response:
        name = request.path_params["name"]
        return asset(name) if name in ASSETS else Response(status_code=404)

    app = Starlette(routes=[Route(PATH, show), Route(f"{PATH}/{{name}}", serve)])
    app.router.redirect_slashes = False
    return app
