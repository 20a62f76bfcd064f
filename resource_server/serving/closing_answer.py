"""The answer to what is no proper request, given before there is an application to ask."""

from http import HTTPStatus


def closing_answer(status: HTTPStatus) -> bytes:
    """The last answer of a connection. Quotes nothing of the request."""
    body = f'{{"title":"{status.phrase}","status":{status.value}}}'.encode()
    fields = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: application/json",
        "cache-control: no-store",
        f"content-length: {len(body)}",
        "connection: close",
    )
    return "\r\n".join((*fields, "", "")).encode() + body
