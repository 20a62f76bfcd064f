"""The table's own answers for what an application refuses after the decision: 404, 405, 422 and 500 (D27, D32, D33).

A hidden resource's 404 is an ordinary 404 and comes through here like any other, so the two can't be told apart.
"""

from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match

from resource_server.challenge import ProtectionSpace, answer, prefers_problem
from resource_server.refusals import Kind, Refusal

_KINDS: Final = {
    404: Kind.HIDDEN,
    405: Kind.METHOD_NOT_ALLOWED,
    422: Kind.INVALID_CONTENT,
    500: Kind.POLICY_ERROR,
}


def answer_all(app: FastAPI, space: ProtectionSpace) -> None:
    """Answer an application's own errors from the table."""

    def respond(request: Request, status: int, members: dict[str, Any] | None = None) -> Response:
        accept = request.headers.get("accept", "")
        rendered = answer(Refusal(_KINDS[status]), space, accept=accept)
        body = rendered.body | (members or {} if prefers_problem(accept) else {})
        return JSONResponse(body, status, dict(rendered.headers))

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        if error.status_code not in _KINDS:
            body = {"title": str(error.detail), "status": error.status_code}
            return JSONResponse(body, error.status_code, error.headers)
        response = respond(request, error.status_code)
        for name, value in (error.headers or {}).items():
            response.headers.setdefault(name, value)
        if error.status_code == 405:
            response.headers["allow"] = ", ".join(_allowed(request))
        return response

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
        errors = [{"loc": list(one["loc"]), "msg": one["msg"]} for one in error.errors()]
        return respond(request, 422, {"errors": errors})

    async def failed(request: Request, _error: Exception) -> Response:
        return respond(request, 500)

    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(500, failed)


def answers_all(app: FastAPI) -> bool:
    """Whether an application answers in this way, and nobody has put a handler of his own in its place since."""
    handlers = [app.exception_handlers.get(kind) for kind in (HTTPException, RequestValidationError)]
    return all(getattr(handler, "__module__", "") == __name__ for handler in handlers)


def _allowed(request: Request) -> list[str]:
    """All methods of a path; the framework names those of the first matching route alone."""
    methods: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        match, _ = context.matches(dict(request.scope))
        if match is not Match.NONE:
            methods |= context.methods or set()
    return sorted(methods)
