"""What admins are told of refusals: by whom it can be read, what is in it, and when the stream ends."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI

from resource_server import ResourceServer
from resource_server.demo.api import create_api
from resource_server.demo.refusals import HEARTBEAT, PAUSE
from resource_server.observers.recent import RecentRefusals
from resource_server.testing import FakeIssuer
from tests.calls import DENIED, MISSING, Exchange, bearer, call
from tests.turnable_clock import TurnableClock

DATA = ["/admin/refusals/recent", "/admin/refusals/stream"]


@pytest.fixture
def recent(time: TurnableClock) -> RecentRefusals:
    return RecentRefusals(b"k" * 32, clock=time.clock)


@pytest.fixture
def app(issuer: FakeIssuer, time: TurnableClock, recent: RecentRefusals) -> FastAPI:
    """As ``serve`` makes it, but for the disclosure of roles."""
    server = ResourceServer(
        issuer.url, audience=issuer.audience, clock=time.clock, fetch=issuer.fetch, observers=[recent]
    )
    return create_api(server, recent=recent)


@pytest.fixture
def admin(issuer: FakeIssuer) -> str:
    return issuer.token(sub="root", roles=["admin"])


class Watching(Exchange):
    """A stream that is read for as long as the test runs."""

    def __init__(self, app: FastAPI, time: TurnableClock, token: str) -> None:
        super().__init__(app, "GET", "/admin/refusals/stream", headers=bearer(token).items())
        self._time = time
        self._gone = asyncio.Event()
        self.task = asyncio.ensure_future(self.run())

    async def _receive(self) -> dict[str, Any]:
        if self.received:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        return await super()._receive()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.body.splitlines()]

    async def settle(self) -> None:
        """Let everybody do what there is to do before time passes."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def turn(self, seconds: float) -> None:
        self._time.turn(seconds)
        await self.settle()

    async def leave(self) -> None:
        self._gone.set()
        await asyncio.wait_for(self.task, 5)


@pytest.mark.parametrize("path", DATA)
async def test_a_stranger_is_told_nothing(app: FastAPI, path: str) -> None:
    """T36: 401 like anywhere."""
    response = await call(app, "GET", path)
    assert (response.status_code, response.content) == (401, MISSING)


@pytest.mark.parametrize("claims", [{}, {"roles": ["editor"]}, {"scope": "admin"}, {"roles": ["Admin"]}])
@pytest.mark.parametrize("path", DATA)
async def test_whoever_lacks_the_role_is_refused_without_a_challenge(
    app: FastAPI, issuer: FakeIssuer, path: str, claims: dict[str, Any]
) -> None:
    """T36, D22: other credentials of the same user would not help."""
    response = await call(app, "GET", path, token=issuer.token(**claims))
    assert (response.status_code, response.content) == (403, DENIED)
    assert "www-authenticate" not in response.headers


async def test_an_admin_reads_why_a_partner_was_refused(app: FastAPI, issuer: FakeIssuer, admin: str) -> None:
    """DESIGN §1: its reason is known to the operator."""
    await call(app, "GET", "/api/v1/users/42/profile?page=secret")
    await call(app, "PUT", "/api/v1/users/42/profile", json={}, token=issuer.token(client_id="partner"))
    response = await call(app, "GET", "/admin/refusals/recent", token=admin)
    assert response.headers["cache-control"] == "no-store"
    told = response.json()
    assert [
        {name: one.get(name) for name in ("number", "status", "kind", "method", "route", "client_id")}
        for one in told["refusals"]
    ] == [
        {
            "number": 2,
            "status": 403,
            "kind": "not_owner",
            "method": "PUT",
            "route": "/api/v1/users/{user_id}/profile",
            "client_id": "partner",
        },
        {"number": 1, "status": 401, "kind": "no_credentials", "method": "GET", "route": None, "client_id": None},
    ]
    assert told["counts"][0] == {"minutes": 1, "granted": 0, "refused": {"no_credentials": 1, "not_owner": 1}}


async def test_neither_a_token_nor_a_path_is_in_the_data(
    app: FastAPI, issuer: FakeIssuer, recent: RecentRefusals, admin: str
) -> None:
    """T36: a canary in every place of a request, through many ways to be refused."""
    canary = "Canary0123456789"
    tokens = [
        issuer.token(jti=canary, sub=canary),
        issuer.token(jti=canary, exp=1),
        issuer.token(iss=canary),
        issuer.token(header={"kid": canary}),
        issuer.token(header={"alg": canary}),
        f"{canary}.{canary}.{canary}",
        canary,
    ]
    for token in tokens:
        for path in ("/orders", f"/api/v1/users/{canary}/profile", f"/{canary}?access_token={canary}"):
            await call(app, "GET", path, token=token, headers={"x-canary": canary, "user-agent": canary})
    text = (await call(app, "GET", "/admin/refusals/recent", token=admin)).text
    assert len(recent.since()) == len(tokens) * 3 - 1  # GET of a profile is 405, once its token was found good
    assert canary not in text
    assert not any(part in text for token in tokens[:5] for part in token.split("."))


async def test_a_stream_begins_with_all_and_goes_on_with_what_is_new(
    app: FastAPI, time: TurnableClock, admin: str
) -> None:
    """T36: one object a line, read by whoever sends the token in its header."""
    await call(app, "GET", "/orders")
    watching = Watching(app, time, admin)
    await watching.settle()
    assert watching.field("content-type") == ["application/x-ndjson"]
    assert watching.field("cache-control") == ["no-store"]
    assert [one["number"] for one in watching.lines[0]["refusals"]] == [1]
    await call(app, "GET", "/orders")
    await watching.turn(PAUSE)
    assert [one["number"] for one in watching.lines[-1]["refusals"]] == [2]
    assert watching.lines[-1]["counts"][0]["refused"] == {"no_credentials": 2}
    await watching.leave()


async def test_a_stream_in_which_nothing_happens_says_so_now_and_then(
    app: FastAPI, time: TurnableClock, admin: str
) -> None:
    """The counts of a quiet hour grow old."""
    watching = Watching(app, time, admin)
    await watching.turn(PAUSE)  # its own grant is news
    before = len(watching.lines)
    for _ in range(int(HEARTBEAT / PAUSE)):
        await watching.turn(PAUSE)
    assert watching.lines[before:] == [{"refusals": [], "counts": watching.lines[-1]["counts"]}]
    await watching.leave()


async def test_a_reader_that_is_slow_costs_no_memory(
    app: FastAPI, time: TurnableClock, recent: RecentRefusals, admin: str
) -> None:
    """T33: what was refused meanwhile is found where all is kept, and the oldest is gone."""
    watching = Watching(app, time, admin)
    await watching.settle()
    for _ in range(600):
        await call(app, "GET", "/orders")
    await watching.turn(PAUSE)
    assert len(watching.lines[-1]["refusals"]) == 500
    await watching.leave()


async def test_lines_are_ascii(app: FastAPI, issuer: FakeIssuer, time: TurnableClock, admin: str) -> None:
    """T35: whatever a claim says, and wherever the stream is read."""
    await call(app, "PUT", "/api/v1/users/1/profile", json={}, token=issuer.token(client_id="é\u202e\x1b[31m"))
    watching = Watching(app, time, admin)
    await watching.settle()
    assert watching.body.isascii()
    assert watching.lines[0]["refusals"][0]["client_id"] == "é\\u202e\\x1b[31m"
    await watching.leave()


async def test_the_stream_ends_when_its_token_does(
    app: FastAPI, issuer: FakeIssuer, time: TurnableClock, recent: RecentRefusals
) -> None:
    """T32, T36: what was opened with a token does not outlive it, and its end is a refusal like any other."""
    almost = issuer.token(roles=["admin"], exp=time.wall - 29.99)  # 30 s are forgiven
    watching = Watching(app, time, almost)
    await watching.settle()
    assert watching.status == 200
    time.turn(1)
    await asyncio.wait_for(watching.task, 5)
    assert watching.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert [(one["kind"], one["route"]) for one in recent.since()] == [("expired", "/admin/refusals/stream")]
