"""The rim: a refusal as the exceptions that FastAPI and Authlib know."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from authlib.oauth2 import OAuth2Error
from fastapi import HTTPException, Response
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketClose

from resource_server.answering import refuse
from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send
from resource_server.challenge import Answer
from resource_server.gate import Gate
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


class Innermost:
    """ASGI middleware inside of all other: tells the passages of a request what the others have made of it.

    And takes a refusal out of the group that a task group put it into on its way: Starlette's BaseHTTPMiddleware
    receives in one, and FastAPI would take the group for a broken body (400).
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless it is refused for where it leads by now."""
        passages: Mapping[object, Entered] = scope.get("resource_server", {})
        for passage in passages.values():
            answer = await passage.enter(scope)
            if answer is not None:
                await refuse(scope, receive, send, answer)
                return

        async def receive_ungrouped() -> Message:
            try:
                return await receive()
            except ExceptionGroup as group:
                if len(group.exceptions) == 1 and isinstance(group.exceptions[0], HTTPException):
                    raise group.exceptions[0] from group
                raise

        await self._app(scope, receive_ungrouped, send)


class Entered(Protocol):
    """A request's passage, as far as it is known here."""

    async def enter(self, scope: Scope) -> Answer | None:
        """Take note of the scope that reaches the application; gives the answer of a refusal."""
        ...


_INNERMOST: Final = Middleware(Innermost)


def cover(app: Starlette, *, wrapped: bool = False) -> None:
    """Answer refusals in an application, which the handlers of the one above don't reach. Nothing is done twice.

    Effective until its first request. ``wrapped`` where middleware may stand around it that it does not know of.
    """
    if Refused not in app.exception_handlers:
        app.add_exception_handler(Refused, answer_refused)  # type: ignore[arg-type]  # WebSocketClose is an answer, too
    middleware: list[Any] = app.user_middleware
    if (wrapped or any(one.cls is not Gate for one in middleware)) and _INNERMOST not in middleware:
        middleware.append(_INNERMOST)
