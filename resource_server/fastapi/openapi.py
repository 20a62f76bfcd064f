"""What OpenAPI says of protected operations: how to authenticate, which scopes suffice, how they refuse."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from resource_server.authorization.alternatives import scope_alternatives
from resource_server.authorization.combination import AllOf
from resource_server.fastapi.openapi_answers import SCHEMA, refusals_of, response_of

LOGIN: Final = "login"
"""The scheme that the docs page adds: a browser's login at the issuer."""
PASTED: Final = "bearer_token"
"""The scheme of one who has a token already."""


def document(app: FastAPI, server: Any, needs: Callable[[Any, str], AllOf | None], *, bounded: bool) -> None:
    """Add all this to an application's schema, whenever it is made.

    ``needs`` answers what a route requires, given the route and its path, or None where it is open; ``bounded`` says
    whether bodies are. What the user has documented himself is left as it is.
    """
    make = app.openapi

    def openapi() -> dict[str, Any]:
        fresh = app.openapi_schema is None
        schema = make()
        if fresh:
            for operation, requirement in _protected(app, schema, needs):
                _describe(operation, requirement, server, bounded=bounded and "requestBody" in operation)
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {})["Refusal"] = SCHEMA
            schemes = components.setdefault("securitySchemes", {})
            schemes[server.scheme_name] = server.model.model_dump(by_alias=True, exclude_none=True, mode="json")
            schemes[PASTED] = {
                "type": "http",
                "scheme": "bearer",
                "description": "An access token that you have already.",
            }
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the schema


def _protected(
    app: FastAPI, schema: dict[str, Any], needs: Callable[[Any, str], AllOf | None]
) -> Iterator[tuple[dict[str, Any], AllOf]]:
    for context in iter_route_contexts(app.routes):
        path = getattr(context, "path_format", None) or ""
        requirement = needs(context, context.path or "")
        for method in context.methods or ():
            operation = schema.get("paths", {}).get(path, {}).get(method.lower())
            if isinstance(operation, dict) and requirement is not None:
                yield operation, requirement


def _describe(operation: dict[str, Any], requirement: AllOf, server: Any, *, bounded: bool) -> None:
    words = str(requirement)
    operation["x-requires"] = words
    operation["description"] = f"{operation.get('description', '')}\n\n**Requires** {words}.".strip()
    by_login: list[dict[str, list[str]]] = [
        {server.scheme_name: list(names)} for names in scope_alternatives(requirement)
    ]
    operation["security"] = [*by_login, {PASTED: []}]
    for status, kinds in refusals_of(requirement, bounded=bounded).items():
        operation["responses"].setdefault(str(status), response_of(status, kinds, server.space, requirement))


def add_login(schema: dict[str, Any], scheme_name: str, authorization: str | None, token: str | None) -> dict[str, Any]:
    """Put a login by authorization code in the place of the issuer's metadata, where its endpoints are known.

    A page that may talk to one other host only can't ask for metadata, and must not have to.
    """
    components = schema.get("components", {})
    schemes = components.get("securitySchemes", {})
    if scheme_name not in schemes:
        return schema
    del schemes[scheme_name]
    operations = [one for path in schema["paths"].values() for one in path.values() if isinstance(one, dict)]
    asked = sorted(
        {scope for one in operations for need in one.get("security", []) for scope in need.get(scheme_name, ())}
    )
    for operation in operations:
        needs = operation.get("security", [])
        renamed = [({LOGIN: need[scheme_name]} if scheme_name in need else need) for need in needs]
        if needs:
            operation["security"] = [need for need in renamed if (authorization and token) or LOGIN not in need]
    if authorization and token:
        flow = {"authorizationUrl": authorization, "tokenUrl": token, "scopes": dict.fromkeys(asked, "")}
        schemes[LOGIN] = {
            "type": "oauth2",
            "description": "Log in at the issuer.",
            "flows": {"authorizationCode": flow},
        }
    return schema
