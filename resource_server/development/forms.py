"""The forms of the server's own pages: each is sent in once, soon, and by the page that showed it."""

import hashlib
import secrets
from collections.abc import Callable
from typing import Final

from authlib.oauth2.rfc6749 import OAuth2Error
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response

from resource_server.development.pages import error_page
from resource_server.development.parameters import read_form
from resource_server.development.short_memory import ShortMemory

FORM_LIFETIME: Final = 600
"""Seconds that a person may look at a page with a form."""

MAX_FORMS: Final = 1_000


class Forms:
    """Knows the forms that were shown, and for what."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._shown: ShortMemory[bytes] = ShortMemory(lifetime=FORM_LIFETIME, bound=MAX_FORMS, now=now)

    def show(self, subject: bytes) -> str:
        """Give the value of a new form's ``transaction`` field."""
        transaction = secrets.token_urlsafe(32)
        self._shown.put(transaction, _digest(subject))
        return transaction

    def accept(self, form: dict[str, str], subject: bytes) -> bool:
        """Whether a form was shown for this very thing, and is sent in for the first time."""
        return self._shown.take(form.get("transaction", "")) == _digest(subject)


async def sent_form(http: HTTPRequest) -> dict[str, str] | Response:
    """Read a form that one of our pages has sent, or say why not. The browser tells whose page it was (T36)."""
    if http.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return error_page("Not from here", "This form can be sent by the login page only.", 403)
    try:
        return (await read_form(http)).data
    except OAuth2Error as error:
        return error_page("This form can't be read", str(error.description), 400)
    except ClientDisconnect:
        return Response(status_code=400)


def _digest(subject: bytes) -> bytes:
    """What is remembered of the subject; the whole could be long."""
    return hashlib.sha256(subject).digest()
