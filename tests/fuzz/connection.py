"""A whole connection to the bundled API as ``serve`` runs it: no bytes without a token get anything but refusals."""

import asyncio
import re
from typing import Any

import uvicorn

from resource_server import ResourceServer
from resource_server.demo.api import create_api
from resource_server.serving.access_log import AccessLog
from resource_server.serving.bounded_http import BoundedHttpProtocol
from resource_server.serving.websockets import WebSocketProtocol
from resource_server.testing import FakeIssuer
from tests.fuzz.target import demand
from tests.serving.wire import Wire

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
EXPECTED = {b"200", b"204", b"400", b"401", b"403", b"404", b"405", b"413", b"431"}
PUBLIC = (b'{"status":"ok"}', b'{"status":"ready"}')
DATA = (b"lamp", b"display_name", b"orders_today", b"theme", b"client_id")
WORDS = (
    b"GET /orders HTTP/1.1\r\n", b"POST ", b"HEAD ", b"OPTIONS * ", b"PUT /api/v1/users/alice/profile HTTP/1.1\r\n",
    b"/healthz", b"/readyz", b"//orders", b"/orders/", b"/%2e%2e/", b"/../", b";x", b"%00", b"http://x/orders", b"#",
    b"\r\n\r\n", b"\r\n", b"\n", b"\r\n ", b"Host: x\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n",
    b"0\r\n\r\n", b"5\r\nhello\r\n", b"Connection: keep-alive\r\n", b"Connection: Upgrade\r\n",
    b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\n",
    b"Sec-WebSocket-Version: 13\r\n", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    b"Authorization: Bearer ", b"Authorization: bearer x.y.z\r\n", b"?access_token=x", b"Origin: x\r\n",
    b"HTTP/1.0\r\n", b"Access-Control-Request-Method: GET\r\n", b"X-HTTP-Method-Override: GET\r\n",
    b"X-Original-URL: /healthz\r\n",
    b"Accept: application/problem+json\r\n", b"Sec-WebSocket-Protocol: a, b\r\n", b"X-Forwarded-For: 127.0.0.1\r\n",
)  # fmt: skip


class _Wire(Wire):
    def __init__(self) -> None:
        super().__init__()
        self.protocol: Any = None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


def _configure() -> uvicorn.Config:
    issuer = FakeIssuer()
    server = ResourceServer(issuer.url, audience=issuer.audience, fetch=issuer.fetch)
    _RUNNER.run(server.issuers.refresh())
    config = uvicorn.Config(
        AccessLog(create_api(server)), http=BoundedHttpProtocol, ws=WebSocketProtocol, log_config=None,
        access_log=False, server_header=False, date_header=False, proxy_headers=False,
    )  # fmt: skip
    config.load()
    return config


_RUNNER = asyncio.Runner()
_CONFIG = _configure()
_STATE = uvicorn.Server(_CONFIG).server_state


def check_connection(data: bytes) -> None:
    """Bytes of a connection; ``\\xfe\\xfe`` divides what arrives at once from what arrives later."""
    sent = _RUNNER.run(_converse(data))
    statuses = STATUS.findall(sent)
    demand(set(statuses) <= EXPECTED, f"answered {statuses}")
    demand(not any(word in sent for word in DATA), "data without a token")
    demand(statuses.count(b"200") <= sum(sent.count(body) for body in PUBLIC) + data.count(b"HEAD"), "200")


async def _converse(data: bytes) -> bytes:
    wire = _Wire()
    protocol = BoundedHttpProtocol(config=_CONFIG, server_state=_STATE, app_state={})
    wire.protocol = protocol
    protocol.connection_made(wire)
    for piece in data.split(b"\xfe\xfe"):
        if wire.closed:
            break
        wire.protocol.data_received(piece)
        for _ in range(200):
            await asyncio.sleep(0)
            if not _STATE.tasks:
                break
    wire.protocol.connection_lost(None)
    if wire.protocol is not protocol:
        protocol.connection_lost(None)
    for _ in range(200):
        await asyncio.sleep(0)
        if not _STATE.tasks:
            break
    demand(not _STATE.tasks, "a request never ends")
    return wire.sent
