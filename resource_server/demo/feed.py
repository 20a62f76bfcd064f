"""Two open streams of the bundled API: server-sent events and a WebSocket, both judged again while they are open."""

import asyncio
import json
from collections.abc import AsyncIterator, Sized
from typing import Annotated

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.responses import StreamingResponse

from resource_server.access_token import AccessToken
from resource_server.fastapi import ResourceServer

HEARTBEAT = 5.0
"""Seconds between two messages where nothing happens."""
EVENTS = {"text/event-stream": {"schema": {"type": "string"}, "example": 'data: {"orders": 1}\n\n'}}


def create_feed(server: ResourceServer, orders: Sized) -> APIRouter:
    """Tell subscribers how many orders there are."""
    router = APIRouter()

    @router.get(
        "/events",
        dependencies=[server.requires("orders:read")],
        summary="Watch the orders",
        responses={200: {"description": "Server-sent events, without an end.", "content": EVENTS}},
        response_class=StreamingResponse,
    )
    async def watch_orders() -> StreamingResponse:
        """Open to a scope, and only as long as the token is good: the stream ends when the token does."""
        return StreamingResponse(_events(orders), media_type="text/event-stream")

    @router.websocket("/socket")
    async def open_socket(websocket: WebSocket, token: Annotated[AccessToken, server.requires("orders:read")]) -> None:
        """Scope orders:read. Closed with 1008 when the token would be refused, with 1013 when nobody can tell."""
        await websocket.accept()
        try:
            while True:
                await websocket.receive_text()
                await websocket.send_json({"orders": len(orders), "for": token.subject})
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary message, which nobody asked for
            return

    return router


async def _events(orders: Sized) -> AsyncIterator[str]:
    while True:
        yield f"data: {json.dumps({'orders': len(orders)})}\n\n"
        await asyncio.sleep(HEARTBEAT)
