"""What the playground's own page sends, and nobody else's (T36)."""

from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from resource_server.page import SECURITY
from resource_server.printable import printable
from resource_server.validation import strict_json

MAX_BODY: Final = 128 * 1024
"""Bytes: a token larger than 16 KiB is refused in any case, and comes with its claims."""


class NotTaken(Exception):  # noqa: N818 - an answer
    """The request is none of the page's; bears the status of the answer, and its sentence."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


async def read(request: Request) -> dict[str, Any]:
    """The JSON object that the page has sent. Raises :class:`NotTaken`.

    A browser says by Sec-Fetch-Site whose page it was, and no page can say so in its place; what says nothing is
    refused too.
    """
    if request.headers.getlist("sec-fetch-site") != ["same-origin"]:
        raise NotTaken(403, "only the playground's own page may ask")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NotTaken(415, "the content must be application/json")
    content = b""
    try:
        async for part in request.stream():
            content += part
            if len(content) > MAX_BODY:
                raise NotTaken(413, f"more than {MAX_BODY} bytes")
    except ClientDisconnect:
        raise NotTaken(400, "the request was broken off") from None
    try:
        return strict_json.parse_object(content)
    except ValueError:
        raise NotTaken(400, "the content is no JSON object") from None


def text(sent: dict[str, Any], name: str) -> str:
    """A member that must be a text. Raises :class:`NotTaken`."""
    value = sent.get(name)
    if not isinstance(value, str):
        raise NotTaken(400, f"{name} must be a text")
    return value


def answer(value: dict[str, Any], status: int = 200) -> JSONResponse:
    """An answer to the page, in which nothing but a token or a JSON text is left that a reader would not see."""
    return JSONResponse(value, status, {**SECURITY, "content-security-policy": "default-src 'none'"})


def harmless(value: Any) -> Any:
    """A value of which every text is printable, but for the ends of its lines."""
    if isinstance(value, str):
        return "\n".join(map(printable, value.split("\n")))
    if isinstance(value, dict):
        return {printable(str(name)): harmless(member) for name, member in value.items()}
    return [harmless(one) for one in value] if isinstance(value, list | tuple) else value
