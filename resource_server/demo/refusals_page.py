"""The page of refusals: a shell without data, which asks for them with its reader's token."""

import json
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from resource_server.fastapi import ApiDocs
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.page import asset, page

PATH: Final = "/admin/refusals"
LOGIN: Final = f"{PATH}/login"
"""Where its login comes back to: a redirect URI to be registered at the issuer."""
_ASSETS: Final = ("page.css", "dom.js", "pkce.js", "refusals.js", "login.js", "cures.json")

PUBLIC: Final = (PATH, LOGIN, *(f"{PATH}/{name}" for name in _ASSETS))
"""What needs no token: the same for everybody, and served only where the API's documentation is."""


def add_refusals_page(app: FastAPI, docs: ApiDocs, issuers: TrustedIssuers) -> None:
    """Add the page. It logs in by authorization code and PKCE where the docs can, else takes a token that is pasted.

    The token stays in the page's memory and leaves it in the Authorization header alone.
    """

    async def show(_request: Request) -> Response:
        login, token_endpoint = _login(docs, issuers)
        parts = urlsplit(token_endpoint)
        connect = f"'self' {parts.scheme}://{parts.netloc}" if token_endpoint else "'self'"
        return page("refusals", connect=connect, login=login)

    async def come_back(_request: Request) -> Response:
        return page("login", connect="'none'")

    def serve(name: str) -> None:
        async def answer(_request: Request) -> Response:
            return asset(name)

        app.add_route(f"{PATH}/{name}", answer, include_in_schema=False)

    app.add_route(PATH, show, include_in_schema=False)
    app.add_route(LOGIN, come_back, include_in_schema=False)
    for name in _ASSETS:
        serve(name)


def _login(docs: ApiDocs, issuers: TrustedIssuers) -> tuple[str, str]:
    """What the page needs to log in, as JSON, and where it gets its token; nothing where that is not known."""
    first = next(iter(issuers))
    authorization, token = docs.endpoints(issuers)
    if not (docs.client_id and authorization and token):
        return "", ""
    known = {
        "issuer": first.issuer.url,
        "authorization_endpoint": authorization,
        "token_endpoint": token,
        "client_id": docs.client_id,
        "scope": " ".join(docs.scopes),
        "parameters": dict(docs.parameters),
    }
    return json.dumps(known), token
