"""A stream that would be refused by now ends for good, whatever serves it makes of that."""

import asyncio

import pytest

from resource_server.asgi import Message, Receive, Scope, Send
from resource_server.gate import Gate
from resource_server.stream import Judgement
from tests.gate_fakes import Server
from tests.stream_fakes import LAST, PIECE, REFUSED, UNDECIDED, WORDS, Judged, Line, begin, kinds, turns


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


async def once_more(send: Send) -> None:
    await send(PIECE)


@kinds
async def test_nor_is_it_in_a_group_of_tasks(kind: str) -> None:
    """Applications send from tasks, whose group bears what they were told."""
    line = Line(kind)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, kind)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            async with asyncio.TaskGroup() as group:
                for _ in range(2):
                    group.create_task(once_more(send))

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


@kinds
async def test_a_stream_that_nobody_can_judge_ends_with_another_code(kind: str) -> None:
    """RFC 6455 §7.4.1 and its registry: 1013 is try again later, where 1008 blames who is at the other end."""
    line = Line(kind)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, kind)
        await asyncio.Event().wait()

    await line.serve(app, Judged(Judgement.UNDECIDED))
    assert line.sent[1:] == [UNDECIDED[kind]]
