"""A stream that is judged again at once, and the line that it goes out on."""

import asyncio
from typing import Any

import pytest

from resource_server.asgi import AsgiApp, Message, Scope, Send
from resource_server.gate import Gate
from resource_server.stream import Judgement
from tests.gate_fakes import Passage, Server

PIECE: Message = {"type": "http.response.body", "body": b"piece", "more_body": True}
LAST: Message = {"type": "http.response.body", "body": b"", "more_body": False}
WORDS: Message = {"type": "websocket.send", "text": "piece"}
CLOSED: Message = {"type": "websocket.close", "code": 1000}
REFUSED = {"http": LAST, "websocket": {"type": "websocket.close", "code": 1008}}
UNDECIDED = {"http": LAST, "websocket": {"type": "websocket.close", "code": 1013}}
kinds = pytest.mark.parametrize("kind", ["http", "websocket"])


class Judged(Passage):
    """A passage of which each stream is judged again at once, as if its token had just expired."""

    def __init__(self, judgement: Judgement = Judgement.REFUSED) -> None:
        super().__init__()
        self.authenticated = True
        self.judgement = judgement
        self.judged = asyncio.Event()
        self.seen = asyncio.Event()
        """Where it waits while it judges, if that is cleared."""
        self.seen.set()

    def seconds_left(self) -> float:
        return 0.0

    async def judge_again(self) -> Judgement:
        self.judged.set()
        await self.seen.wait()
        self.notes.append(self.judgement.value)
        return self.judgement


class Line:
    """The server's side of a connection: what was sent on it, and what it brings."""

    def __init__(self, kind: str) -> None:
        self.scope: Scope = {"type": kind, "path": "/", "method": "GET", "headers": [], "query_string": b""}
        self.sent: list[Any] = []
        self.brings: asyncio.Queue[Message] = asyncio.Queue()

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def serve(self, app: AsgiApp, passage: Passage) -> None:
        async with asyncio.timeout(5):
            await Gate(app, Server(passage), interval=0.0)(self.scope, self.brings.get, self.send)


async def begin(send: Send, kind: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    if kind == "http":
        await send({"type": "http.response.start", "status": 200, "headers": headers or []})
    else:
        await send({"type": "websocket.accept"})


async def turns(count: int = 20) -> None:
    """Let the event loop turn: long enough for a judgement that is due to be made, and for its cancellation to come."""
    for _ in range(count):
        await asyncio.sleep(0)
