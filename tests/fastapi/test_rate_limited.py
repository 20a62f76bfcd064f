"""A limit of failed authentications over HTTP: what is answered, to whom, and before what (threat T33, D28)."""

from typing import Annotated, Any

import httpx2
import pytest
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient, WebSocketDenialResponse

from resource_server import AccessToken, Decision, Kind, RateLimit, ResourceServer, network
from resource_server.testing import FakeIssuer
from tests.calls import INVALID, Exchange, bearer
from tests.fastapi.conftest import MakeApi
from tests.fastapi.test_websockets import greet
from tests.fastapi.ways import Note
from tests.turnable_clock import TurnableClock

RATE = RateLimit(3, per=60)
"""Two at once, and one each thirty seconds."""
STRANGER, NEIGHBOUR = "198.51.100.7", "198.51.100.8"
LIMITED = b'{"error":"rate_limited","error_description":"Too many requests","status":429}'

both_ways = pytest.mark.parametrize("protect", ["routes", "all"])


def build(api: ResourceServer, protect: str = "routes") -> FastAPI:
    app = FastAPI()
    api.install(app, protect=protect)

    @app.post("/notes", dependencies=[api.requires("write")])
    async def write(note: Note) -> None: ...

    @app.post("/inside", dependencies=[api.requires("write", network("192.0.2.0/24"))])
    async def write_inside(note: Note) -> None: ...

    @app.websocket("/socket")
    async def open_socket(websocket: WebSocket, _: Annotated[AccessToken, api.requires("write")]) -> None:
        await greet(websocket)

    return app


async def post(
    app: FastAPI, *authorization: str, client: str = STRANGER, path: str = "/notes", query: bytes = b"", **fields: str
) -> Exchange:
    headers = [("authorization", value) for value in authorization]
    headers += [(name.replace("_", "-"), value) for name, value in fields.items()]
    return await Exchange(
        app, "POST", path, headers=headers, body=b"{bad", client=(client, 1), query_string=query
    ).run()


async def exhaust(app: FastAPI, client: str = STRANGER) -> None:
    for number in range(RATE.at_once):
        assert (await post(app, f"Bearer guess-{number}", client=client)).status == 401


@pytest.fixture
def limited(make_api: MakeApi) -> ResourceServer:
    return make_api(failed_authentications=RATE, cors_origins=["https://app.example.com"])


@both_ways
async def test_too_many_failures_are_429_before_the_body_and_without_a_challenge(
    limited: ResourceServer, time: TurnableClock, protect: str
) -> None:
    """D28, RS-6585-4-a: and when the next token will be looked at."""
    app = build(limited, protect)
    await exhaust(app)
    time.turn(0.5)
    refused = await post(app, "Bearer guess")
    assert (refused.status, refused.body, refused.received) == (429, LIMITED, 0)
    assert sorted(refused.headers) == [
        ("cache-control", "no-store"),
        ("connection", "close"),
        ("content-length", str(len(LIMITED))),
        ("content-type", "application/json"),
        ("retry-after", "30"),
        ("vary", "Origin"),
    ]
    time.turn(30)
    assert [(await post(app, "Bearer guess")).status for _ in range(2)] == [401, 429]


@both_ways
async def test_who_was_let_in_before_is_let_in_during_a_flood(
    limited: ResourceServer, issuer: FakeIssuer, protect: str
) -> None:
    """T33: a remembered token costs nothing to recognize, and no address is another's."""
    app = build(limited, protect)
    known, new = (f"Bearer {issuer.token(scope='write')}" for _ in range(2))
    assert (await post(app, known)).status == 422
    await exhaust(app)
    assert (await post(app, known)).status == 422
    assert (await post(app, new)).status == 429, "nothing tells it from a guess"
    assert (await post(app, new, client=NEIGHBOUR)).status == 422
    assert (await post(app, new)).status == 422, "by now it is known"


@both_ways
async def test_whoever_brings_no_token_uses_nothing_up(limited: ResourceServer, protect: str) -> None:
    """T33: requests without credentials, broken ones, and tokens that lack something guess nothing."""
    app = build(limited, protect)
    for _ in range(RATE.limit):
        assert (await post(app)).status == 401
        assert (await post(app, "Basic YTpi")).status == 401
        assert (await post(app, "Bearer a b")).status == 400
        assert (await post(app, "Bearer a", "Bearer b")).status == 400
        assert (await post(app, query=b"access_token=a")).status == 401
        assert (await post(app, "Bearer " + "x" * 20_000)).status == 431
    await exhaust(app)


@both_ways
async def test_a_token_that_is_not_enough_uses_nothing_up(
    limited: ResourceServer, issuer: FakeIssuer, time: TurnableClock, protect: str
) -> None:
    """T33: 403 is no failed authentication; nor is a stale or a bound token."""
    app = build(limited, protect)
    for claims in ({}, {"scope": "write", "exp": int(time.wall) - 100}, {"scope": "write", "cnf": {"jkt": "x"}}):
        for _ in range(RATE.limit):
            assert (await post(app, f"Bearer {issuer.token(**claims)}")).status in (401, 403)
    await exhaust(app)


@both_ways
@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        pytest.param({"x_forwarded_proto": "http"}, Kind.PLAIN_HTTP, id="plain http"),
        pytest.param({"authorization": "Bearer " + "x" * 20_000}, Kind.OVERSIZED_CREDENTIALS, id="oversized"),
        pytest.param({"path": "/inside"}, Kind.NETWORK, id="network"),
        pytest.param({"query": b"access_token=b"}, Kind.REPEATED_CREDENTIALS, id="twice"),
        pytest.param({"authorization": "Bearer"}, Kind.MALFORMED_CREDENTIALS, id="no token"),
        pytest.param({"authorization": "Basic YTpi"}, Kind.UNSUPPORTED_SCHEME, id="scheme"),
        pytest.param({}, Kind.RATE_LIMITED, id="the limit"),
    ],
)
async def test_the_limit_comes_after_the_credentials_and_before_their_token(
    make_api: MakeApi, protect: str, request_: dict[str, Any], kind: Kind
) -> None:
    """E2: it looks at the token to recognize one that is remembered, and at nothing within."""
    decisions: list[Decision] = []
    proxy = "203.0.113.9"
    api = make_api(failed_authentications=RATE, trusted_proxies=[proxy], observers=[decisions.append])
    app = build(api, protect)
    request_ = {"authorization": "Bearer guess"} | request_
    authorization = request_.pop("authorization")
    for _ in range(RATE.at_once):
        await post(app, "Bearer guess", client=proxy, x_forwarded_for=STRANGER)
    await post(app, authorization, client=proxy, x_forwarded_for=STRANGER, **request_)
    assert [decision.kind for decision in decisions] == [Kind.MALFORMED_TOKEN] * RATE.at_once + [kind]


async def test_the_operator_is_told_why(make_api: MakeApi) -> None:
    """Observers get the kind; no token is quoted."""
    decisions: list[Decision] = []
    app = build(make_api(failed_authentications=RATE, observers=[decisions.append]))
    await exhaust(app)
    await post(app, "Bearer guess")
    refusal = decisions[-1].refusal
    assert refusal is not None
    assert (decisions[-1].status, refusal.kind) == (429, Kind.RATE_LIMITED)
    assert refusal.reason == "too many tokens from this address were no good"
    assert (decisions[-1].client, decisions[-1].route, decisions[-1].token) == (STRANGER, "/notes", None)


def test_a_handshake_is_refused_likewise(make_api: MakeApi) -> None:
    """D28: by HTTP, where the server can; and it counts like any other request."""
    app = build(make_api(failed_authentications=RATE))
    client = TestClient(app, client=(STRANGER, 1))
    statuses = []
    for number in range(RATE.at_once + 1):
        with (
            pytest.raises(WebSocketDenialResponse) as denial,
            client.websocket_connect("/socket", headers=bearer(f"guess-{number}")),
        ):
            pytest.fail("the handshake was accepted")
        statuses.append(denial.value.status_code)
    assert statuses == [401, 401, 429]
    assert denial.value.content == LIMITED
    assert denial.value.headers["retry-after"] == "30"
    assert "www-authenticate" not in denial.value.headers
    assert client.post("/notes", headers=bearer("guess")).status_code == 429


async def test_a_page_of_another_origin_may_read_how_long_to_wait(limited: ResourceServer) -> None:
    """RS-FETCH-cors-b."""
    app = build(limited)
    await exhaust(app)
    refused = await post(app, "Bearer guess", origin="https://app.example.com")
    assert (refused.status, refused.field("access-control-allow-origin")) == (429, ["https://app.example.com"])
    exposed = refused.field("access-control-expose-headers")[0].lower()
    assert "retry-after" in {name.strip() for name in exposed.split(",")}


async def test_who_asks_for_a_problem_gets_one(limited: ResourceServer) -> None:
    """RS-9457-3-a."""
    app = build(limited)
    await exhaust(app)
    refused = await post(app, "Bearer guess", accept="application/problem+json")
    assert refused.field("content-type") == ["application/problem+json"]
    assert refused.field("retry-after") == ["30"]
    problem = {"error": "rate_limited", "status": 429, "title": "Too Many Requests", "type": "about:blank"}
    assert refused.json.items() >= problem.items()


@pytest.mark.parametrize("peer", [None, ("testclient", 1), ("", 1)], ids=["nobody", "a name", "empty"])
async def test_who_has_no_address_is_not_limited(limited: ResourceServer, peer: tuple[str, int] | None) -> None:
    """A Unix socket: whoever comes by it would be everybody."""
    app = build(limited)
    for _ in range(RATE.limit + 2):
        headers = [("authorization", "Bearer guess")]
        assert (await Exchange(app, "POST", "/notes", headers=headers, client=peer).run()).body == INVALID


async def test_behind_a_trusted_proxy_each_caller_has_a_limit_and_none_is_not_named(make_api: MakeApi) -> None:
    """T29, T33: nobody can choose whose limit is used up, and the proxy itself has none."""
    proxy = "10.0.0.1"
    app = build(make_api(failed_authentications=RATE, trusted_proxies=["10.0.0.0/8"]))

    async def status(*forwarded: str) -> int:
        fields = [("authorization", "Bearer guess"), *(("x-forwarded-for", one) for one in forwarded)]
        return (await Exchange(app, "POST", "/notes", headers=fields, client=(proxy, 1)).run()).status

    assert [await status(f"203.0.113.50, {STRANGER}", "10.0.0.2") for _ in range(3)] == [401, 401, 429]
    assert await status(NEIGHBOUR) == 401
    assert await status("203.0.113.50") == 401, "who was only pretended to be has failed nothing"
    for unnamed in ((), ("unknown",), ("10.0.0.2",)):
        assert [await status(*unnamed) for _ in range(4)] == [401] * 4


async def test_without_the_option_nothing_is_limited(make_api: MakeApi) -> None:
    """T33: off by default."""
    app = build(make_api())
    transport = httpx2.ASGITransport(app, client=(STRANGER, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        statuses = {(await client.post("/notes", headers=bearer(f"guess-{n}"))).status_code for n in range(200)}
    assert statuses == {401}
