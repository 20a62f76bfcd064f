"""How a setting's value is written where all is text: in an environment variable."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_settings import NoDecode


def _read_names(value: Any) -> Any:
    """A list from a JSON array, or from a text with commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [name.strip() for name in value.split(",") if name.strip()]


def _read_json(value: Any) -> Any:
    """An array or object from JSON; any other text is itself: a claim's name, which may hold dots and commas."""
    return json.loads(value) if isinstance(value, str) and value.lstrip().startswith(("[", "{")) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_read_names)]
ClaimPath = Annotated[str | tuple[str, ...], NoDecode, BeforeValidator(_read_json)]
Json = (NoDecode, BeforeValidator(_read_json))
"""Annotations of a setting that is an array or an object."""
