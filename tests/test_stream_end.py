"""Where the watch over a stream ends: with the last piece for who is done, and for good for who is not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send
from resource_server.gate import Gate
from tests.gate_fakes import Passage, Server

PIECE: Message = {"type": "http.response.body", "body": b"piece", "more_body": True}
LAST: Message = {"type": "http.response.body", "body": b"", "more_body": False}
WORDS: Message = {"type": "websocket.send", "text": "piece"}
CLOSED: Message = {"type": "websocket.close", "code": 1000}
REFUSED = {"http": LAST, "websocket": {"type": "websocket.close", "code": 1008}}
kinds = pytest.mark.parametrize("kind", ["http", "websocket"])


class Judged(Passage):
    """A passage of which each stream is judged again at once, as if its token had just expired."""

    def __init__(self, *, granted: bool = False) -> None:
        super().__init__()
        self.authenticated = True
        self.granted = granted
        self.judged = asyncio.Event()
        self.seen = asyncio.Event()
        """Where it waits while it judges, if that is cleared."""
        self.seen.set()

    def seconds_left(self) -> float:
        return 0.0

    async def judge_again(self) -> bool:
        self.judged.set()
        await self.seen.wait()
        self.notes.append("granted" if self.granted else "refused")
        return self.granted


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


def ending(kind: str, how: str) -> Callable[[Receive, Send], Awaitable[Any]]:
    async def send_last(receive: Receive, send: Send) -> None:
        await send(LAST if kind == "http" else CLOSED)

    async def hear_of_it(receive: Receive, send: Send) -> None:
        await receive()

    return send_last if how == "sent" else hear_of_it


ENDINGS = [("http", "sent"), ("websocket", "sent"), ("websocket", "disconnected")]
ends = pytest.mark.parametrize(("kind", "how"), ENDINGS, ids=[f"{kind}-{how}" for kind, how in ENDINGS])


@ends
async def test_what_comes_after_the_end_of_a_stream_is_let_alone(kind: str, how: str) -> None:
    """T32: work in the background of an answer that is complete, and the clean-up of a closed socket, go on; no refusal
    is told, and no closing message sent."""
    line, passage, done = Line(kind), Judged(), []
    line.brings.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, kind)
        await ending(kind, how)(receive, send)
        await turns()
        done.append(True)

    await line.serve(app, passage)
    assert (done, passage.notes.count("refused")) == ([True], 0)
    assert [message["type"] for message in line.sent] == (
        ["http.response.start", "http.response.body"]
        if kind == "http"
        else ["websocket.accept", "websocket.close"][: 2 if how == "sent" else 1]
    )


@ends
async def test_a_judgement_that_was_under_way_comes_to_nothing_with_the_end(kind: str, how: str) -> None:
    """T32: it may wait for keys, and the stream end meanwhile."""
    line, passage, done = Line(kind), Judged(), []
    passage.seen.clear()
    line.brings.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, kind)
        await passage.judged.wait()
        await ending(kind, how)(receive, send)
        passage.seen.set()
        await turns()
        done.append(True)

    await line.serve(app, passage)
    assert (done, passage.notes.count("refused")) == ([True], 0)


async def test_the_background_task_of_a_streaming_response_runs_to_its_end() -> None:
    """T32 with a framework's own means: no export loses its clean-up because the token ran out meanwhile."""
    done = []

    async def work() -> None:
        await turns()
        done.append(True)

    app = FastAPI()
    app.get("/")(lambda: StreamingResponse(iter([b"a", b"b"]), background=BackgroundTask(work)))
    line, passage = Line("http"), Judged(granted=True)
    passage.seen.clear()
    await line.serve(app, passage)
    assert done == [True]
    assert line.sent[-1] == LAST


@kinds
async def test_who_swallows_the_cancellation_sends_nothing_more(kind: str) -> None:
    """T32: a loop that takes it for the end of a poll went on for ever; the stream is ended without its consent."""
    line, passage = Line(kind), Judged()
    swallowed = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal swallowed
        await begin(send, kind)
        for _ in range(3):
            try:
                await asyncio.Event().wait() if swallowed == 0 else await send(PIECE if kind == "http" else WORDS)
            except (asyncio.CancelledError, OSError):
                swallowed += 1

    await line.serve(app, passage)
    assert swallowed == 3
    assert line.sent[1:] == [REFUSED[kind]]


@kinds
async def test_a_stream_ends_at_once_though_what_serves_it_does_not(kind: str) -> None:
    """T32: the closing message does not wait for a task that has swallowed its cancellation."""
    line, passage = Line(kind), Judged()
    closed = asyncio.Event()

    async def send(message: Message) -> None:
        line.sent.append(message)
        if message == REFUSED[kind]:
            closed.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, kind)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await closed.wait()

    async with asyncio.timeout(5):
        await Gate(app, Server(passage), interval=0.0)(line.scope, line.brings.get, send)
    assert closed.is_set()


@kinds
async def test_what_served_an_ended_stream_leaves_its_task_uncancelled(kind: str) -> None:
    """A server may serve the next request in the same task; asyncio's own timeouts count cancellations."""
    line = Line(kind)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, kind)
        await asyncio.Event().wait()

    await line.serve(app, Judged())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


class ClientLeftError(Exception):
    """What frameworks make of an OSError while they send."""


@kinds
async def test_a_framework_s_word_for_a_client_that_left_is_no_failure(kind: str) -> None:
    """It would fill the error log once for each stubborn stream."""
    line = Line(kind)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, kind)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            try:
                await send(PIECE)
            except OSError:
                raise ClientLeftError from None

    await line.serve(app, Judged())
    assert line.sent[1:] == [REFUSED[kind]]


@kinds
async def test_a_failure_of_the_application_s_own_is_told_after_the_end_too(kind: str) -> None:
    """The positive control: what has nothing to do with the end is raised."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, kind)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError("a clean-up that fails") from None

    with pytest.raises(LookupError):
        await Line(kind).serve(app, Judged())


async def test_a_connection_that_is_gone_is_no_failure_of_the_closing_message() -> None:
    """ASGI: who sends there gets an OSError, and nobody is to hear of it."""
    line = Line("http")

    async def send(message: Message) -> None:
        if message["type"] != "http.response.start":
            raise ConnectionError

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, "http")
        await asyncio.Event().wait()

    async with asyncio.timeout(5):
        await Gate(app, Server(Judged()), interval=0.0)(line.scope, line.brings.get, send)


async def test_a_stream_is_judged_again_before_its_first_piece() -> None:
    """T32: the first event may come long after the head of the answer."""
    line = Line("http")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, "http")
        await asyncio.Event().wait()

    await line.serve(app, Judged())
    assert line.sent[1:] == [LAST]


async def test_an_answer_of_known_length_is_no_stream() -> None:
    """T32: it is not judged again, however slowly its pieces come."""
    line, passage = Line("http"), Judged()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, "http", [(b"content-length", b"5")])
        await turns()
        await send(PIECE)
        await send(LAST)

    await line.serve(app, passage)
    assert line.sent[1:] == [PIECE, LAST]
    assert not passage.judged.is_set()
