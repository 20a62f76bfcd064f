"""Decides before the first byte of the body is read. Pure ASGI: knows no framework.

Routing happens before anybody calls ``receive``, so by then the matched route and its requirements are known; the gate
stands in front of ``receive``, decides there, and raises the refusal through it. It also sees the lifespan, so the keys
are refreshed without the application's doing anything.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, Protocol

from resource_server import exchange
from resource_server.answering import refuse
from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send
from resource_server.challenge import Answer
from resource_server.configuration_error import ConfigurationError
from resource_server.cors import answer_preflight, is_preflight
from resource_server.exchange import HttpExchange, Limits, WebSocketExchange
from resource_server.public import PublicPaths, path_below
from resource_server.stream import INTERVAL

NOTHING: Final = PublicPaths()


class Passage(exchange.Passage, Protocol):
    """What the gate asks of a resource server, for one request."""

    @property
    def unrouted(self) -> bool:
        """Whether anything is to be decided before routing."""
        ...

    def decide_unrouted(self) -> Awaitable[None] | None:
        """Decide before routing; a refusal sets ``answer``. Gives what has to be awaited for it."""
        ...

    @property
    def answer(self) -> Answer | None:
        """The refusal's answer, once there is one."""
        ...

    def close(self) -> None:
        """The request is over."""
        ...


class Protected(Protocol):
    """The resource server behind a gate."""

    def passage(self, scope: Scope, *, everything: bool, exempt: PublicPaths | None) -> Passage:
        """The passage of one request; with ``everything`` it needs a token whatever its route requires.

        ``exempt`` are the paths that need none, where its path is one of them and all others do.
        """
        ...

    def check(self, app: Any) -> None:
        """Check an application whose routes are all there. Raises :class:`ConfigurationError`."""
        ...

    async def run(self) -> None:
        """Keep the keys fresh until cancelled."""
        ...


class Gate:
    """ASGI middleware in front of a protected application.

    ``interval`` is the number of seconds after which an open stream is judged again; with
    ``everything`` all paths need a token but those in ``public``, otherwise the routes alone require one. ``max_body``
    is the number of bytes that a body may have, once its sender is authorized.
    """

    def __init__(
        self,
        app: AsgiApp,
        server: Protected,
        interval: float = INTERVAL,
        *,
        everything: bool = False,
        public: PublicPaths = NOTHING,
        max_body: int | None = None,
    ) -> None:
        self._app = app
        self._server = server
        self._everything = everything
        self._public = public
        self._limits = Limits(interval, max_body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request, a handshake or the lifespan on."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._live(scope, receive, send)
            return
        everything, exempt = self._everything, None
        if everything and self._public.contains(path_below(scope.get("root_path", ""), scope["path"])):
            everything, exempt = False, self._public
        if everything and is_preflight(scope):
            await answer_preflight(send, None)
            return
        passage = self._server.passage(scope, everything=everything, exempt=exempt)
        refused: Answer | None = None
        if passage.unrouted:
            waiting = passage.decide_unrouted()
            if waiting is not None:
                await waiting
            refused = passage.answer
        passing = (HttpExchange if kind == "http" else WebSocketExchange)(passage, scope, receive, send, self._limits)
        try:
            if refused is None:
                await self._app(scope, passing.receive, passing.send)
            else:
                await refuse(scope, receive, send, refused)
        except BaseException as error:
            if not passing.has_caused(error):
                raise
        finally:
            ending = passing.finish()
            if ending is not None:
                await ending
            passage.end()
            passage.close()

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the application once it has started, and refresh the keys until it ends.

        One that fails the check is ended by its own means before the server hears of the failure.
        """
        task: asyncio.Task[None] | None = None
        fault: ConfigurationError | None = None

        async def receive_or_end() -> Message:
            return {"type": "lifespan.shutdown"} if fault is not None else await receive()

        async def send_and_start(message: Message) -> None:
            nonlocal task, fault
            if message["type"] == "lifespan.startup.complete":
                try:
                    self._server.check(scope.get("app"))
                except ConfigurationError as found:
                    fault = found
                else:
                    task = asyncio.get_running_loop().create_task(self._server.run())
            if fault is None:
                await send(message)

        try:
            await self._app(scope, receive_or_end, send_and_start)
        except Exception:
            if fault is None:
                raise  # or else the fault is what counts: a server takes a lifespan that just raises for none at all
        finally:
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        if fault is not None:
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
            raise fault
