"""A resource server that is not ours, and an application that is not FastAPI's: what the gate is tested between."""

import asyncio
from typing import Any

from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send
from resource_server.challenge import Answer
from resource_server.gate import Gate
from resource_server.public import PublicPaths
from resource_server.stream import Judgement
from tests.calls import Exchange

ANSWER = Answer(
    401,
    (
        ("www-authenticate", 'Bearer realm="api"'),
        ("www-authenticate", 'DPoP realm="api", algs="ES256"'),
        ("cache-control", "no-store"),
        ("content-type", "application/json"),
    ),
    {"status": 401},
)


class DeniedError(Exception):
    """What the protected application turns into an answer of its own."""


class Passage:
    """A passage that does as it is told, and takes notes."""

    def __init__(self, *, refuses: bool = False, unrouted: bool = False, authenticates: bool = True) -> None:
        self.refuses = refuses
        self.unrouted = unrouted
        self.authenticates = authenticates
        self.answer: Answer | None = None
        self.authenticated = False
        self.notes: list[str] = []
        self.routed = True
        self.bare_challenge = 'Bearer realm="fake"'

    @property
    def current(self) -> "Passage":
        return self

    @property
    def has_refused(self) -> bool:
        return self.answer is not None

    async def decide_unrouted(self) -> None:
        self.notes.append("unrouted")
        self._decide()

    async def decide_routed(self) -> bool:
        self.notes.append("routed" if self.routed else "not yet")
        if self.routed:
            self._decide()
            if self.answer is not None:
                raise DeniedError
        return self.routed

    def _decide(self) -> None:
        self.answer = ANSWER if self.refuses else None
        self.authenticated = self.authenticates and not self.refuses

    def refuse_content(self) -> Exception:
        return DeniedError()

    def end(self) -> None:
        self.notes.append("end")

    def close(self) -> None:
        assert self.notes[-1] == "end"

    def seconds_left(self) -> float:
        return 1000.0

    async def judge_again(self) -> Judgement:
        return Judgement.GRANTED


class Server:
    def __init__(self, passage: Passage) -> None:
        self.served = passage
        self.everything: list[bool] = []
        self.running = 0

    def passage(self, scope: Scope, *, everything: bool, exempt: PublicPaths | None) -> Passage:
        self.everything.append(everything)
        return self.served

    def check(self, app: Any) -> None:
        """Find nothing."""

    async def run(self) -> None:
        self.running += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1


def application(
    status: int = 200, headers: list[tuple[bytes, bytes]] | None = None, *, reads: int = 1, denied: int = 401
) -> AsgiApp:
    """Read so many messages, then answer; answer what is raised there by a status alone."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answered = status
        try:
            for _ in range(reads):
                await receive()
        except DeniedError:
            answered = denied
        start: Message = {"type": "http.response.start", "status": answered}
        if headers is not None:
            start["headers"] = headers
        await send(start)
        await send({"type": "http.response.body", "body": b"x"})

    return app


async def exchange(gate: Gate, method: str = "POST", body: bytes = b"abc", **options: Any) -> Exchange:
    return await Exchange(gate, method, "/path", body=body, **options).run()
