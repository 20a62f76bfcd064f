"""The rim: a refusal as the exceptions that FastAPI and Authlib know."""

from typing import Any, Final

from authlib.oauth2 import OAuth2Error
from fastapi import FastAPI, HTTPException, Response
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.routing import Mount
from starlette.websockets import WebSocketClose

from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send
from resource_server.challenge import Answer
from resource_server.refusals import Refusal


class Refused(OAuth2Error, HTTPException):  # noqa: N818 - an answer, not an error of the program
    """A refusal on its way out.

    An :class:`fastapi.HTTPException`, so that it survives the reading of a body and a sub-application without a handler
    of ours; an :class:`authlib.oauth2.OAuth2Error`, so that ``except OAuth2Error`` catches it. ``headers`` may repeat
    ``www-authenticate``.
    """

    def __init__(self, answer: Answer, refusal: Refusal) -> None:
        raw = [(name.encode(), value.encode()) for name, value in answer.headers if name != "content-type"]
        HTTPException.__init__(self, answer.status, detail=answer.body)
        self.headers: Any = Headers(raw=raw)
        self.error = str(answer.body.get("error", ""))
        self.description = str(answer.body.get("error_description", ""))
        self.uri = ""
        self.state = self.redirect_uri = None
        self.redirect_fragment = False
        self.answer = answer
        self.refusal = refusal

    def get_body(self) -> list[tuple[Any, Any]]:
        """The members of the body, as Authlib asks for them."""
        return list(self.answer.body.items())

    def get_headers(self) -> list[tuple[str, str]]:
        """The header fields, as Authlib asks for them."""
        return list(self.answer.headers)

    def __str__(self) -> str:
        return str(self.refusal)


async def answer_refused(request: HTTPConnection, refused: Exception) -> Response | WebSocketClose:
    """The answer of the table as it is, not wrapped in FastAPI's ``detail``.

    A WebSocket's handshake gets it where the server can deliver one (ASGI denial response extension).
    """
    assert isinstance(refused, Refused)  # noqa: S101 - registered for this class alone
    if request.scope["type"] == "websocket" and "websocket.http.response" not in request.scope.get("extensions", {}):
        return WebSocketClose(1008)
    response = Response(refused.answer.content, refused.answer.status)
    response.raw_headers[:0] = [(name.encode(), value.encode()) for name, value in refused.answer.headers]
    return response


class Ungrouped:
    """ASGI middleware, innermost: takes a refusal out of the group that a task group put it into on its way.

    Starlette's BaseHTTPMiddleware receives in a task group, and FastAPI would take the group for a broken body (400).
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def receive_ungrouped() -> Message:
            try:
                return await receive()
            except ExceptionGroup as group:
                if len(group.exceptions) == 1 and isinstance(group.exceptions[0], HTTPException):
                    raise group.exceptions[0] from group
                raise

        await self._app(scope, receive_ungrouped, send)


_UNGROUPED: Final = Middleware(Ungrouped)


def cover(app: FastAPI) -> list[FastAPI]:
    """Answer refusals in an application and in those mounted below it, which a parent's handlers don't reach.

    Gives back all of them. Nothing is done twice.
    """
    if Refused not in app.exception_handlers:
        app.add_exception_handler(Refused, answer_refused)  # type: ignore[arg-type]  # WebSocketClose is an answer, too
    if app.user_middleware and _UNGROUPED not in app.user_middleware:
        app.user_middleware.append(_UNGROUPED)
    mounts = [context.original_route for context in iter_route_contexts(app.routes)]
    below = [mount.app for mount in mounts if isinstance(mount, Mount) and isinstance(mount.app, FastAPI)]
    return [app, *(found for one in below for found in cover(one))]
