"""WebSocket routes: refused at the handshake, told when it is over."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Security, WebSocket
from starlette.testclient import TestClient, WebSocketDenialResponse

from resource_server import AccessToken, Decision, Kind, ResourceServer, owner
from resource_server.testing import FakeIssuer
from tests.calls import DENIED, LACKS_SCOPE, MISSING, Exchange, bearer
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import installed

Build = Callable[[ResourceServer], FastAPI]


async def greet(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


def direct(api: ResourceServer) -> FastAPI:
    app = installed(api)

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, token: Annotated[AccessToken, api.requires("chat")]) -> None:
        await greet(websocket)

    return app


def security(api: ResourceServer) -> FastAPI:
    app = installed(api)

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, token: Annotated[AccessToken, Security(api, scopes=["chat"])]) -> None:
        await greet(websocket)

    return app


def of_the_inclusion(api: ResourceServer) -> FastAPI:
    app, router = installed(api), APIRouter()
    router.websocket("/socket")(greet)
    app.include_router(router, dependencies=[api.requires("chat")])
    return app


def mounted(api: ResourceServer) -> FastAPI:
    app, below = FastAPI(), FastAPI()
    below.websocket("/socket", dependencies=[api.requires("chat")])(greet)
    app.mount("", below)
    api.install(app)
    return app


def protected_in_whole(api: ResourceServer) -> FastAPI:
    app = FastAPI()
    api.install(app, protect="all")
    app.websocket("/socket", dependencies=[api.requires("chat")])(greet)
    return app


WAYS: list[Build] = [direct, security, of_the_inclusion, mounted, protected_in_whole]
ways = pytest.mark.parametrize("build", WAYS)


def deny(app: FastAPI, token: str | None = None) -> Any:
    client = TestClient(app)
    with pytest.raises(WebSocketDenialResponse) as denial, client.websocket_connect("/socket", headers=fields(token)):
        pytest.fail("the handshake was accepted")
    return denial.value


def fields(token: str | None) -> dict[str, str]:
    return bearer(token) if token else {}


@ways
def test_a_handshake_without_a_token_is_denied_with_the_route_s_scopes(api: ResourceServer, build: Build) -> None:
    """Ruling 34: checked at the handshake (HTTP 401)."""
    denial = deny(build(api))
    assert (denial.status_code, denial.content) == (401, MISSING)
    assert denial.headers["www-authenticate"] == 'Bearer realm="api", scope="chat"'
    assert denial.headers["cache-control"] == "no-store"


@ways
def test_a_handshake_without_the_scope_is_denied(api: ResourceServer, issuer: FakeIssuer, build: Build) -> None:
    """Ruling 34, D21."""
    denial = deny(build(api), issuer.token())
    assert denial.status_code == 403
    assert denial.headers["www-authenticate"] == f'Bearer realm="api", {LACKS_SCOPE}, scope="chat"'


@ways
def test_a_handshake_with_a_good_token_is_accepted(api: ResourceServer, issuer: FakeIssuer, build: Build) -> None:
    """DESIGN §3: it works with WebSockets."""
    client = TestClient(build(api))
    with client.websocket_connect("/socket", headers=bearer(issuer.token(scope="chat"))) as socket:
        assert socket.receive_text() == "hello"


def test_a_denied_role_gets_no_challenge(api: ResourceServer, issuer: FakeIssuer) -> None:
    """D23 at a handshake."""
    app = installed(api)
    app.websocket("/{user}/socket", dependencies=[api.requires(owner("user"))])(greet)
    client = TestClient(app)
    with (
        pytest.raises(WebSocketDenialResponse) as denial,
        client.websocket_connect("/bob/socket", headers=bearer(issuer.token())),
    ):
        pytest.fail("the handshake was accepted")
    assert (denial.value.status_code, denial.value.content) == (403, DENIED)
    assert "www-authenticate" not in denial.value.headers
    with client.websocket_connect("/alice/socket", headers=bearer(issuer.token())) as socket:
        assert socket.receive_text() == "hello"


@pytest.mark.parametrize("build", [direct, protected_in_whole])
async def test_a_server_that_can_t_deliver_a_denial_closes_the_handshake(api: ResourceServer, build: Build) -> None:
    """ASGI: websocket.http.response is an extension; without it a close before the accept is an HTTP 403."""
    exchange = await Exchange(build(api), "GET", "/socket", type="websocket", scheme="ws", extensions={}).run()
    assert [(message["type"], message["code"]) for message in exchange.sent] == [("websocket.close", 1008)]


@ways
def test_observers_are_told_once_of_a_handshake(make_api: MakeApi, issuer: FakeIssuer, build: Build) -> None:
    """Told once a request; a refusal in the gate or in the dependency alike."""
    decisions: list[Decision] = []
    app = build(make_api(observers=[decisions.append]))
    deny(app)
    deny(app, issuer.token())
    with TestClient(app).websocket_connect("/socket", headers=bearer(issuer.token(scope="chat"))) as socket:
        socket.receive_text()
    assert [(decision.kind, decision.route) for decision in decisions] == [
        (Kind.NO_CREDENTIALS, "/socket"),
        (Kind.INSUFFICIENT_SCOPE, "/socket"),
        (None, "/socket"),
    ]


def test_a_token_in_the_query_of_a_handshake_is_ignored(api: ResourceServer, issuer: FakeIssuer) -> None:
    """Ruling 35, D30: no query tokens, browsers or not."""
    client = TestClient(direct(api))
    path = f"/socket?access_token={issuer.token(scope='chat')}"
    with pytest.raises(WebSocketDenialResponse) as denial, client.websocket_connect(path):
        pytest.fail("the handshake was accepted")
    assert (denial.value.status_code, denial.value.content) == (401, MISSING)


def test_an_open_socket_needs_nothing(api: ResourceServer) -> None:
    """DESIGN §4: with protect='routes' only what requires is protected."""
    app = installed(api)
    app.websocket("/socket")(greet)
    with TestClient(app).websocket_connect("/socket") as socket:
        assert socket.receive_text() == "hello"
