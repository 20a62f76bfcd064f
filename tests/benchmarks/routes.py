"""What protection adds to a route, in process: no socket, no server, one loop."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fastapi import FastAPI

from resource_server import Issuer
from resource_server.fastapi import ResourceServer
from resource_server.testing import FakeIssuer
from tests.benchmarks.apps import APPS, PATH, Trust
from tests.benchmarks.forgeries import forged
from tests.benchmarks.measuring import Pace, interleave, repeat_async
from tests.benchmarks.section import Goal, Section
from tests.benchmarks.tokens import CLAIMS, scope_of

ROWS = {
    "bare": ("bare", "hot"),
    "an empty async dependency": ("empty", "hot"),
    "requires() and the gate": ("required", "hot"),
    "requires() and the gate, all tokens forged": ("required", "forged"),
    'protect="all"': ("everything", "hot"),
    'protect="all", all tokens forged': ("everything", "forged"),
    "FastAPI's tutorial pattern": ("tutorial", "hot"),
    "FastAPI's tutorial pattern, all tokens forged": ("tutorial", "forged"),
    "FastAPI's tutorial pattern, its key prepared": ("prepared", "hot"),
}


def repeated(token: str) -> Iterator[dict[str, Any]]:
    """Scopes with one and the same token."""
    while True:
        yield scope_of(token)


def request(app: FastAPI, scopes: Iterator[dict[str, Any]], status: int) -> Callable[[], Awaitable[None]]:
    """Let an application answer one request."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", status) == status

    async def call() -> None:
        await app({**next(scopes), "path": PATH, "raw_path": PATH.encode(), "root_path": ""}, receive, send)

    return call


def measure(pace: Pace) -> list[Section]:
    """Measure all applications in the same rounds."""
    issuer = FakeIssuer(algorithm="RS256")
    token = issuer.token(exp=int(issuer.mint.clock()) + 7200, **CLAIMS)

    def server() -> ResourceServer:
        trusted = Issuer(url=issuer.url, audience=issuer.audience)
        return ResourceServer(trusted, fetch=issuer.fetch)

    trust = Trust(server, issuer.mint.jwks(), issuer.url, issuer.audience)
    apps = {name: make(trust) for name, make in APPS.items()}
    rows = {}
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        for row, (name, kind) in ROWS.items():
            scopes = repeated(token) if kind == "hot" else forged(token)
            rows[row] = repeat_async(loop, request(apps[name], scopes, 200 if kind == "hot" else 401))
        times = interleave(rows, pace)
    table = [
        [row, f"{times.microseconds(row):.1f}", f"{times.ratio('bare', row):.2f}",
         f"{times.ratio('an empty async dependency', row):.2f}"]
        for row in rows
    ]  # fmt: skip
    goals = [
        Goal("in process: a route with requires() and the gate, against an empty async dependency",
             times.ratio("an empty async dependency", "requires() and the gate"), 0.92, at_most=False),
        Goal('in process: protect="all", one hot token, against the bare route',
             times.ratio("bare", 'protect="all"'), 0.93, at_most=False),
        Goal('in process: protect="all", all tokens forged, against the bare route',
             times.ratio("bare", 'protect="all", all tokens forged'), 0.95, at_most=False),
    ]  # fmt: skip
    note = (
        "One request after another through the whole application; RS256; shares of the throughput of the bare route "
        "and of the route with an empty dependency, by CPU time: 1 is as fast."
    )
    return [Section("A route, in process", note, ["", "µs", "of bare", "of empty"], table, goals)]
