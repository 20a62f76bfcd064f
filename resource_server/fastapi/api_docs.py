"""The page of the API's documentation: Swagger UI from vendored files, with a login that works, and no other host."""

import html
import json
import secrets
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from resource_server.configuration_error import ConfigurationError
from resource_server.fastapi.openapi import add_login
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.scope import no_scope

ASSETS: Final[Mapping[str, str]] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "oauth2-redirect.js": "text/javascript",
    "docs.css": "text/css",
    "docs.js": "text/javascript",
}
_WITHOUT_LOGIN: Final = "without_login"
"""Asked for by a page whose policy lets it talk to no token endpoint, since none was known when it was loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDocs:
    """What the page offers, to be given to ``install(docs=…)``.

    Authorize logs in at the first issuer by authorization code and PKCE, as a public client that may redirect to
    ``{path}/oauth2-redirect``. The issuer must let pages of this origin call its token endpoint (CORS).
    """

    path: str = "/docs"
    client_id: str = ""
    """Filled in beforehand; a public client, so nothing secret."""
    scopes: Sequence[str] = ()
    """Chosen beforehand, and offered beside those that operations ask for."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """More parameters of the authorization request, such as Auth0's ``audience``.

    ``resource`` is sent to the token endpoint, too (RFC 8707 §2.2).
    """
    authorization_endpoint: str | None = None
    """Instead of that in the issuer's metadata; needed where the keys come without it."""
    token_endpoint: str | None = None

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or self.path.endswith("/"):
            raise ConfigurationError("docs", "must have a path that begins with a slash and doesn't end with one")
        if isinstance(self.scopes, str):
            raise ConfigurationError("docs", "must have a list of scopes")
        if (fault := no_scope(self.scopes)) is not None:
            raise ConfigurationError("docs", f"names a scope that can't be: {fault}")

    def public(self, app: FastAPI) -> list[str]:
        """The paths that need no token."""
        return [self.path, f"{self.path}/*", *([app.openapi_url] if app.openapi_url else [])]

    def add_to(self, app: FastAPI, scheme_name: str, issuers: TrustedIssuers) -> None:
        """Add the routes. Raises :class:`ConfigurationError` where FastAPI's own page is in the way."""
        if app.docs_url is not None or app.redoc_url is not None:
            raise ConfigurationError(
                "docs",
                "contradicts FastAPI's own pages, which need another host: FastAPI(docs_url=None, redoc_url=None)",
            )

        async def page(_request: Request) -> Response:
            _, token_endpoint = self.endpoints(issuers)
            return _answer(_page(app.title, self, "" if token_endpoint else f"?{_WITHOUT_LOGIN}"), token_endpoint)

        async def redirect(_request: Request) -> Response:
            return _answer(_REDIRECT, None)

        async def openapi(request: Request) -> Response:
            offered = _WITHOUT_LOGIN not in request.query_params
            authorization, token = self.endpoints(issuers) if offered else (None, None)
            schema = add_login(deepcopy(app.openapi()), scheme_name, self._asking(authorization), token, self.scopes)
            if root := request.scope.get("root_path", ""):
                schema["servers"] = [{"url": root}]
            return JSONResponse(schema, headers={"cache-control": "no-store"})

        async def asset(request: Request) -> Response:
            name = request.path_params["name"]
            if name not in ASSETS:
                return Response(status_code=404)
            headers = {"cache-control": "max-age=3600", "x-content-type-options": "nosniff"}
            return Response(_read(name), media_type=ASSETS[name], headers=headers)

        app.add_route(self.path, page, include_in_schema=False)
        app.add_route(f"{self.path}/oauth2-redirect", redirect, include_in_schema=False)
        app.add_route(f"{self.path}/openapi.json", openapi, include_in_schema=False)
        app.add_route(f"{self.path}/{{name}}", asset, include_in_schema=False)

    def endpoints(self, issuers: TrustedIssuers) -> tuple[str | None, str | None]:
        """Where to log in and where to get the token: as configured, or as the first issuer said."""
        metadata = next(iter(issuers)).metadata
        return (
            self.authorization_endpoint or (metadata.authorization_endpoint if metadata else None),
            self.token_endpoint or (metadata.token_endpoint if metadata else None),
        )

    def _asking(self, authorization: str | None) -> str | None:
        """The endpoint with the parameters in its query, which RFC 6749 §3.1 lets it have.

        Left to Swagger UI, they would get into the token endpoint's query, too, where an issuer may refuse them.
        """
        if authorization is None or not self.parameters:
            return authorization
        return f"{authorization}{'&' if '?' in authorization else '?'}{urlencode(self.parameters)}"


@cache
def _read(name: str) -> bytes:
    return (files("resource_server") / "static" / "swagger" / name).read_bytes()


def _name(path: str) -> str:
    """The last part of a path: what a link from the page itself begins with, whatever stands before it."""
    return path.rpartition("/")[2]


def _answer(page: str, token_endpoint: str | None) -> Response:
    """A page that loads its own files alone, talks to its own origin and the token endpoint, and is framed nowhere."""
    nonce = secrets.token_urlsafe(16)
    parts = urlsplit(token_endpoint or "")
    connect = f"'self' {parts.scheme}://{parts.netloc}" if token_endpoint else "'self'"
    policy = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data:; "
        f"connect-src {connect}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(page.replace("{nonce}", nonce), headers=headers)


def _page(title: str, docs: ApiDocs, query: str) -> str:
    """The page's links are relative, so they hold below any prefix; ``query`` is that of the document."""
    shown = {
        "assets": _name(docs.path),
        "document": f"openapi.json{query}",
        "login": {"clientId": docs.client_id, "scopes": list(docs.scopes)},
        "resource": docs.parameters.get("resource"),
    }
    return (
        _PAGE.replace("{title}", html.escape(title))
        .replace("{assets}", _name(docs.path))
        .replace("{shown}", json.dumps(shown).replace("<", "\\u003c"))
    )


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}/swagger-ui.css">
<link rel="stylesheet" href="{assets}/docs.css">
</head>
<body>
<div id="docs"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script src="{assets}/docs.js"></script>
<script nonce="{nonce}">
showDocs({shown});
</script>
</body>
</html>
"""

_REDIRECT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Logging in …</title>
<link rel="icon" href="data:,">
</head>
<body>
<script src="oauth2-redirect.js"></script>
</body>
</html>
"""
