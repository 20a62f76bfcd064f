"""Two open streams of the bundled API: server-sent events and a WebSocket, both judged again while they are open."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.responses import StreamingResponse

from resource_server.access_token import AccessToken
from resource_server.fastapi import ResourceServer

HEARTBEAT = 5.0
"""Seconds between two messages where nothing happens."""


def create_feed(server: ResourceServer, orders: list[dict[str, Any]]) -> APIRouter:
    """Tell subscribers how many orders there are."""
    router = APIRouter(tags=["orders"])

    @router.get(
        "/events",
        dependencies=[server.requires("orders:read")],
        responses={200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}}},
        response_class=StreamingResponse,
    )
    async def stream_orders() -> StreamingResponse:
        """Scope orders:read. Server-sent events; the stream ends when the token does."""
        return StreamingResponse(_events(orders), media_type="text/event-stream")

    @router.websocket("/socket")
    async def open_socket(websocket: WebSocket, token: Annotated[AccessToken, server.requires("orders:read")]) -> None:
        """Scope orders:read. Closed with 1008 when the token would be refused."""
        await websocket.accept()
        try:
            while True:
                await websocket.receive_text()
                await websocket.send_json({"orders": len(orders), "for": token.subject})
        except (WebSocketDisconnect, KeyError):  # KeyError: a binary message, which nobody asked for
            return

    return router


async def _events(orders: list[dict[str, Any]]) -> AsyncIterator[str]:
    while True:
        yield f"data: {json.dumps({'orders': len(orders)})}\n\n"
        await asyncio.sleep(HEARTBEAT)
