"""Where the watch over a stream ends: with its last piece, whatever is done after that."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from resource_server.asgi import Receive, Scope, Send
from resource_server.stream import Judgement
from tests.stream_fakes import CLOSED, LAST, Judged, Line, begin, turns


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


@ends
@pytest.mark.parametrize("judgement", Judgement, ids=lambda judgement: judgement.value)
async def test_a_judgement_that_swallows_its_own_cancellation_comes_to_nothing_too(
    kind: str, how: str, judgement: Judgement
) -> None:
    """T32: a requirement of the application's own may catch everything, and answer late."""

    class Late(Judged):
        async def judge_again(self) -> Judgement:
            try:
                await super().judge_again()
            except asyncio.CancelledError:
                self.notes.append("swallowed")
            return judgement

    line, passage, done = Line(kind), Late(), []
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
    assert (done, passage.notes.count("swallowed"), passage.notes.count("refused")) == ([True], 1, 0)


async def test_the_background_task_of_a_streaming_response_runs_to_its_end() -> None:
    """T32 with a framework's own means: no export loses its clean-up because the token ran out meanwhile."""
    done = []

    async def work() -> None:
        await turns()
        done.append(True)

    app = FastAPI()
    app.get("/")(lambda: StreamingResponse(iter([b"a", b"b"]), background=BackgroundTask(work)))
    line, passage = Line("http"), Judged(Judgement.GRANTED)
    passage.seen.clear()
    await line.serve(app, passage)
    assert done == [True]
    assert line.sent[-1] == LAST
