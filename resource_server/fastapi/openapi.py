"""What OpenAPI says about refusals: the answers of protected operations, with their headers and bodies."""

from typing import Any, Final

from fastapi import FastAPI

_REFUSALS: Final = {
    "400": "The credentials are malformed or were sent in more than one way.",
    "401": "An access token is missing, or the one presented is not valid here.",
    "403": "The access token lacks a scope (then with a challenge), or its user may not do this.",
    "503": "The issuer can't be reached, so nothing can be decided; the token may well be good.",
}
_CHALLENGED: Final = ("400", "401", "403")
_EXAMPLE: Final = 'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"'


def document_refusals(app: FastAPI, server: Any) -> None:
    """Add the refusals to every operation that a server protects, whenever the schema is made."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        fresh = app.openapi_schema is None
        schema = make()
        if fresh:
            schema.setdefault("components", {}).setdefault("schemas", {})["Refusal"] = _BODY
            for path in schema.get("paths", {}).values():
                for operation in path.values():
                    if isinstance(operation, dict) and _is_protected(operation, server.scheme_name):
                        _add(operation)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the schema


def _is_protected(operation: dict[str, Any], scheme: str) -> bool:
    return any(scheme in need for need in operation.get("security", []))


def _add(operation: dict[str, Any]) -> None:
    for status, description in _REFUSALS.items():
        headers: dict[str, Any] = {}
        if status in _CHALLENGED:
            headers["WWW-Authenticate"] = {
                "description": "Challenges (RFC 6750 §3).",
                "schema": {"type": "string", "examples": [_EXAMPLE]},
            }
        if status == "503":
            headers["Retry-After"] = {"description": "Seconds.", "schema": {"type": "integer"}}
        operation["responses"].setdefault(
            status,
            {"description": description, "headers": headers, "content": {"application/json": {"schema": _REFERENCE}}},
        )


_REFERENCE: Final = {"$ref": "#/components/schemas/Refusal"}
_BODY: Final[dict[str, Any]] = {
    "title": "Refusal",
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "integer"},
        "error": {"type": "string"},
        "error_description": {"type": "string"},
        "scope": {"type": "string"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "required_roles": {"type": "array", "items": {"type": "string"}},
    },
}
