"""A document's own schemas, applied to values; and all examples that a document holds."""

from collections.abc import Iterator
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker


def violations(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What a value violates of a schema, whose references lead into the document's components."""
    whole = {**schema, "components": document.get("components", {})}
    validator = OAS31Validator(whole, format_checker=oas31_format_checker)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def examples(part: Any, place: str = "#") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Place, schema and value of each example: of media types, headers, parameters, and of schemas themselves."""
    if isinstance(part, list):
        for number, member in enumerate(part):
            yield from examples(member, f"{place}/{number}")
    if not isinstance(part, dict):
        return
    schema = part["schema"] if isinstance(part.get("schema"), dict) else part
    if isinstance(part.get("examples"), dict) and "schema" in part:
        for name, example in part["examples"].items():
            yield f"{place}/examples/{name}", schema, example["value"]
    elif isinstance(part.get("examples"), list):
        for number, example in enumerate(part["examples"]):
            yield f"{place}/examples/{number}", schema, example
    if "example" in part:
        yield f"{place}/example", schema, part["example"]
    for name, member in part.items():
        if name not in ("example", "examples"):
            yield from examples(member, f"{place}/{name}")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation
