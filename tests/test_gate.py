"""The gate as pure ASGI, before a small application and a resource server that are neither ours nor FastAPI's."""

import asyncio
from typing import Any

import pytest

from resource_server.asgi import Receive, Scope, Send
from resource_server.gate import Gate
from resource_server.public import PublicPaths
from tests.calls import Exchange
from tests.gate_fakes import Passage, Server, application, exchange


async def test_the_decision_falls_before_the_first_byte() -> None:
    """DESIGN §3: receive decides before its first read, and is refused without one."""
    passage = Passage(refuses=True)
    answered = await exchange(Gate(application(), Server(passage)))
    assert answered.received == 0
    assert passage.notes == ["routed", "end", "end"]


async def test_the_decision_is_asked_for_once() -> None:
    """DESIGN §8: the second read costs nothing."""
    passage = Passage()
    answered = await exchange(Gate(application(reads=3), Server(passage)))
    assert answered.received == 3
    assert passage.notes.count("routed") == 1


async def test_what_is_read_before_routing_is_decided_later() -> None:
    """Middleware may read before any route is matched; then the next read asks again."""
    passage = Passage()
    passage.routed = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        passage.routed = True
        await receive()
        await receive()
        await application(reads=0)(scope, receive, send)

    await exchange(Gate(app, Server(passage)))
    assert passage.notes[:2] == ["not yet", "routed"]
    assert passage.notes.count("routed") == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_refusal_before_routing_needs_no_application(method: str) -> None:
    """DESIGN §8: everything protected in ASGI; RS-9110-9.3.2-a: HEAD has the same fields and no content."""
    calls: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append(scope)

    passage = Passage(refuses=True, unrouted=True)
    answered = await exchange(Gate(app, Server(passage)), method)
    assert (answered.status, answered.received, calls) == (401, 0, [])
    assert answered.body == (b"" if method == "HEAD" else b'{"status":401}')
    assert answered.headers == [
        ("www-authenticate", 'Bearer realm="api"'),
        ("www-authenticate", 'DPoP realm="api", algs="ES256"'),
        ("cache-control", "no-store"),
        ("content-type", "application/json"),
        ("content-length", "14"),
        ("connection", "close"),
    ]
    assert passage.notes == ["unrouted", "end"]


async def test_a_handshake_refused_before_routing_is_denied() -> None:
    """Ruling 34: the ASGI denial response, after the connect message was taken."""
    gate = Gate(application(), Server(Passage(refuses=True, unrouted=True)))
    extensions: dict[str, Any] = {"websocket.http.response": {}}
    denied = await exchange(gate, type="websocket", extensions=extensions)
    assert denied.received == 1
    assert [message["type"] for message in denied.sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert (denied.status, denied.body, denied.field("connection")) == (401, b'{"status":401}', [])


async def test_a_handshake_that_can_t_be_denied_is_closed() -> None:
    """ASGI: a server without the extension."""
    gate = Gate(application(), Server(Passage(refuses=True, unrouted=True)))
    denied = await exchange(gate, type="websocket")
    assert denied.sent == [{"type": "websocket.close", "code": 1008}]


async def test_an_application_that_fails_ends_the_passage_all_the_same() -> None:
    """Observers are told of a crashing endpoint, too."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise RuntimeError("boom")

    passage = Passage()
    with pytest.raises(RuntimeError, match="boom"):
        await exchange(Gate(app, Server(passage)))
    assert passage.notes == ["routed", "end"]


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        pytest.param("/path", "", False, id="public"),
        pytest.param("/other", "", True, id="protected"),
        pytest.param("/v1/path", "/v1", False, id="below-the-root-path"),
        pytest.param("/v1/path", "", True, id="no-root-path"),
        pytest.param("/v1path", "/v1", True, id="not-below-it"),
        pytest.param("/path", "/path", True, id="the-root-path-itself"),
    ],
)
async def test_all_paths_but_public_ones_are_protected_as_routing_sees_them(
    path: str, root_path: str, expected: bool
) -> None:
    """DESIGN §4: protect='all'."""
    server = Server(Passage())
    gate = Gate(application(), server, everything=True, public=PublicPaths(["/path"]))
    await Exchange(gate, "GET", path, root_path=root_path).run()
    assert server.everything == [expected]


async def test_public_paths_mean_nothing_where_routes_alone_require() -> None:
    """DESIGN §4: protect='routes'."""
    server = Server(Passage())
    await exchange(Gate(application(), server, public=PublicPaths(["/path"])))
    await exchange(Gate(application(), server))
    assert server.everything == [False, False]


async def test_the_lifespan_runs_the_server_from_the_start_to_the_end() -> None:
    """DESIGN §3: the gate sees the lifespan messages and runs the key refresh."""
    server = Server(Passage())
    running: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        running.append(server.running)
        await send({"type": "lifespan.startup.complete"})
        await asyncio.sleep(0)
        running.append(server.running)
        await send({"type": "lifespan.shutdown.complete"})

    before = asyncio.all_tasks()
    await exchange(Gate(app, server), type="lifespan")
    assert running == [0, 1]
    assert server.running == 0
    assert asyncio.all_tasks() == before
