"""What OpenAPI says of protected operations: how to authenticate, which scopes suffice, how they refuse."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from resource_server.authorization.alternatives import scope_alternatives
from resource_server.authorization.combination import AllOf
from resource_server.fastapi.answers import answers_all
from resource_server.fastapi.openapi_answers import (
    NOTHING,
    PLAIN_NOT_FOUND,
    Responses,
    own_answers,
    refusals_of,
)
from resource_server.refusals import Kind

LOGIN: Final = "login"
"""The scheme that the docs page adds: a browser's login at the issuer."""
PASTED: Final = "bearer_token"
"""The scheme of one who has a token already."""
FASTAPI_S_INVALID: Final = "HTTPValidationError"


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
            components = schema.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            ours, answered = Responses(server.space, schemas, server.failed_authentications), answers_all(app)
            for path, operation, requirement in _operations(app, schema, needs):
                _describe(operation, requirement, server)
                bound = bounded and "requestBody" in operation
                responses = _responses(path, operation, requirement, ours, bounded=bound, answered=answered)
                every = {str(status): response for status, response in responses.items()} | operation["responses"]
                operation["responses"] = dict(sorted(every.items()))
            schemas.update(ours.schemas)
            _drop_unused(schema)
            schemes = components.setdefault("securitySchemes", {})
            schemes[server.scheme_name] = server.model.model_dump(by_alias=True, exclude_none=True, mode="json")
            schemes[PASTED] = {
                "type": "http",
                "scheme": "bearer",
                "description": "An access token that you have already.",
            }
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the schema


def _operations(
    app: FastAPI, schema: dict[str, Any], needs: Callable[[Any, str], AllOf | None]
) -> Iterator[tuple[str, dict[str, Any], AllOf | None]]:
    for context in iter_route_contexts(app.routes):
        path = getattr(context, "path_format", None) or ""
        for method in context.methods or ():
            operation = schema.get("paths", {}).get(path, {}).get(method.lower())
            if isinstance(operation, dict):
                yield path, operation, needs(context, context.path or "")


def _describe(operation: dict[str, Any], requirement: AllOf | None, server: Any) -> None:
    """What is required; that an operation is open is said, too, where it has no scheme of the user's own."""
    if requirement is None:
        operation.setdefault("security", [])
        return
    words = str(requirement)
    operation["x-requires"] = words
    operation["description"] = f"{operation.get('description', '')}\n\n**Requires** {words}.".strip()
    by_login: list[dict[str, list[str]]] = [
        {server.scheme_name: list(names)} for names in scope_alternatives(requirement)
    ]
    operation["security"] = [*by_login, {PASTED: []}]
    declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
    for name in sorted(requirement.path_parameters - declared):  # which the endpoint itself doesn't ask for
        parameter = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        operation.setdefault("parameters", []).append(parameter)


def _responses(
    path: str,
    operation: dict[str, Any],
    requirement: AllOf | None,
    ours: Responses,
    *,
    bounded: bool,
    answered: bool,
) -> dict[int, dict[str, Any]]:
    """How an operation refuses, by status; takes out of it what FastAPI said of a 422 that is ours."""
    kinds = [] if requirement is None else refusals_of(requirement, limited=ours.rate is not None)
    kinds += [Kind.OVERSIZED_CONTENT] if bounded else []
    kinds += own_answers(path, operation) if answered else []
    responses = ours.of(kinds, NOTHING if requirement is None else requirement.demands)
    if answered and FASTAPI_S_INVALID in str(operation["responses"].get("422")):
        del operation["responses"]["422"]
    if answered and "requestBody" in operation:
        responses[400] = ours.of_unreadable(responses.get(400))
    if not answered and 404 in responses:
        responses[404] = deepcopy(PLAIN_NOT_FOUND)
    return responses


def _drop_unused(schema: dict[str, Any]) -> None:
    """Take out FastAPI's schemas of a 422 where no operation refers to them any more."""
    schemas = schema["components"]["schemas"]
    for name in (FASTAPI_S_INVALID, "ValidationError"):
        if name in schemas and f"#/components/schemas/{name}'" not in str(schema):
            del schemas[name]


def add_login(
    schema: dict[str, Any],
    scheme_name: str,
    authorization: str | None,
    token: str | None,
    chosen: Sequence[str] = (),
) -> dict[str, Any]:
    """Put a login by authorization code in the place of the issuer's metadata, where its endpoints are known.

    A page that may talk to one other host only can't ask for metadata, and must not have to. Offered are the scopes
    that operations ask for, and what is ``chosen`` beside them: ``openid``, ``offline_access``.
    """
    components = schema.get("components", {})
    schemes = components.get("securitySchemes", {})
    if scheme_name not in schemes:
        return schema
    del schemes[scheme_name]
    operations = [one for path in schema["paths"].values() for one in path.values() if isinstance(one, dict)]
    asked = {scope for one in operations for need in one.get("security", []) for scope in need.get(scheme_name, ())}
    for operation in operations:
        needs = operation.get("security", [])
        renamed = [({LOGIN: need[scheme_name]} if scheme_name in need else need) for need in needs]
        if needs:
            operation["security"] = [need for need in renamed if (authorization and token) or LOGIN not in need]
    if authorization and token:
        scopes = dict.fromkeys(sorted(asked.union(chosen)), "")
        flow = {"authorizationUrl": authorization, "tokenUrl": token, "scopes": scopes}
        schemes[LOGIN] = {
            "type": "oauth2",
            "description": "Log in at the issuer.",
            "flows": {"authorizationCode": flow},
        }
    return schema
