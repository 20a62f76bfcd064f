"""Cross-origin requests of browsers (Fetch standard, CORS protocol): preflights are answered here and go no further.

A preflight bears no credentials by design, so it is the one request that needs none; it never reaches the application,
where it could hit a route. Refusals must be readable by the page's script, so what they say is exposed.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send
from resource_server.configuration_error import ConfigurationError, listed

EXPOSED: Final = b"WWW-Authenticate, DPoP-Nonce, Retry-After"
ALLOWED_HEADERS: Final = b"Authorization, DPoP, Content-Type, Accept, If-Match, If-None-Match"
"""By name: the wildcard does not cover Authorization."""
ALLOWED_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE"
MAX_AGE: Final = b"600"
"""Seconds for which a browser may remember a preflight."""


class Cors:
    """ASGI middleware; stands outermost, so that even a failure's answer can be read by the page."""

    def __init__(self, app: AsgiApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(check_origins(origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        # latin-1 can't fail, and what is not ASCII is no origin of ours
        allowed = len(origins) == 1 and origins[0].decode("latin-1") in self._origins
        if is_preflight(scope):
            await answer_preflight(send, origins[0] if allowed else None)
            return

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _readable(message.get("headers", ()), origins[0] if allowed else None)
            await send(message)

        await self._app(scope, receive, send_readable)


def check_origins(origins: Sequence[str]) -> list[str]:
    """Demand a list of exact origins. Raises ConfigurationError."""
    return [check_origin(origin) for origin in listed("cors_origins", origins)]


def check_origin(origin: str) -> str:
    """Demand an exact origin: scheme and host, no path, no wildcard, never ``null``. Raises ConfigurationError."""
    try:
        parts = urlsplit(origin)
        exact = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        exact = False
    if not exact or origin != f"{parts.scheme}://{parts.netloc.lower()}" or set(origin) & set("*@"):
        raise ConfigurationError(
            "cors_origins", f"must hold exact origins such as https://app.example.com, unlike {origin!r}"
        )
    return origin


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if it may; no other OPTIONS request is exempt from anything."""
    if scope["type"] != "http" or scope["method"] != "OPTIONS":
        return False
    names = {name for name, _ in scope["headers"]}
    return {b"origin", b"access-control-request-method"} <= names


async def answer_preflight(send: Send, origin: bytes | None) -> None:
    """Say what an allowed origin may do; say nothing to others, and browsers will not."""
    headers = [(b"vary", b"Origin"), (b"cache-control", b"no-store")]
    if origin is not None:
        headers += [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-methods", ALLOWED_METHODS),
            (b"access-control-allow-headers", ALLOWED_HEADERS),
            (b"access-control-max-age", MAX_AGE),
        ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _readable(headers: Sequence[tuple[bytes, bytes]], origin: bytes | None) -> list[tuple[bytes, bytes]]:
    """Say who may read, unless the application did (a public document says ``*``)."""
    found = list(headers)
    if any(name.lower() == b"access-control-allow-origin" for name, _ in found):
        return found
    found.append((b"vary", b"Origin"))
    if origin is not None:
        found += [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", EXPOSED)]
    return found
