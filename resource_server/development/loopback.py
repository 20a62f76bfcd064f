"""Keeps the development authorization server on this machine.

Whatever carries it out into the world shows itself in the request: a name that was rebound to 127.0.0.1 in the Host
header, a tunnel or a proxy in its forwarding headers, a published port in the client's address.
"""

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")

FORWARDING: Final = (
    "forwarded",
    "via",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
    "x-original-forwarded-for",
    "x-envoy-external-address",
)
"""Besides everything that begins with :data:`FORWARDING_PREFIX`."""

FORWARDING_PREFIX: Final = "x-forwarded-"

SECURITY: Final = {
    "Cache-Control": "no-store",  # keys and passwords are new at each start, so even the key set must not linger
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer that does not say otherwise. No opener policy: the OpenAPI page waits for its popup to call back."""


def loopback_port(issuer: str) -> int:
    """Give the port of an issuer that is an origin on this machine, such as ``http://127.0.0.1:9000``.

    Raises:
        ValueError: It is not; a development server must not be anybody else's issuer.
    """
    try:
        parts = urlsplit(issuer)
        port = parts.port or 80
        [host] = [host for host in HOSTS if parts.hostname == host.strip("[]")]
    except ValueError:
        host, port = "", 0
    if not host or issuer not in (f"http://{host}:{port}", f"http://{host}" if port == 80 else ""):
        raise ValueError(f"{issuer!r} can't issue tokens for development: use an origin like http://127.0.0.1:9000")
    return port


class LoopbackOnly:
    """Refuses what did not come straight from this machine, and puts the security headers on all the rest."""

    def __init__(self, app: ASGIApp, port: int, *, headers: Mapping[str, str] = SECURITY) -> None:
        self._app = app
        self._headers = headers
        self._hosts = frozenset(f"{host}:{port}" for host in HOSTS) | (frozenset(HOSTS) if port == 80 else frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return PlainTextResponse("This server answers to its loopback address and port only.\n", 421)
        if any(name in FORWARDING or name.startswith(FORWARDING_PREFIX) for name in headers):
            return PlainTextResponse("This server must not stand behind a proxy or a tunnel.\n", 400)
        if not _is_loopback(scope):
            return PlainTextResponse("This server answers to its own machine only.\n", 403)
        return None


def _is_loopback(scope: Scope) -> bool:
    """Whether the connection comes from this machine; Docker's published ports come from another address."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
