"""Observers are told of each request once, whatever becomes of it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request
from starlette.responses import StreamingResponse

from resource_server import AccessToken, Decision, Kind, Refused, ResourceServer
from resource_server.credentials import credential_fields, extract
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note, ok
from tests.turnable_clock import TurnableClock

both = pytest.mark.parametrize("protect", ["routes", "all"])


@pytest.fixture
def decisions() -> list[Decision]:
    return []


@pytest.fixture
def api(make_api: MakeApi, decisions: list[Decision]) -> ResourceServer:
    return make_api(observers=[decisions.append])


def app_of(api: ResourceServer, protect: str, time: TurnableClock | None = None) -> FastAPI:
    app = FastAPI()
    api.install(app, protect=protect)
    app.get("/notes/{number}", dependencies=[api.requires("read")])(ok)
    app.get("/free")(ok)

    @app.post("/notes/{number}", dependencies=[api.requires("read")])
    async def write(number: int, note: Note) -> None: ...

    @app.get("/crash", dependencies=[api.requires("read")])
    async def crash() -> None:
        raise RuntimeError("boom")

    @app.get("/slow", dependencies=[api.requires("read")])
    async def slow() -> None:
        if time is not None:
            time.turn(7)

    @app.get("/stream", dependencies=[api.requires("read")])
    async def stream() -> StreamingResponse:
        return StreamingResponse(pieces())

    return app


async def pieces() -> AsyncIterator[str]:
    yield "one"
    yield "two"


@both
@pytest.mark.parametrize(
    ("method", "path", "claims", "status", "kind", "route"),
    [
        pytest.param("GET", "/notes/1", None, 401, Kind.NO_CREDENTIALS, "/notes/{number}", id="refused-dependency"),
        pytest.param("POST", "/notes/1", None, 401, Kind.NO_CREDENTIALS, "/notes/{number}", id="refused-in-the-gate"),
        pytest.param("GET", "/notes/1", {}, 403, Kind.INSUFFICIENT_SCOPE, "/notes/{number}", id="forbidden"),
        pytest.param("POST", "/notes/1", {}, 403, Kind.INSUFFICIENT_SCOPE, "/notes/{number}", id="forbidden-in-gate"),
        pytest.param("GET", "/notes/1", {"scope": "read"}, 200, None, "/notes/{number}", id="granted"),
        pytest.param("POST", "/notes/x", {"scope": "read"}, 422, None, "/notes/{number}", id="granted-but-invalid"),
        pytest.param("GET", "/crash", {"scope": "read"}, 500, None, "/crash", id="granted-but-crashed"),
        pytest.param("GET", "/stream", {"scope": "read"}, 200, None, "/stream", id="granted-stream"),
    ],
)
async def test_a_request_is_told_once(
    api: ResourceServer,
    issuer: FakeIssuer,
    decisions: list[Decision],
    protect: str,
    method: str,
    path: str,
    claims: dict[str, Any] | None,
    status: int,
    kind: Kind | None,
    route: str,
) -> None:
    """DESIGN §3: told once a request, in every mode."""
    app = app_of(api, protect)
    token = None if claims is None else issuer.token(**claims)
    response = await call(app, method, path, token=token, json={} if method == "POST" else None)
    assert response.status_code == status
    assert [(one.kind, one.method, one.route) for one in decisions] == [(kind, method, route)]


@pytest.mark.parametrize(
    ("path", "claims", "expected"),
    [
        pytest.param("/free", None, [(Kind.NO_CREDENTIALS, None)], id="stranger"),
        pytest.param("/free", {}, [(None, "/free")], id="a-route-that-requires-nothing"),
        pytest.param("/nothing", {}, [(None, None)], id="no-route"),
    ],
)
async def test_where_everything_is_protected_every_request_is_told(
    api: ResourceServer,
    issuer: FakeIssuer,
    decisions: list[Decision],
    path: str,
    claims: dict[str, Any] | None,
    expected: list[tuple[Kind | None, str | None]],
) -> None:
    """The route's template, never its path; None where no route was matched."""
    token = None if claims is None else issuer.token(**claims)
    await call(app_of(api, "all"), "GET", path, token=token)
    assert [(one.kind, one.route) for one in decisions] == expected


async def test_a_request_for_an_open_route_is_not_told(
    api: ResourceServer, issuer: FakeIssuer, decisions: list[Decision]
) -> None:
    """Nothing was decided."""
    await call(app_of(api, "routes"), "GET", "/free", token=issuer.token())
    await call(app_of(api, "routes"), "GET", "/nothing", token="x")
    assert decisions == []


async def test_a_preflight_is_not_told(api: ResourceServer, decisions: list[Decision]) -> None:
    """RS-FETCH-cors-a: it bears no credentials by design."""
    headers = {"origin": "https://app.example.com", "access-control-request-method": "GET"}
    response = await call(app_of(api, "all"), "OPTIONS", "/notes/1", headers=headers)
    assert (response.status_code, decisions) == (204, [])


async def test_a_decision_tells_what_was_found_out(
    api: ResourceServer, issuer: FakeIssuer, decisions: list[Decision], time: TurnableClock
) -> None:
    """Habit 14: code for machines, reason for operators."""
    token = issuer.token(scope="other")
    await call(app_of(api, "routes"), "GET", "/notes/1", token=token)
    (decision,) = decisions
    field = f"Bearer {token}".encode()
    credentials = extract({}, credential_fields({"headers": [(b"authorization", field)]}))
    assert decision.time == time.wall
    assert (decision.method, decision.route, decision.status) == ("GET", "/notes/{number}", 403)
    assert decision.digest == credentials.digest
    assert decision.token is not None
    assert decision.token.subject == "alice"
    assert decision.refusal is not None
    assert str(decision.refusal) == "insufficient_scope: needs all of read"
    assert decision.client == "127.0.0.1"


@pytest.mark.parametrize("token", ["canary", "canary.b.c", "forged"])
async def test_a_token_that_was_not_verified_is_not_told(
    api: ResourceServer, issuer: FakeIssuer, decisions: list[Decision], token: str
) -> None:
    """T35: an unverified token says nothing worth writing down."""
    if token == "forged":
        token = FakeIssuer(issuer.url, now=issuer.mint.clock).token()
    await call(app_of(api, "all"), "GET", "/notes/1", token=token)
    (decision,) = decisions
    assert decision.token is None
    assert decision.digest is not None
    assert token not in repr(decision)


@both
async def test_the_duration_is_the_decision_s_and_not_the_endpoint_s(
    api: ResourceServer, issuer: FakeIssuer, decisions: list[Decision], time: TurnableClock, protect: str
) -> None:
    """events.py: seconds that the decision took."""
    response = await call(app_of(api, protect, time), "GET", "/slow", token=issuer.token(scope="read"))
    assert response.status_code == 200
    assert [one.duration for one in decisions] == [0.0]


async def test_the_duration_holds_what_was_waited_for(
    make_api: MakeApi, issuer: FakeIssuer, decisions: list[Decision], time: TurnableClock
) -> None:
    """The positive control: the fetch of the first keys is part of the decision."""

    async def slow(url: str) -> Fetched:
        time.turn(2)
        return await issuer.fetch(url)

    api = make_api(observers=[decisions.append], fetch=slow)
    await call(app_of(api, "routes"), "GET", "/notes/1", token=issuer.token(scope="read"))
    assert [one.duration for one in decisions] == [4.0]  # metadata, then keys


@both
async def test_an_observer_that_raises_harms_nobody(
    make_api: MakeApi, issuer: FakeIssuer, decisions: list[Decision], caplog: pytest.LogCaptureFixture, protect: str
) -> None:
    """Never asked: what it raises is logged and goes no further."""

    def fail(decision: Decision) -> None:
        raise RuntimeError("no space left")

    app = app_of(make_api(observers=[fail, decisions.append]), protect)
    assert (await call(app, "GET", "/notes/1", token=issuer.token(scope="read"))).status_code == 200
    assert (await call(app, "POST", "/notes/1", json={})).status_code == 401
    assert [one.kind for one in decisions] == [None, Kind.NO_CREDENTIALS]
    assert [(record.levelname, record.message) for record in caplog.records] == [("ERROR", "an observer failed")] * 2


async def test_an_issuer_that_is_down_is_told_with_its_reason(
    make_api: MakeApi, issuer: FakeIssuer, decisions: list[Decision]
) -> None:
    """D26: the upstream's name is for the operator alone."""

    async def unreachable(url: str) -> dict[str, Any]:
        raise FetchError(f"{url}: ConnectError")

    app = app_of(make_api(observers=[decisions.append], fetch=unreachable), "routes")
    response = await call(app, "GET", "/notes/1", token=issuer.token())
    assert response.status_code == 503
    assert issuer.url not in response.text
    (decision,) = decisions
    assert decision.kind is Kind.ISSUER_UNAVAILABLE
    assert issuer.url in str(decision.refusal)


async def test_a_refusal_after_a_dependency_of_the_user_s_is_told_once(
    api: ResourceServer, decisions: list[Decision]
) -> None:
    """The order in which dependencies run changes nothing."""
    app = FastAPI()
    api.install(app)

    async def first() -> str:
        return "first"

    @app.get("/")
    async def read(a: Annotated[str, Depends(first)], token: Annotated[AccessToken, api.requires("a")]) -> None: ...

    await call(app, "GET", "/")
    assert [one.kind for one in decisions] == [Kind.NO_CREDENTIALS]


@pytest.mark.parametrize("gated", [True, False], ids=["gate", "no-gate"])
async def test_a_refusal_that_is_asked_for_again_is_told_once(
    api: ResourceServer, decisions: list[Decision], gated: bool
) -> None:
    """An endpoint may ask by itself, catch the refusal and ask again."""
    app = FastAPI()
    if gated:
        api.install(app)
    requires = api.requires("a").dependency

    @app.get("/")
    async def read(request: Request) -> int:
        for _ in range(2):
            with pytest.raises(Refused):
                await requires(request)
        return len(decisions)

    assert (await call(app, "GET", "/")).json() == (0 if gated else 1)
    assert [one.kind for one in decisions] == [Kind.NO_CREDENTIALS]
