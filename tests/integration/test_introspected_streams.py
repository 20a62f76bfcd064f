"""The bundled API's open streams, and a token that its issuer revokes meanwhile (threat model, T32)."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from resource_server import Decision, Kind, ResourceServer
from resource_server.demo.feed import create_feed
from resource_server.gate import Gate
from resource_server.testing import FakeIssuer
from tests.introspecting import API, URL, Endpoint, issuer, server, status
from tests.turnable_clock import TurnableClock

INTERVAL = 0.01
"""Seconds between two judgements, by the event loop's clock; what is remembered ends by the test's own."""
TTL = 30.0


class Stream:
    """The server's side of one connection to the bundled feed, where everything is protected."""

    def __init__(self, time: TurnableClock, kind: str, token_format: str) -> None:
        self.decisions: list[Decision] = []
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
        app.include_router(create_feed(self.api, []), prefix="/orders")
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


async def test_an_issuer_that_is_away_at_a_judgement_ends_the_stream(time: TurnableClock) -> None:
    """DESIGN §2: nobody vouches for the token any more; the audit says that it is not the client's fault."""
    stream = Stream(time, "websocket", "opaque")
    serving = stream.serve()
    await stream.next()
    stream.endpoint.fail(status(500))
    time.turn(TTL + 1)
    assert await stream.next() == CLOSED["websocket"]
    await serving
    assert [decision.kind for decision in stream.decisions] == [None, Kind.ISSUER_UNAVAILABLE]
