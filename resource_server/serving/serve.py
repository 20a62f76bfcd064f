"""Runs one or several applications under uvicorn until a signal ends it."""

import asyncio
import contextlib
import importlib.util
import logging
import logging.config
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn

from resource_server.asgi import AsgiApp
from resource_server.configuration_error import ConfigurationError
from resource_server.serving.access_log import AccessLog

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {"resource_server": {"level": "INFO"}, "uvicorn": {"level": "ERROR"}},
}


@dataclass(frozen=True, slots=True)
class Site:
    """An application and the socket it is served on."""

    app: AsgiApp
    socket: socket.socket


def bind(host: str, port: int) -> socket.socket:
    """Take an address. Raises :class:`ConfigurationError` where it can't be had."""
    with contextlib.ExitStack() as on_failure:
        try:
            family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            bound = on_failure.enter_context(socket.socket(family, kind, proto))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError as error:
            raise ConfigurationError(
                "--port", f"{port} on {host} can't be had ({error.strerror}): choose another one"
            ) from None
        on_failure.pop_all()
    return bound


def run(sites: list[Site], *, ready: Callable[[], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` is called once all sites answer."""
    logging.config.dictConfig(LOGGING)
    factory = None
    if importlib.util.find_spec("uvloop"):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(sites, ready))


class _Server(uvicorn.Server):
    """Leaves the signals to us: two servers share this process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(sites: list[Site], ready: Callable[[], None] | None) -> None:
    servers = [_Server(_config(site.app)) for site in sites]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop)
    async with asyncio.TaskGroup() as group:
        for server, site in zip(servers, sites, strict=True):
            group.create_task(server.serve([site.socket]))
        while not all(  # noqa: ASYNC110 - uvicorn has no event for this
            server.started or server.should_exit for server in servers
        ):
            await asyncio.sleep(0.01)
        if ready is not None:
            ready()


def _config(app: AsgiApp) -> uvicorn.Config:
    http: Any = "h11"  # bounds the head by itself
    if importlib.util.find_spec("httptools"):
        from resource_server.serving.bounded_http import BoundedHttpProtocol

        http = BoundedHttpProtocol
    ws: Any = "none"
    if importlib.util.find_spec("websockets"):
        from resource_server.serving.websockets import WebSocketProtocol

        ws = WebSocketProtocol
    return uvicorn.Config(
        AccessLog(app),
        http=http,
        ws=ws,
        h11_max_incomplete_event_size=64 * 1024,
        log_config=None,
        access_log=False,  # it would print query strings
        proxy_headers=False,  # it would believe every local process
        server_header=False,
        timeout_graceful_shutdown=5,
    )
