"""One text in the place of the list in ``Security(…, scopes=[…])``: FastAPI makes a list of its letters.

Nothing that it hands on tells such a list from one that was meant, so what was written is looked up.
"""

from collections.abc import Iterator
from typing import Any, get_args

from fastapi import params
from fastapi.dependencies.utils import get_typed_signature

from resource_server.fastapi.operation import Demanding


def fault(route: Any, server: object) -> str | None:
    """Why a route can't require what it says, of a resource server; None if it can."""
    dependant = getattr(route, "dependant", None)
    for text in _texts(route, dependant, server) if dependant is not None else ():
        meant = text.replace(",", " ").split()
        return f"gives Security(…) its scopes as one text, which FastAPI reads letter by letter: scopes={meant}"
    return None


def _texts(route: Any, dependant: Any, server: object) -> Iterator[str]:
    """Those in the dependencies of a route, however they came there, and in the signatures of all that it calls."""
    ours = {below.call for below in dependant.dependencies if _leads_to(server, below)}
    for written in getattr(route, "dependencies", ()):
        if written.dependency in ours:
            yield from _text(written)
    yield from _below(dependant, server)


def _below(dependant: Any, server: object) -> Iterator[str]:
    for one in dependant.dependencies:
        if _leads_to(server, one):
            if one.name is not None and all(
                len(scope) == 1 for scope in one.own_oauth_scopes or ["more than a letter"]
            ):
                parameter = get_typed_signature(dependant.call).parameters[one.name]
                for written in (parameter.default, *_annotations(parameter.annotation)):
                    yield from _text(written)
            yield from _below(one, server)


def _annotations(annotation: Any) -> tuple[Any, ...]:
    """What stands behind the type in ``Annotated``, and in a name for one that ``type`` declares."""
    return get_args(getattr(annotation, "__value__", annotation))[1:]


def _text(written: Any) -> Iterator[str]:
    if isinstance(written, params.Security) and isinstance(written.scopes, str):
        yield written.scopes


def _leads_to(server: object, dependant: Any) -> bool:
    if isinstance(dependant.call, Demanding) and dependant.call.demand(server, (), ()):
        return True
    return any(_leads_to(server, below) for below in dependant.dependencies)
