"""The routes that the playground can try: all that need a token and answer to HTTP."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from resource_server.fastapi.inventory import inventory

_WEBSOCKET: Final = "WEBSOCKET"


@dataclass(frozen=True, slots=True)
class Route:
    """One of them, with what to fill in."""

    method: str
    template: str
    requires: str
    """In words."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the path, each with an example."""
    content: str = ""
    """An example of the content that it takes; empty where it takes none."""

    @property
    def name(self) -> str:
        """``GET /orders``."""
        return f"{self.method} {self.template}"

    def path(self, parameters: Mapping[str, str]) -> str:
        """The path with these parameters, percent-encoded."""
        filled = {name: quote(parameters.get(name, example), safe="") for name, example in self.parameters.items()}
        return self.template.format(**filled)

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "name": self.name,
            "requires": self.requires,
            "parameters": dict(self.parameters),
            "content": self.content,
        }


def routes_of(app: Any) -> dict[str, Route]:
    """The routes of an application by their name; examples are those of its OpenAPI document."""
    document = app.openapi()
    found = {}
    for exposure in inventory(app):
        if exposure.requires and exposure.methods != _WEBSOCKET:
            operation = document["paths"].get(exposure.path, {}).get(exposure.methods.lower(), {})
            named = [one for one in operation.get("parameters", ()) if one["in"] == "path"]
            parameters = {one["name"]: _example(one["schema"], document) for one in named}
            route = Route(exposure.methods, exposure.path, exposure.requires, parameters, _content(operation, document))
            found[route.name] = route
    return found


def _content(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return json.dumps(_example(schema, document)) if schema is not None else ""


def _example(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "properties" in schema:
        return {name: _example(one, document) for name, one in schema["properties"].items()}
    return next(iter(schema.get("examples", ())), "")
