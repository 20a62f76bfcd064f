"""uvicorn's WebSocket protocol, which would log a refused handshake as an error of the application."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Takes a handshake that was answered by a refusal for completed: strangers must not fill the error log."""

    async def send(self, message: Any) -> None:
        """Send, and note that a refusal is whole."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
