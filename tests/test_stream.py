"""A WebSocket or an event stream does not outlive the token that opened it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, WebSocket
from starlette.responses import StreamingResponse

from resource_server import AccessToken, Decision, Kind, ResourceServer, acr
from resource_server.development.minting import SigningKey
from resource_server.gate import Gate
from resource_server.testing import FakeIssuer
from tests.turnable_clock import TurnableClock

Spoil = Callable[[FakeIssuer, TurnableClock, ResourceServer], Any]


async def let_it_expire(issuer: FakeIssuer, time: TurnableClock, api: ResourceServer) -> None:
    time.turn(1000)


async def withdraw_its_key(issuer: FakeIssuer, time: TurnableClock, api: ResourceServer) -> None:
    issuer.mint.keys[:] = [SigningKey.generate("ES256")]
    await api.issuers.refresh()
    await api.issuers.refresh()


async def let_the_login_age(issuer: FakeIssuer, time: TurnableClock, api: ResourceServer) -> None:
    time.turn(200)


SPOILERS = [
    pytest.param(let_it_expire, Kind.EXPIRED, id="expired"),
    pytest.param(withdraw_its_key, Kind.UNKNOWN_KEY, id="key-withdrawn"),
    pytest.param(let_the_login_age, Kind.INSUFFICIENT_AUTHENTICATION, id="login-too-old"),
]


class Connection:
    """The server's side of one ASGI connection."""

    def __init__(
        self, issuer: FakeIssuer, time: TurnableClock, kind: str, observer: Callable[[Decision], None] | None = None
    ) -> None:
        self.decisions: list[Decision] = []
        self.api = ResourceServer(
            issuer.url,
            audience=issuer.audience,
            fetch=issuer.fetch,
            clock=time.clock,
            observers=[observer or self.decisions.append],
        )
        token = issuer.token(scope="feed", auth_time=int(time.wall), acr="gold")
        self.scope: dict[str, Any] = {
            "type": kind,
            "path": "/feed",
            "method": "GET",
            "query_string": b"",
            "headers": [(b"authorization", f"Bearer {token}".encode())],
            "extensions": {"websocket.http.response": {}},
        }
        self.sent: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(self) -> Any:
        if self.scope["type"] == "websocket" and self.sent.empty():
            return {"type": "websocket.connect"}
        return await asyncio.Event().wait()

    def app(self) -> Gate:
        app = FastAPI()
        api = self.api

        @app.get("/feed", dependencies=[api.requires("feed", acr(max_age=100))])
        async def stream() -> StreamingResponse:
            return StreamingResponse(pieces())

        @app.websocket("/feed")
        async def socket(
            websocket: WebSocket, token: Annotated[AccessToken, api.requires("feed", acr(max_age=100))]
        ) -> None:
            await websocket.accept()
            await asyncio.Event().wait()

        @app.websocket("/open")
        async def open_socket(websocket: WebSocket) -> None:
            await websocket.accept()
            await asyncio.sleep(0.05)
            await websocket.close(1000)

        return Gate(app, api, interval=0.01)

    async def serve(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self.app()(self.scope, self.receive, self.sent.put))

    async def next(self) -> Any:
        async with asyncio.timeout(5):
            return await self.sent.get()


async def pieces() -> AsyncIterator[bytes]:
    yield b"first"
    await asyncio.Event().wait()


@pytest.mark.parametrize(("spoil", "kind"), SPOILERS)
async def test_an_event_stream_ends_when_its_token_would_be_refused(
    issuer: FakeIssuer, time: TurnableClock, spoil: Spoil, kind: Kind
) -> None:
    """T32: expiry, key generation and max_age are judged again."""
    connection = Connection(issuer, time, "http")
    serving = await connection.serve()
    assert (await connection.next())["status"] == 200
    assert (await connection.next())["body"] == b"first"
    await asyncio.sleep(0.05)
    assert not serving.done()
    await spoil(issuer, time, connection.api)
    assert await connection.next() == {"type": "http.response.body", "body": b"", "more_body": False}
    await serving
    assert [decision.kind for decision in connection.decisions] == [None, kind]


class Refusals:
    """Who wants to hear of refusals alone, as those who write them down."""

    refusals_only = True

    def __init__(self) -> None:
        self.heard: list[Decision] = []

    def __call__(self, decision: Decision) -> None:
        self.heard.append(decision)


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_who_hears_of_refusals_alone_hears_once_of_a_stream_s(
    issuer: FakeIssuer, time: TurnableClock, kind: str
) -> None:
    """T35: it was told twice, and for as long as the stream had been open: the decision took no time at all."""
    refusals = Refusals()
    connection = Connection(issuer, time, kind, refusals)
    serving = await connection.serve()
    await connection.next()
    time.turn(1000)
    await serving
    assert [(one.kind, one.route, one.duration) for one in refusals.heard] == [(Kind.EXPIRED, "/feed", 0.0)]


@pytest.mark.parametrize(("spoil", "kind"), SPOILERS)
async def test_a_websocket_is_closed_when_its_token_would_be_refused(
    issuer: FakeIssuer, time: TurnableClock, spoil: Spoil, kind: Kind
) -> None:
    """T32: closed with 1008."""
    connection = Connection(issuer, time, "websocket")
    serving = await connection.serve()
    assert (await connection.next())["type"] == "websocket.accept"
    await asyncio.sleep(0.05)
    assert not serving.done()
    await spoil(issuer, time, connection.api)
    assert await connection.next() == {"type": "websocket.close", "code": 1008}
    await serving
    assert [decision.kind for decision in connection.decisions] == [None, kind]


async def test_a_websocket_without_a_good_token_is_refused_at_the_handshake(
    issuer: FakeIssuer, time: TurnableClock
) -> None:
    """Ruling 34: HTTP 401 with the challenge, before anything is accepted."""
    connection = Connection(issuer, time, "websocket")
    connection.scope["headers"] = []
    await connection.app()(connection.scope, connection.receive, connection.sent.put)
    start = await connection.next()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert dict(start["headers"])[b"www-authenticate"] == b'Bearer realm="api", scope="feed"'
    assert [decision.kind for decision in connection.decisions] == [Kind.NO_CREDENTIALS]


async def test_a_cancellation_from_outside_is_passed_on(issuer: FakeIssuer, time: TurnableClock) -> None:
    """A server that shuts down cancels the stream itself; that is no refusal."""
    connection = Connection(issuer, time, "http")
    serving = await connection.serve()
    await connection.next()
    await connection.next()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert connection.sent.empty()


async def test_an_open_route_s_websocket_is_not_watched(issuer: FakeIssuer, time: TurnableClock) -> None:
    """Nothing was required, so nothing can be refused later."""
    connection = Connection(issuer, time, "websocket")
    connection.scope |= {"path": "/open", "headers": []}
    await connection.app()(connection.scope, connection.receive, connection.sent.put)
    assert [(await connection.next())["type"] for _ in range(2)] == ["websocket.accept", "websocket.close"]
    assert connection.decisions == []
