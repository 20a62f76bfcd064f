"""One request as it passes a gate: what is done to what the application receives, and to what it sends."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from resource_server.answering import POLICY_VIOLATION, TRY_AGAIN_LATER, Answered, complete
from resource_server.asgi import Message, Receive, Scope, Send
from resource_server.stream import INTERVAL, Judgement, Rejudged, Watch

_LAST: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}
_NOTHING: Final[Message] = {"type": "http.request", "body": b"", "more_body": False}
_ENDS: Final = {Judgement.REFUSED: _LAST, Judgement.UNDECIDED: _LAST}
_CLOSES: Final[Mapping[Judgement, Message]] = {
    Judgement.REFUSED: {"type": "websocket.close", "code": POLICY_VIOLATION},
    Judgement.UNDECIDED: {"type": "websocket.close", "code": TRY_AGAIN_LATER},
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a gate bounds."""

    interval: float = INTERVAL
    """Seconds after which an open stream is judged again."""
    max_body: int | None = None
    """Bytes that a body may have, once its sender is authorized."""


class Judged(Answered, Rejudged, Protocol):
    """What has been decided about a request by now."""


class Passage(Protocol):
    """What is asked of a resource server for one request, once it has come past the gate."""

    @property
    def current(self) -> Judged:
        """The decision that stands for the request by now: middleware may have put other credentials into it."""
        ...

    @property
    def has_refused(self) -> bool:
        """Whether all that is left is to answer a refusal; what is hidden is none, as far as anybody may see."""
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


class Exchange:
    """What HTTP and WebSockets have in common: once its stream is open, it is judged again and again."""

    _watch: Watch | None = None

    def __init__(self, passage: Passage, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self._passage = passage
        self._scope = scope
        self._receive = receive
        self._send = send
        self._limits = limits
        self._served_by = asyncio.current_task()

    def _begin_watch(self, judged: Judged, closing: Mapping[Judgement, Message]) -> None:
        interval = self._limits.interval
        self._watch = Watch(judged, self._send, closing, interval=interval, served_by=self._served_by)
        self._watch.start()

    def has_caused(self, error: BaseException) -> bool:
        """Whether what the application ended with is the end of its stream, which came from here, and nothing else."""
        return self._watch is not None and self._watch.has_caused(error)

    def finish(self) -> Awaitable[None] | None:
        """The application has served the request: what is to be awaited before it is over."""
        return None if self._watch is None else self._watch.finish()


class HttpExchange(Exchange):
    """Decides before the first byte of the body is read, and completes the answer's header fields."""

    _decided = _body_read = _has_all = _is_too_large = False
    _size = 0
    _refusal_sent: asyncio.Event | None = None

    async def receive(self) -> Message:
        """What the application receives."""
        if self._is_too_large or self._passage.has_refused:
            return await self._receive_nothing()
        if not self._decided:
            self._decided = await self._passage.decide_routed()
        max_body = self._limits.max_body
        if max_body is not None and _announced(self._scope) > max_body:
            self._is_too_large = True
            raise self._passage.refuse_content()
        self._body_read = True
        message = await self._receive()
        self._size += len(message.get("body", b""))
        self._has_all = not message.get("more_body")
        if max_body is not None and self._size > max_body:
            self._body_read, self._is_too_large = False, True  # not read to its end
            raise self._passage.refuse_content()
        return message

    async def _receive_nothing(self) -> Message:
        """For whoever answers a refusal, and reads the body for that, or listens if the client leaves meanwhile.

        To be refused once more would cut the answer short. Nothing is read, of a body that may have no end.
        """
        if not self._has_all:
            self._has_all = True
            return dict(_NOTHING)
        if self._refusal_sent is None:
            self._refusal_sent = asyncio.Event()
        await self._refusal_sent.wait()
        return {"type": "http.disconnect"}

    def send(self, message: Message) -> Awaitable[None]:
        """What the application sends. Not a coroutine, since every message comes by, and nothing is waited for."""
        if message["type"] == "http.response.start" and self._watch is None:
            self._passage.end()
            judged = self._passage.current
            names = complete(message, judged, self._scope, body_read=self._body_read)
            if self._is_too_large or self._passage.has_refused:
                self._refusal_sent = self._refusal_sent or asyncio.Event()
            elif judged.authenticated and b"content-length" not in names:  # what has a length is no stream
                self._begin_watch(judged, _ENDS)
        elif self._watch is not None:
            self._watch.admit()
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._watch.stop()
        elif self._refusal_sent is not None and not message.get("more_body"):
            return self._send_last(message, self._refusal_sent)
        return self._send(message)

    async def _send_last(self, message: Message, sent: asyncio.Event) -> None:
        await self._send(message)
        if message["type"] == "http.response.body":
            sent.set()


class WebSocketExchange(Exchange):
    """Watches from the moment at which the application accepts."""

    async def receive(self) -> Message:
        """What the application receives."""
        message = await self._receive()
        if self._watch is not None and message["type"] == "websocket.disconnect":
            self._watch.stop()
        return message

    async def send(self, message: Message) -> None:
        """What the application sends."""
        if self._watch is not None:
            self._watch.admit()
            if message["type"] == "websocket.close":
                self._watch.stop()
        await self._send(message)
        if message["type"] == "websocket.accept":
            self._passage.end()
            judged = self._passage.current
            if judged.authenticated:
                self._begin_watch(judged, _CLOSES)


def _announced(scope: Scope) -> int:
    """The length of the body that a request announces; 0 where it does not say."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(length) if length.isdigit() else 0
