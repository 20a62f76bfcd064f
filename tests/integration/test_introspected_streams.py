"""The bundled API's open streams, and a token that its issuer revokes meanwhile (threat model, T32)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from resource_server import Decision, Kind, ResourceServer
from resource_server.demo.feed import create_feed
from resource_server.gate import Gate
from resource_server.issuers.introspection_endpoint import Answered
from resource_server.testing import FakeIssuer
from tests.introspecting import API, URL, Endpoint, Question, active, issuer, server, status
from tests.turnable_clock import TurnableClock

INTERVAL = 0.01
"""Seconds between two judgements, by the event loop's clock; what is remembered ends by the test's own."""
TTL = 30.0


class Stream:
    """The server's side of one connection to the bundled feed, where everything is protected."""

    def __init__(self, time: TurnableClock, kind: str, token_format: str) -> None:
        self.decisions: list[Decision] = []
        self.may_be_open = True
        self.endpoint = Endpoint(time)
        self.endpoint.say(exp=time.wall + 3600)
        keys = FakeIssuer(URL, audience=API, now=lambda: time.wall)
        self.api: ResourceServer = server(
            time,
            self.endpoint,
            issuer(ttl=TTL, jwt_every=TTL),
            fetch=keys.fetch,
            observers=[self.decisions.append],
        )
        token = keys.token(scope="orders:read", exp=int(time.wall) + 3600) if token_format == "JWT" else "opaque"
        path = "/orders/events" if kind == "http" else "/orders/socket"
        self.scope: dict[str, Any] = {
            "type": kind,
            "path": path,
            "method": "GET",
            "query_string": b"",
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self._connected = False

    async def receive(self) -> Any:
        if self.scope["type"] == "websocket" and not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        return await asyncio.Event().wait()

    def serve(self) -> "asyncio.Task[None]":
        app = FastAPI()
        needs = [self.api.requires(lambda token: self.may_be_open)]
        app.include_router(create_feed(self.api, []), prefix="/orders", dependencies=needs)
        gate = Gate(app, self.api, interval=INTERVAL, everything=True)
        return asyncio.create_task(gate(self.scope, self.receive, self.sent.put))

    async def next(self) -> Any:
        async with asyncio.timeout(5):
            return await self.sent.get()

    async def asked(self, times: int) -> None:
        """Wait until the issuer was asked so often."""
        for _ in range(500):
            if len(self.endpoint.questions) < times:
                await asyncio.sleep(INTERVAL)
        assert len(self.endpoint.questions) == times


CLOSED = {
    "http": {"type": "http.response.body", "body": b"", "more_body": False},
    "websocket": {"type": "websocket.close", "code": 1008},
}
LATER = CLOSED | {"websocket": {"type": "websocket.close", "code": 1013}}
Opened = tuple[Stream, "asyncio.Task[None]"]


@pytest.mark.parametrize("token_format", ["opaque", "JWT"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_stream_ends_at_the_next_judgement_after_its_token_was_revoked(
    time: TurnableClock, kind: str, token_format: str
) -> None:
    """T32, RS-7662-4-b: not before what was answered has ended, and not when it is good for another while."""
    stream = Stream(time, kind, token_format)
    serving = stream.serve()
    assert (await stream.next()).get("status", 200) == 200
    if kind == "http":
        assert (await stream.next())["body"].startswith(b"data: ")
    assert len(stream.endpoint.questions) == 1
    time.turn(TTL + 1)
    await stream.asked(2)
    assert not serving.done()
    stream.endpoint.say(active=False)
    await asyncio.sleep(INTERVAL * 5)
    assert not serving.done()
    assert len(stream.endpoint.questions) == 2
    time.turn(TTL + 1)
    assert await stream.next() == CLOSED[kind]
    await serving
    assert [decision.kind for decision in stream.decisions] == [None, Kind.REVOKED]


async def opened(time: TurnableClock, kind: str, token_format: str = "opaque", **said: Any) -> Opened:
    """A stream of which the first piece has come, and whose issuer says no more after that."""
    stream = Stream(time, kind, token_format)
    stream.endpoint.say(**{"exp": time.wall + 3600} | said)
    serving = stream.serve()
    await stream.next()
    if kind == "http":
        await stream.next()
    assert len(stream.endpoint.questions) == 1
    return stream, serving


def fails_once_and_then(endpoint: Endpoint, answer: Callable[[Question], Answered]) -> None:
    """An outage at one judgement."""
    answers: list[Callable[[Question], Answered]] = [lambda question: status(500)]
    endpoint.answer = lambda question: (answers.pop() if answers else answer)(question)


both_formats = pytest.mark.parametrize("token_format", ["opaque", "JWT"])
both_kinds = pytest.mark.parametrize("kind", ["http", "websocket"])


@both_formats
@both_kinds
async def test_an_issuer_that_is_away_at_one_judgement_ends_no_stream(
    time: TurnableClock, kind: str, token_format: str
) -> None:
    """DESIGN §1: a moment's outage is never the client's fault; nobody is told of a refusal that there was not."""
    stream, serving = await opened(time, kind, token_format)
    for rounds in range(3):
        fails_once_and_then(stream.endpoint, lambda question: active(time, exp=time.wall + 3600))
        time.turn(TTL + 1)
        await stream.asked(3 + 2 * rounds)
    await asyncio.sleep(INTERVAL * 5)
    assert not serving.done()
    assert [decision.kind for decision in stream.decisions] == [None]
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


@both_formats
@both_kinds
async def test_an_issuer_that_is_away_at_two_judgements_in_a_row_ends_the_stream(
    time: TurnableClock, kind: str, token_format: str
) -> None:
    """T32: a revoked token does not live on for the length of an outage; DESIGN §2: it is told as no fault of his."""
    stream, serving = await opened(time, kind, token_format)
    stream.endpoint.fail(status(500))
    time.turn(TTL + 1)
    assert await stream.next() == LATER[kind]
    await serving
    assert len(stream.endpoint.questions) == 3
    assert [decision.kind for decision in stream.decisions] == [None, Kind.ISSUER_UNAVAILABLE]


@both_kinds
async def test_a_token_that_was_revoked_during_an_outage_ends_with_it(time: TurnableClock, kind: str) -> None:
    """T32: the judgement after the forgiven one is a whole one."""
    stream, serving = await opened(time, kind)
    fails_once_and_then(stream.endpoint, lambda question: active(time, active=False))
    time.turn(TTL + 1)
    assert await stream.next() == CLOSED[kind]
    await serving
    assert [decision.kind for decision in stream.decisions] == [None, Kind.REVOKED]


@both_kinds
async def test_a_token_that_expires_during_an_outage_has_expired(time: TurnableClock, kind: str) -> None:
    """T32: to come again with the same token would help nobody, so that is what the stream ends with."""
    stream, serving = await opened(time, kind, exp=time.wall + TTL)
    stream.endpoint.fail(status(500))
    time.turn(2 * TTL + 1)
    assert await stream.next() == CLOSED[kind]
    await serving
    assert [decision.kind for decision in stream.decisions] == [None, Kind.EXPIRED]


@both_kinds
async def test_what_needs_no_issuer_is_judged_during_an_outage(time: TurnableClock, kind: str) -> None:
    """T32: requirements are held against the token as it was last vouched for."""
    stream, serving = await opened(time, kind)
    stream.endpoint.fail(status(500))
    stream.may_be_open = False
    time.turn(TTL + 1)
    assert await stream.next() == CLOSED[kind]
    await serving
    assert [decision.kind for decision in stream.decisions] == [None, Kind.POLICY]
