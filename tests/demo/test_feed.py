"""The bundled API's WebSocket: needs orders:read, answers each message with the number of orders."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient, WebSocketDenialResponse

from resource_server.testing import FakeIssuer
from tests.calls import LACKS_SCOPE, MISSING, bearer
from tests.demo.conftest import METADATA


def test_a_subscriber_is_answered(app: FastAPI, issuer: FakeIssuer) -> None:
    """DESIGN §6: each feature once."""
    headers = bearer(issuer.token(scope="orders:read"))
    with TestClient(app).websocket_connect("/orders/socket", headers=headers) as socket:
        for _ in range(2):
            socket.send_text("how many?")
            assert socket.receive_json() == {"orders": 1, "for": "alice"}


def test_a_binary_message_ends_the_conversation(app: FastAPI, issuer: FakeIssuer) -> None:
    """Nobody asked for one, and nothing crashes."""
    headers = bearer(issuer.token(scope="orders:read"))
    with TestClient(app).websocket_connect("/orders/socket", headers=headers) as socket:
        socket.send_bytes(b"x")


@pytest.mark.parametrize(
    ("claims", "status", "challenge"),
    [
        pytest.param(None, 401, f'Bearer realm="api", scope="orders:read", {METADATA}', id="stranger"),
        pytest.param({}, 403, f'Bearer realm="api", {LACKS_SCOPE}, scope="orders:read", {METADATA}', id="no-scope"),
    ],
)
def test_a_handshake_is_refused_like_a_request(
    app: FastAPI, issuer: FakeIssuer, claims: dict[str, str] | None, status: int, challenge: str
) -> None:
    """Ruling 34."""
    headers = {} if claims is None else bearer(issuer.token(**claims))
    with (
        pytest.raises(WebSocketDenialResponse) as denial,
        TestClient(app).websocket_connect("/orders/socket", headers=headers),
    ):
        pytest.fail("the handshake was accepted")
    assert (denial.value.status_code, denial.value.headers["www-authenticate"]) == (status, challenge)
    assert (denial.value.content == MISSING) is (claims is None)
