"""Pages of the project's own: HTML from files, that runs its own script alone and stands in no frame (T36)."""

import html
import secrets
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from starlette.responses import HTMLResponse, Response

SECURITY: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "json": "application/json"}


def page(name: str, *, connect: str = "'self'", **texts: str) -> Response:
    """A page by its file's name; each ``{name}`` in it stands for one of the texts, which are escaped.

    ``connect`` are the sources that its script may talk to. Nothing in it runs but files that bear the nonce of this
    one answer; where browsers can enforce it, no script can make markup of a text.
    """
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; "
        f"connect-src {connect}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    content = _read(f"{name}.html").decode("utf-8")
    for key, text in {"nonce": nonce, **texts}.items():
        content = content.replace(f"{{{key}}}", html.escape(text))
    return HTMLResponse(content, headers={**SECURITY, "content-security-policy": policy})


def asset(name: str) -> Response:
    """A script, a style or the data of a page. Raises :class:`KeyError` for any other type of file."""
    return Response(_read(name), media_type=_TYPES[name.rpartition(".")[2]], headers=dict(SECURITY))


@cache
def _read(name: str) -> bytes:
    return (files("resource_server") / "static" / "pages" / name).read_bytes()
