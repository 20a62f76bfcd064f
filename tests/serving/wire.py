"""The HTTP protocol of ``serve`` without a socket: bytes in, bytes out, and a clock that a test turns."""

import asyncio
from collections.abc import Callable
from typing import Any

import uvicorn

from resource_server.asgi import AsgiApp
from resource_server.serving.bounded_http import BoundedHttpProtocol
from resource_server.serving.websockets import WebSocketProtocol


class Wire(asyncio.Transport):
    """The server's end of a connection, which keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False
        self.protocol: Any = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"sockname": ("127.0.0.1", 8000), "peername": ("127.0.0.1", 50000)}.get(name, default)

    def write(self, data: Any) -> None:
        if not self.closed:
            self.sent += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_protocol(self) -> Any:
        return self.protocol

    def pause_reading(self) -> None:
        """The test feeds the protocol by hand."""

    def resume_reading(self) -> None:
        """The test feeds the protocol by hand."""


class Call:
    """A call that is due in the future."""

    def __init__(self, due: float, callback: Callable[[], object]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class TurnableLoop:
    """The running loop, but for its clock: calls that are due later are made when a test turns it."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._now = 0.0

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Call:
        call = Call(self._now + seconds, callback)
        self._calls.append(call)
        return call

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        for call in [call for call in self._calls if call.due <= self._now and not call.cancelled]:
            self._calls.remove(call)
            call.callback()

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio.get_running_loop(), name)


class Connection:
    """One connection to an application."""

    def __init__(self, app: AsgiApp) -> None:
        config = uvicorn.Config(app, ws=WebSocketProtocol, log_config=None, server_header=False, date_header=False)
        config.load()
        state = uvicorn.Server(config).server_state
        self.loop = TurnableLoop()
        self.wire = Wire()
        loop: Any = self.loop
        self.wire.protocol = BoundedHttpProtocol(config=config, server_state=state, app_state={}, _loop=loop)
        self.wire.protocol.connection_made(self.wire)

    async def send(self, data: bytes) -> bytes:
        """Let the server read, and its applications come to rest; what it has sent since the last time."""
        self.wire.protocol.data_received(data)
        for _ in range(10):
            await asyncio.sleep(0)
        sent, self.wire.sent = self.wire.sent, b""
        return sent

    def lose(self) -> None:
        """The client has gone."""
        self.wire.protocol.connection_lost(None)
