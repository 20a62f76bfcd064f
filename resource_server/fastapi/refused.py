"""The rim: a refusal as the exceptions that FastAPI and Authlib know."""

from typing import Any

from authlib.oauth2 import OAuth2Error
from fastapi import FastAPI, HTTPException, Request, Response
from starlette.datastructures import Headers
from starlette.routing import Mount

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
        self.answer = answer
        self.refusal = refusal

    def __str__(self) -> str:
        return str(self.refusal)


async def answer_refused(request: Request, refused: Exception) -> Response:
    """The answer of the table as it is, not wrapped in FastAPI's ``detail``."""
    assert isinstance(refused, Refused)  # noqa: S101 - registered for this class alone
    response = Response(refused.answer.content, refused.answer.status)
    response.raw_headers[:0] = [(name.encode(), value.encode()) for name, value in refused.answer.headers]
    return response


def register_handlers(app: FastAPI) -> None:
    """Answer refusals in an application and in those mounted below it; a parent's handlers don't reach there."""
    app.add_exception_handler(Refused, answer_refused)
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            register_handlers(route.app)
