"""Decides before the first byte of the body is read. Pure ASGI: knows no framework.

Routing happens before anybody calls ``receive``, so by then the matched route and its requirements are known; the gate
stands in front of ``receive``, decides there, and raises the refusal through it. It also sees the lifespan, so the keys
are refreshed without the application's doing anything.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, Protocol

from resource_server.answering import POLICY_VIOLATION, TRY_AGAIN_LATER, Answered, complete, refuse
from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send
from resource_server.configuration_error import ConfigurationError
from resource_server.cors import answer_preflight, is_preflight
from resource_server.public import PublicPaths, path_below
from resource_server.stream import INTERVAL, Judgement, Rejudged, Watch

NOTHING: Final = PublicPaths()

_LAST: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}
_ENDS: Final = {Judgement.REFUSED: _LAST, Judgement.UNDECIDED: _LAST}
_CLOSES: Final[dict[Judgement, Message]] = {
    Judgement.REFUSED: {"type": "websocket.close", "code": POLICY_VIOLATION},
    Judgement.UNDECIDED: {"type": "websocket.close", "code": TRY_AGAIN_LATER},
}


class Passage(Answered, Rejudged, Protocol):
    """What the gate asks of a resource server, for one request."""

    @property
    def current(self) -> "Passage":
        """The passage that stands for the request by now: middleware may have put other credentials into it."""
        ...

    @property
    def unrouted(self) -> bool:
        """Whether anything is to be decided before routing."""
        ...

    async def decide_unrouted(self) -> None:
        """Decide before routing; a refusal sets ``answer``."""
        ...

    async def decide_routed(self) -> bool:
        """Decide for the matched route; raises the refusal. False where no route has been matched yet."""
        ...

    def refuse_content(self) -> Exception:
        """What to raise where the body of an authorized request is too large."""
        ...

    def end(self) -> None:
        """The answer begins: tell the observers, once."""
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
        self._interval = interval
        self._everything = everything
        self._public = public
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request, a handshake or the lifespan on."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        everything, exempt = self._everything, None
        if everything and self._public.contains(path_below(scope.get("root_path", ""), scope["path"])):
            everything, exempt = False, self._public
        if everything and is_preflight(scope):
            await answer_preflight(send, None)
            return
        passage = self._server.passage(scope, everything=everything, exempt=exempt)
        if passage.unrouted:
            await passage.decide_unrouted()
        try:
            if passage.answer is not None:
                await refuse(scope, receive, send, passage.answer)
            elif scope["type"] == "http":
                await self._pass_http(passage, scope, receive, send)
            else:
                await self._pass_websocket(passage, scope, receive, send)
        finally:
            passage.end()
            passage.close()

    async def _pass_http(self, passage: Passage, scope: Scope, receive: Receive, send: Send) -> None:
        decided = body_read = False
        size = 0
        watch: Watch | None = None
        served_by = asyncio.current_task()

        async def receive_when_decided() -> Message:
            nonlocal decided, body_read, size
            if not decided:
                decided = await passage.decide_routed()
            if self._max_body is not None and _announced(scope) > self._max_body:
                raise passage.current.refuse_content()
            body_read = True
            message = await receive()
            size += len(message.get("body", b""))
            if self._max_body is not None and size > self._max_body:
                body_read = False  # not to its end
                raise passage.current.refuse_content()
            return message

        def send_with_headers(message: Message) -> Awaitable[None]:
            """Not a coroutine: what there is to do is done at once, and every message of every answer passes here."""
            nonlocal watch
            if watch is not None:
                watch.admit()
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    watch.stop()
            elif message["type"] == "http.response.start":
                passage.end()
                current = passage.current
                names = complete(message, current, scope, body_read=body_read)
                if current.authenticated and b"content-length" not in names:  # what has a length is no stream
                    watch = Watch(current, send, _ENDS, interval=self._interval, served_by=served_by)
                    watch.start()
            return send(message)

        try:
            await self._app(scope, receive_when_decided, send_with_headers)
        except BaseException as error:
            if watch is None or not watch.has_caused(error):
                raise
        finally:
            if watch is not None:
                await watch.finish()

    async def _pass_websocket(self, passage: Passage, scope: Scope, receive: Receive, send: Send) -> None:
        watch: Watch | None = None
        served_by = asyncio.current_task()

        async def receive_watched() -> Message:
            message = await receive()
            if watch is not None and message["type"] == "websocket.disconnect":
                watch.stop()
            return message

        async def send_watched(message: Message) -> None:
            nonlocal watch
            if watch is not None:
                watch.admit()
                if message["type"] == "websocket.close":
                    watch.stop()
            await send(message)
            if message["type"] == "websocket.accept":
                passage.end()
                current = passage.current
                if current.authenticated:
                    watch = Watch(current, send, _CLOSES, interval=self._interval, served_by=served_by)
                    watch.start()

        try:
            await self._app(scope, receive_watched, send_watched)
        except BaseException as error:
            if watch is None or not watch.has_caused(error):
                raise
        finally:
            if watch is not None:
                await watch.finish()

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


def _announced(scope: Scope) -> int:
    """The length of the body that a request announces; 0 where it does not say."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(length) if length.isdigit() else 0
