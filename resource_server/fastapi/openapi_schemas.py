"""The bodies of refusals, as JSON Schema: what ``challenge.py`` renders."""

from typing import Any, Final

REFUSAL: Final[dict[str, Any]] = {
    "description": "Why a request was refused. Clients decide by the status and by WWW-Authenticate.",
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "integer", "description": "The HTTP status.", "examples": [403]},
        "error": {
            "type": "string",
            "description": "A code of RFC 6750 or RFC 9470, or access_denied. Absent where no token was sent.",
            "examples": ["insufficient_scope"],
        },
        "error_description": {
            "type": "string",
            "description": "For developers; the same for every cause of a code.",
            "examples": ["The access token lacks the required scope"],
        },
        "scope": {
            "type": "string",
            "description": "All scopes of the operation, with spaces between them.",
            "examples": ["orders:read"],
        },
        "acr_values": {
            "type": "string",
            "description": "The authentication context classes that suffice, with spaces between them (RFC 9470).",
            "examples": ["urn:example:mfa"],
        },
        "max_age": {
            "type": "integer",
            "description": "Seconds that the login may be old (RFC 9470).",
            "examples": [300],
        },
        "title": {"type": "string", "description": "What the status says.", "examples": ["Forbidden"]},
        "detail": {
            "type": "string",
            "description": "How to authenticate, or what is wrong with the request.",
            "examples": ["This resource needs an access token: Authorization: Bearer <token>."],
        },
        "required_roles": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The roles of which one is needed, where the API discloses them.",
            "examples": [["admin"]],
        },
    },
}
PROBLEM: Final[dict[str, Any]] = {
    "description": "The same as an RFC 9457 problem, for those whose Accept names application/problem+json.",
    "type": "object",
    "required": ["type", "title", "instance"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "about:blank, or a URI of this kind of problem.",
            "examples": ["https://api.example.com/problems/insufficient_scope"],
        },
        "title": {"type": "string", "description": "What the status says.", "examples": ["Forbidden"]},
        "instance": {
            "type": "string",
            "format": "uri",
            "description": "An id of this one answer.",
            "examples": ["urn:uuid:7d9a1c52-64a0-4b0e-9f0b-6c3f1f0f3a11"],
        },
        "errors": {
            "type": "array",
            "description": "With 422: where the content is wrong, and how.",
            "items": {
                "type": "object",
                "required": ["loc", "msg"],
                "properties": {
                    "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
                    "msg": {"type": "string", "examples": ["Field required"]},
                },
            },
            "examples": [[{"loc": ["body", "item"], "msg": "Field required"}]],
        },
    },
}
"""Beside what a refusal has."""
