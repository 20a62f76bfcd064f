"""uvicorn's fast HTTP protocol with the limits that it lacks: size, number and time of header fields (T28)."""

import asyncio
import re
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from resource_server.serving.closing_answer import closing_answer

MAX_HEAD: Final = 64 * 1024
"""Bytes of a request's target and header fields."""
MAX_FIELDS: Final = 128
MAX_SECONDS: Final = 10.0
"""For a request's head to arrive in whole."""

_HOST: Final = re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,;=%:\[\]]*")
"""The characters of a host and a port (RFC 3986 §3.2.2)."""


class HeadTooLargeError(Exception):
    """Raised through the parser, which stops there."""


class ImproperRequestError(Exception):
    """Likewise, for what the parser lets pass."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Answers 431 to a head that is too large, and hangs up on one that takes too long.

    A single field is held back by the parser until it is complete, so what has arrived is counted as well as what was
    parsed; at most one read of the socket comes on top of the bound. Trailer fields fall under the same bound and are
    dropped: they come after the decision, and what a proxy sets or strips it sets or strips in the head (RFC 9110
    §6.5.1).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = self._in_body = False
        self._advanced = False
        """Whether the last read brought more than a part of a field."""
        self._arrived = self._parsed = 0
        self._too_large = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, unless the head or the trailer has grown too large."""
        self._advanced = False
        super().data_received(data)
        self._arrived = 0 if self._advanced else self._arrived + len(data)
        if self._arrived > MAX_HEAD and not self.transport.is_closing():
            self._too_large = True
            self.send_400_response("")
        self._watch()

    def on_message_begin(self) -> None:
        """A request begins: start its clock and its counts."""
        super().on_message_begin()
        self._in_head = self._advanced = True
        self._parsed = 0
        self._start_timer()

    def on_url(self, url: bytes) -> None:
        """Count the target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a field; keep it if it is one of the head."""
        self._count(len(name) + len(value))
        if self._in_head:
            super().on_header(name, value.rstrip(b" \t"))  # the parser leaves what follows a value (RFC 9110 §5.5)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise ImproperRequestError  # a line that says HTTP/2.0 is not HTTP/2, and 0.9 has no answers with a head
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) > 1 or (not hosts and version == "1.1") or not all(map(_HOST.fullmatch, hosts)):
            raise ImproperRequestError  # a proxy may have judged another one (RFC 9112 §3.2)
        self._in_head, self._in_body = False, True
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on."""
        self._advanced = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_body, self._advanced = False, True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that can't be parsed; 431 where it is too large (RFC 6585 §5)."""
        if not self._is_next_to_answer():
            self.transport.close()
            return
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if self._too_large else HTTPStatus.BAD_REQUEST
        self.transport.write(closing_answer(status))
        self.transport.close()

    def _should_upgrade(self) -> bool:
        """Whether a request is a handshake, and not an ordinary one, which has its clocks (RFC 9110 §7.8).

        None has a body, comes by HTTP/1.0, or while an answer is owed, in the midst of which its own would stand.
        """
        owed = self.cycle is not None and not self.cycle.response_complete
        if owed or self.parser.get_http_version() != "1.1":
            return False
        with_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers)
        return not with_body and super()._should_upgrade()

    def _is_next_to_answer(self) -> bool:
        """Whether an answer would be taken for that of the request at fault, not of one before or after it."""
        if self.cycle is None:
            return True
        return not (self.cycle.response_started or self.pipeline) if self._in_body else self.cycle.response_complete

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > MAX_HEAD or len(self.headers) >= MAX_FIELDS:
            self._too_large = True
            raise HeadTooLargeError

    def _watch(self) -> None:
        """Time what comes after an answer and is no head: blank lines, or a body that nobody awaits any more.

        uvicorn stops its own clock at each byte, so such a connection would stay open for ever.
        """
        idle = self.cycle is not None and self.cycle.response_complete
        if idle and self._timer is None and self in self.connections:  # or else it is a WebSocket by now
            self._start_timer()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(MAX_SECONDS, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
