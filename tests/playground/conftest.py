"""The playground in process, beside an API whose issuer lives in the test."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from resource_server import Decision, ResourceServer
from resource_server.development.accounts import ACCOUNTS
from resource_server.development.samples import Samples
from resource_server.playground import Playground
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.turnable_clock import TurnableClock

FROM_THE_PAGE = {"sec-fetch-site": "same-origin", "content-type": "application/json"}

Post = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def told() -> list[Decision]:
    """What observers of the API that is served are told."""
    return []


@pytest.fixture
async def server(issuer: FakeIssuer, time: TurnableClock, told: list[Decision]) -> ResourceServer:
    """The server of the API, with its keys."""
    server = new_server(issuer, time, told)
    await server.issuers.refresh()
    issuer.requests.clear()
    return server


def new_server(issuer: FakeIssuer, time: TurnableClock, told: list[Decision]) -> ResourceServer:
    return ResourceServer(
        issuer.url,
        audience=issuer.audience,
        resource=issuer.audience,
        disclose_requirements=True,
        clock=time.clock,
        fetch=issuer.fetch,
        observers=[told.append],
    )


@pytest.fixture
def playground(server: ResourceServer, issuer: FakeIssuer, time: TurnableClock, told: list[Decision]) -> Playground:
    return Playground(server, new_server(issuer, time, told), Samples(issuer.mint, ACCOUNTS))


async def send(playground: Playground, name: str, **options: Any) -> httpx2.Response:
    options = {"headers": FROM_THE_PAGE} | options
    return await call(playground, "POST", f"/playground/{name}", **options)


@pytest.fixture
def post(playground: Playground) -> Post:
    """Send what the page sends, and give its answer."""

    async def post(name: str, **members: Any) -> dict[str, Any]:
        response = await send(playground, name, content=json.dumps(members))
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    return post


@pytest.fixture
def explained(post: Post) -> Post:
    """Explain a token for a route."""

    async def explained(token: str, route: str = "GET /orders", **members: Any) -> dict[str, Any]:
        sent = {"token": token, "route": route, "parameters": {}, "content": ""} | members
        return await post("explain", **sent)

    return explained
