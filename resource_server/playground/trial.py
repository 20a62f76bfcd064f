"""One request to an application in process, to the answer that it would give: nothing goes over a network."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from resource_server.asgi import AsgiApp, Message

MAX_SHOWN: Final = 64 * 1024
"""Bytes of a body that are shown."""
PATIENCE: Final = 5.0
"""Seconds that an application has for its answer."""


@dataclass(slots=True)
class Trial:
    """What came back."""

    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    cut: bool = False
    """Whether there is more of the body: it is a stream, or too long to show."""

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        known = self.status in HTTPStatus._value2member_map_
        return {
            "status": self.status,
            "phrase": HTTPStatus(self.status).phrase if known else "",
            "headers": [list(pair) for pair in self.headers],
            "body": self.body.decode("utf-8", "replace"),
            "cut": self.cut,
        }


async def attempt(app: AsgiApp, method: str, path: str, headers: list[tuple[bytes, bytes]], content: bytes) -> Trial:
    """Ask, as a client on this machine; of a stream, wait for the first piece only."""
    trial = Trial()
    shown = asyncio.Event()
    received = False

    async def receive() -> Message:
        nonlocal received
        if received:
            await shown.wait()
            return {"type": "http.disconnect"}
        received = True
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        if shown.is_set():
            return
        if message["type"] == "http.response.start":
            trial.status = message["status"]
            trial.headers = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", [])
            ]
            return
        trial.body += message.get("body", b"")
        streamed = bool(message.get("more_body")) and not any(name == "content-length" for name, _ in trial.headers)
        trial.cut = len(trial.body) > MAX_SHOWN or (streamed and bool(trial.body))
        trial.body = trial.body[:MAX_SHOWN]
        if trial.cut or not message.get("more_body"):
            shown.set()

    scope = _scope(method, path, headers, content)
    asked = asyncio.ensure_future(_run(app, scope, receive, send))
    waiting = asyncio.ensure_future(shown.wait())
    try:
        await asyncio.wait([asked, waiting], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    finally:
        shown.set()
        for task in (asked, waiting):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return trial


async def _run(app: AsgiApp, scope: dict[str, Any], receive: Any, send: Any) -> None:
    with contextlib.suppress(Exception):  # its 500 has been sent, and the server would log the rest
        await app(scope, receive, send)


def _scope(method: str, path: str, headers: list[tuple[bytes, bytes]], content: bytes) -> dict[str, Any]:
    if content:
        length = str(len(content)).encode()
        headers = [*headers, (b"content-type", b"application/json"), (b"content-length", length)]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"accept", b"application/json"), *headers],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }
