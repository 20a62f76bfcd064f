"""What clients read and call; HTTP on one side, the provider on the other."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from resource_server.development.accounts import SCOPES
from resource_server.development.clients import METHODS, SECRET_METHODS
from resource_server.development.device import DEVICE_AUTHORIZATION, DEVICE_GRANT
from resource_server.development.parameters import Parameters, Request, read_form
from resource_server.development.provider import Provider
from resource_server.development.token_endpoints import INTROSPECTION, REVOCATION
from resource_server.development.tokens import ACR

GRANTS: Final = ("authorization_code", "client_credentials", "refresh_token", DEVICE_GRANT)

_PUBLIC: Final = {"Access-Control-Allow-Origin": "*"}


class ClientEndpoints:
    """The metadata, the keys, and the endpoints that take a form from a client."""

    def __init__(self, provider: Provider, api_origin: str) -> None:
        self._provider = provider
        self._issuer = provider.mint.issuer
        self._api_origin = api_origin

    def routes(self) -> list[Route]:
        """Give them with their paths. What needs a secret, or no browser, is not for pages to call."""
        other = self._provider.endpoint_response
        return [
            Route("/.well-known/oauth-authorization-server", self.metadata),
            Route("/.well-known/openid-configuration", self.metadata),
            Route("/jwks.json", self.jwks),
            self._route("/token", self._provider.token_response, shared=True),
            self._route("/revoke", partial(other, REVOCATION), shared=True),
            self._route("/introspect", partial(other, INTROSPECTION)),
            self._route("/device_authorization", partial(other, DEVICE_AUTHORIZATION)),
        ]

    async def metadata(self, http: HTTPRequest) -> Response:
        """RFC 8414 §3, and the same at OpenID Connect's address, where some clients look first."""
        facts: dict[str, Any] = {
            "issuer": self._issuer,
            "authorization_endpoint": f"{self._issuer}/authorize",
            "token_endpoint": f"{self._issuer}/token",
            "jwks_uri": f"{self._issuer}/jwks.json",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(GRANTS),
            "token_endpoint_auth_methods_supported": list(METHODS),
            "revocation_endpoint": f"{self._issuer}/revoke",
            "revocation_endpoint_auth_methods_supported": list(METHODS),
            "introspection_endpoint": f"{self._issuer}/introspect",
            "introspection_endpoint_auth_methods_supported": list(SECRET_METHODS),
            "device_authorization_endpoint": f"{self._issuer}/device_authorization",
            "code_challenge_methods_supported": ["S256"],
            "acr_values_supported": [ACR],
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse(facts, headers=_PUBLIC)

    async def jwks(self, http: HTTPRequest) -> Response:
        """RFC 7517 §5."""
        return JSONResponse(self._provider.mint.jwks(), headers=_PUBLIC)

    def _route(self, path: str, answer: Callable[[Request], Response], *, shared: bool = False) -> Route:
        """Make an endpoint that takes a form (RFC 6749 §3.2); a shared one may be called by the API's own pages."""

        async def endpoint(http: HTTPRequest) -> Response:
            response = self._preflight(http) if http.method == "OPTIONS" else await self._answer(http, path, answer)
            return self._share(http, response) if shared else response

        return Route(path, endpoint, methods=["POST", "OPTIONS"] if shared else ["POST"])

    async def _answer(self, http: HTTPRequest, path: str, answer: Callable[[Request], Response]) -> Response:
        request = Request("POST", f"{self._issuer}{path}", http.headers, Parameters(b""))
        try:
            if http.scope["query_string"]:
                raise InvalidRequestError("The parameters belong into the body.")  # RFC 6749 §2.3.1: never in the URI
            request.payload = await read_form(http)
            return answer(request)
        except OAuth2Error as error:
            return self._provider.error_response(request, error)
        except ClientDisconnect:
            return Response(status_code=400)

    def _preflight(self, http: HTTPRequest) -> Response:
        """Answer a browser that asks whether a page may call the endpoint."""
        allow = {
            "Allow": "POST, OPTIONS",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Requested-With",  # the last by Swagger UI
            "Access-Control-Max-Age": "600",
        }
        allowed = http.headers.get("origin") == self._api_origin
        return Response(None, 204, allow if allowed else {"Allow": "POST, OPTIONS"})

    def _share(self, http: HTTPRequest, response: Response) -> Response:
        """Let the API's own pages read the answer, and nobody else's."""
        response.headers["Vary"] = "Origin"
        if http.headers.get("origin") == self._api_origin:
            response.headers["Access-Control-Allow-Origin"] = self._api_origin
        return response
