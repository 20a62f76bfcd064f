"""uvicorn's WebSocket protocol, which would log a refused handshake as an error of the application."""

from http import HTTPStatus
from typing import Any

import websockets.http11
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from resource_server.serving.closing_answer import closing_answer

# The head has been read before, and is bounded to half of this. The library's own bound for a line, which is made to be
# changed by an environment variable alone, would refuse credentials that HTTP reads.
websockets.http11.MAX_LINE_LENGTH = 128 * 1024


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Takes a handshake that was answered by a refusal for completed: strangers must not fill the error log.

    A handshake that is none is answered 400. The library's own answer would quote the request, and one that it can't
    read at all would get none and hold the connection for ever.
    """

    def data_received(self, data: bytes) -> None:
        """Read; the first data is a whole head, so that after it there is a handshake or a fault."""
        super().data_received(data)
        if not self.handshake_initiated:
            self._refuse()

    def handle_connect(self, event: Any) -> None:
        """Begin, unless the handshake is at fault."""
        if self.conn.accept(event).status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)
        else:
            self._refuse()

    async def send(self, message: Any) -> None:
        """Send, and note that a refusal is whole."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def _refuse(self) -> None:
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(closing_answer(HTTPStatus.BAD_REQUEST))
        self.transport.close()
