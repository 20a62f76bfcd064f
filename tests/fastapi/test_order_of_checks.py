"""The order of checks (E2) over HTTP: the first failure wins, because it decides what is disclosed."""

from typing import Any

import pytest
from fastapi import FastAPI

from resource_server import Decision, Kind, ResourceServer, acr, network, role
from resource_server.clock import Clock
from resource_server.issuers.fetch import FetchError
from resource_server.testing import OMIT, FakeIssuer
from tests.calls import DENIED, UNAVAILABLE, Exchange, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note
from tests.turnable_clock import TurnableClock

PROXY = "203.0.113.9"
GOOD = {"scope": "write", "roles": ["editor"], "acr": "mfa"}

# What a request suffers from, in the order in which it is to be found out, and what it then gets.
STEPS: list[tuple[str, Kind]] = [
    ("plain-http", Kind.PLAIN_HTTP),  # 1
    ("oversized", Kind.OVERSIZED_CREDENTIALS),  # 3
    ("network", Kind.NETWORK),  # 4
    ("repeated", Kind.REPEATED_CREDENTIALS),  # 6
    ("syntax", Kind.MALFORMED_TOKEN),  # 7
    ("type", Kind.WRONG_TOKEN_TYPE),  # 8
    ("issuer", Kind.WRONG_ISSUER),
    ("signature", Kind.BAD_SIGNATURE),
    ("audience", Kind.WRONG_AUDIENCE),  # 9
    ("not-yet-valid", Kind.NOT_YET_VALID),
    ("binding", Kind.UNCONFIRMED_TOKEN),  # 10
    ("expired", Kind.EXPIRED),
    ("step-up", Kind.INSUFFICIENT_AUTHENTICATION),  # 13
    ("scope", Kind.INSUFFICIENT_SCOPE),
    ("role", Kind.MISSING_ROLE),  # 14
]
NAMES = [name for name, _ in STEPS]


def build(api: ResourceServer, protect: str) -> FastAPI:
    app = FastAPI()
    api.install(app, protect=protect)

    # written in an order of its own, and in two places
    needs = [api.requires(role("editor"), "write", acr("mfa")), api.requires(network("192.0.2.0/24"))]

    @app.post("/notes", dependencies=needs)
    async def write(note: Note) -> None: ...

    return app


def request(issuer: FakeIssuer, time: TurnableClock, faults: list[str]) -> dict[str, Any]:
    claims: dict[str, Any] = dict(GOOD)
    header: dict[str, Any] = {}
    if "type" in faults:
        header["typ"] = "JWT"
    if "issuer" in faults:
        claims["iss"] = "https://other.example.com"
    if "audience" in faults:
        claims["aud"] = "https://other.example.com"
    if "not-yet-valid" in faults:
        claims["nbf"] = int(time.wall) + 1000
    if "binding" in faults:
        claims["cnf"] = {"jkt": "x"}
    if "expired" in faults:
        claims["exp"] = int(time.wall) - 1000
    claims |= {
        name: OMIT for fault, name in (("step-up", "acr"), ("scope", "scope"), ("role", "roles")) if fault in faults
    }
    token = issuer.token(header=header, **claims)
    if "signature" in faults:
        token = token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:]
    if "syntax" in faults:
        token = "x" + token
    fields = [("authorization", f"Bearer {token}")]
    if "repeated" in faults:
        fields *= 2
    if "oversized" in faults:
        fields[0] = ("authorization", f"Bearer {'x' * 20000}")
    if "plain-http" in faults:
        fields.append(("x-forwarded-proto", "http"))
    client = "198.51.100.1" if "network" in faults else "192.0.2.1"
    return {"headers": [*fields, ("x-forwarded-for", client)], "client": (PROXY, 1), "body": b"{bad"}


@pytest.mark.parametrize("protect", ["routes", "all"])
@pytest.mark.parametrize("first", range(len(STEPS)), ids=NAMES)
async def test_of_several_faults_the_first_in_the_order_is_found(
    make_api: MakeApi, issuer: FakeIssuer, time: TurnableClock, protect: str, first: int
) -> None:
    """E2 steps 1 to 14, all before the body (15)."""
    decisions: list[Decision] = []
    api = make_api(observers=[decisions.append], trusted_proxies=[PROXY])
    faults = NAMES[first:]
    exchange = await Exchange(build(api, protect), "POST", "/notes", **request(issuer, time, faults)).run()
    expected = STEPS[first][1]
    if expected is Kind.INSUFFICIENT_AUTHENTICATION:
        expected = Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE  # both missing: one answer (ruling 20)
    assert [decision.kind for decision in decisions] == [expected]
    assert exchange.received == 0


@pytest.mark.parametrize("protect", ["routes", "all"])
async def test_without_faults_the_body_is_looked_at_last(
    make_api: MakeApi, issuer: FakeIssuer, time: TurnableClock, protect: str
) -> None:
    """E2 step 15."""
    api = make_api(trusted_proxies=[PROXY])
    exchange = await Exchange(build(api, protect), "POST", "/notes", **request(issuer, time, [])).run()
    assert exchange.status == 422


@pytest.mark.parametrize("protect", ["routes", "all"])
@pytest.mark.parametrize("fields", [[], [("authorization", "Basic x")], [("authorization", "Bearer x")]])
async def test_a_barred_network_learns_nothing_about_credentials(
    api: ResourceServer, protect: str, fields: list[tuple[str, str]]
) -> None:
    """E2 step 4, D24: it needs no identity, so it precedes authentication."""
    exchange = await Exchange(
        build(api, protect), "POST", "/notes", headers=fields, client=("198.51.100.1", 1), body=b"{bad"
    ).run()
    assert (exchange.status, exchange.body, exchange.received) == (403, DENIED, 0)
    assert exchange.field("www-authenticate") == []


@pytest.mark.parametrize("protect", ["routes", "all"])
async def test_an_issuer_that_does_not_answer_is_not_the_client_s_fault(
    make_api: MakeApi, issuer: FakeIssuer, protect: str
) -> None:
    """D26, RS-9110-10.2.3-a: 503 with Retry-After, no challenge; a barred network is told so all the same."""

    async def unreachable(url: str) -> dict[str, Any]:
        raise FetchError("canary.internal refused the connection")

    app = build(make_api(fetch=unreachable), protect)
    fields = [("authorization", f"Bearer {issuer.token(**GOOD)}")]
    exchange = await Exchange(app, "POST", "/notes", headers=fields, body=b"{bad").run()
    assert (exchange.status, exchange.body, exchange.received) == (503, UNAVAILABLE, 0)
    assert sorted(exchange.headers) == [
        ("cache-control", "no-store"),
        ("connection", "close"),
        ("content-length", str(len(UNAVAILABLE))),
        ("content-type", "application/json"),
        ("retry-after", "1"),  # when the next try is due
    ]
    barred = await Exchange(app, "POST", "/notes", headers=fields, client=("198.51.100.1", 1)).run()
    assert barred.status == 403


class FailingClock:
    def __init__(self, time: TurnableClock) -> None:
        self.fails = False
        self.clock = Clock(wall=self.read, monotonic=lambda: time.monotonic)
        self._time = time

    def read(self) -> float:
        if self.fails:
            raise OSError("the clock fails")
        return self._time.wall


@pytest.mark.parametrize("protect", ["routes", "all"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_failure_of_ours_is_not_the_client_s_broken_body(
    make_api: MakeApi, issuer: FakeIssuer, time: TurnableClock, protect: str, method: str
) -> None:
    """RS-9110-15.5.2-a: what fails while deciding is our 500, also where FastAPI says "error parsing the body"."""
    failing = FailingClock(time)
    api = make_api(clock=failing.clock)
    app = FastAPI()
    api.install(app, protect=protect)

    @app.api_route("/", methods=["GET", "POST"], dependencies=[api.requires()])
    async def write(note: Note | None = None) -> None: ...

    failing.fails = True
    response = await call(app, method, "/", token=issuer.token(), content=b"{bad" if method == "POST" else None)
    assert response.status_code == 500
    assert "clock" not in response.text
