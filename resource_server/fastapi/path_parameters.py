"""Whether a route has the path parameters by which it decides, and reads them as the texts that they are."""

import re
from collections.abc import Iterator
from typing import Any, Final

# As the framework reads a path: a name, and how it is converted.
_PARAMETER: Final = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)(?::([^}]*))?}")
_TEXTS: Final = (None, "", "str", "path")
"""Converters that leave a text as it is."""
_CHANGING: Final = ("func", "strip_whitespace", "to_lower", "to_upper")
"""What marks, among the metadata of a text's annotation, a validator of the application's own, or a change."""


def fault(route: Any, path: str, name: str) -> str | None:
    """Why a route must not decide by a path parameter; None if it may.

    ``owner()`` compares the text of the path with a subject. A handler that reads ``007``, ``+7`` and ``7.0`` as one
    number would show user 7's data to whoever is called so (T1).
    """
    there = dict(_PARAMETER.findall(path))
    if name not in there:
        has = f"the parameters of its path are {', '.join(there)}" if there else "its path has no parameters"
        return f'requires owner("{name}"), but {has}: name one that is there'
    read_as = there[name] if there[name] not in _TEXTS else _read_as(getattr(route, "dependant", None), name)
    if read_as is None:
        return None
    return (
        f'requires owner("{name}"), which compares texts, but reads {name} as {read_as}, which several texts may stand '
        f"for: annotate it str, or require a callable"
    )


def _read_as(dependant: Any, name: str) -> str | None:
    """What a handler or one of its dependencies makes of the text of a path parameter; None if it stays what it is."""
    for field in _fields(dependant):
        if field.alias != name:
            continue
        annotation = field.field_info.annotation
        annotation = getattr(annotation, "__supertype__", annotation)  # of a NewType
        if annotation not in (str, Any):
            return annotation.__name__ if isinstance(annotation, type) else str(annotation)
        if any(getattr(one, mark, None) for one in field.field_info.metadata for mark in _CHANGING):
            return "a changed text"
    return None


def _fields(dependant: Any) -> Iterator[Any]:
    if dependant is not None:
        yield from dependant.path_params
        for below in dependant.dependencies:
            yield from _fields(below)
