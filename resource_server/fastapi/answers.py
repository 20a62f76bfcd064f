"""The table's own answers for what an application refuses after the decision: 404, 405, 422 and 500 (D27, D32, D33).

What else it raises, and FastAPI's 400 for content that can't be read, has the same form and keeps its own words.

A hidden resource's 404 is an ordinary 404 and comes through here like any other, so the two can't be told apart.
"""

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match

from resource_server.challenge import ProtectionSpace, answer, prefers_problem, problem
from resource_server.refusals import Kind, Refusal

_KINDS: Final = {
    404: Kind.HIDDEN,
    405: Kind.METHOD_NOT_ALLOWED,
    422: Kind.INVALID_CONTENT,
    500: Kind.POLICY_ERROR,
}
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_WITHOUT_CONTENT: Final = (204, 205, 304)


def answer_all(app: FastAPI, space: ProtectionSpace) -> None:
    """Answer an application's own errors from the table, but those for which it has a handler of its own by now."""

    def respond(request: Request, status: int, members: dict[str, Any] | None = None) -> Response:
        accept = request.headers.get("accept", "")
        rendered = answer(Refusal(_KINDS[status]), space, accept=accept)
        body = rendered.body | (members or {} if prefers_problem(accept) else {})
        return JSONResponse(body, status, dict(rendered.headers))

    def raised(request: Request, error: HTTPException) -> Response:
        """In the same form, what the application itself says: a text as ``detail``, anything else as ``errors``."""
        phrase = _PHRASES.get(error.status_code, "Error")
        body: dict[str, Any] = {"title": phrase, "status": error.status_code}
        if error.detail and error.detail != phrase:
            body["detail" if isinstance(error.detail, str) else "errors"] = jsonable_encoder(error.detail)
        media_type = "application/json"
        if prefers_problem(request.headers.get("accept", "")):
            body, media_type = problem(error.status_code, body, ProtectionSpace()), "application/problem+json"
        response = JSONResponse(body, error.status_code, {"cache-control": "no-store"}, media_type=media_type)
        response.headers.update(error.headers or {})
        return response

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        if error.status_code in _WITHOUT_CONTENT:
            return Response(status_code=error.status_code, headers=error.headers)
        response = respond(request, error.status_code) if error.status_code in _KINDS else raised(request, error)
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

    if _is_the_framework_s(app, HTTPException):
        app.add_exception_handler(HTTPException, http_error)
    if _is_the_framework_s(app, RequestValidationError):
        app.add_exception_handler(RequestValidationError, invalid)
    if _is_the_framework_s(app, 500) and _is_the_framework_s(app, Exception):
        app.add_exception_handler(500, failed)


def _is_the_framework_s(app: FastAPI, kind: Any) -> bool:
    """Whether nobody has added a handler of his own, which would be meant."""
    handler = app.exception_handlers.get(kind)
    return handler is None or getattr(handler, "__module__", "").startswith("fastapi.")


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
