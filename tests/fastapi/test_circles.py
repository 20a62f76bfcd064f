"""Nothing of a request is left to the garbage collector, whose work costs more than to recall a token."""

import gc
from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import FastAPI

from resource_server import AccessToken, ResourceServer, role
from resource_server.testing import FakeIssuer
from tests.calls import Exchange
from tests.fastapi.conftest import MakeApi

REQUESTS = 5


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.freeze()  # what is older is no concern of the test, and takes long to look through
    gc.disable()
    yield
    gc.enable()


def application(api: ResourceServer, *, gated: bool, protect: str) -> FastAPI:
    app = FastAPI(openapi_url=None)
    if gated:
        api.install(app, protect=protect)

    @app.get("/orders")
    async def orders(token: Annotated[AccessToken, api.requires("orders:read")]) -> str:
        return token.subject

    @app.get("/settings", dependencies=[api.requires(role("admin"))])
    async def settings() -> None: ...

    return app


@pytest.mark.parametrize(
    ("gated", "protect"),
    [
        pytest.param(False, "routes", id="without-the-gate"),
        pytest.param(True, "routes", id="routes"),
        pytest.param(True, "all", id="all"),
    ],
)
@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        pytest.param("/orders", "good", 200, id="granted"),
        pytest.param("/orders", "forged", 401, id="forged"),
        pytest.param("/orders", "", 401, id="no-token"),
        pytest.param("/settings", "good", 403, id="denied"),
        pytest.param("/nowhere", "good", 404, id="no-route"),
    ],
)
async def test_a_request_leaves_no_circle_behind(
    make_api: MakeApi,
    issuer: FakeIssuer,
    uncollected: None,
    gated: bool,
    protect: str,
    path: str,
    token: str,
    status: int,
) -> None:
    """DESIGN §8: what a request was made of goes with it; a circle of references would outlive it."""
    app = application(make_api(observers=()), gated=gated, protect=protect)
    good = issuer.token(scope="orders:read")
    tokens = {"good": good, "forged": good[:-40] + "A" * 38 + good[-2:]}
    headers = [("authorization", f"Bearer {tokens[token]}")] if token else []

    async def ask() -> int:
        return (await Exchange(app, "GET", path, headers=headers).run()).status

    assert await ask() == status
    gc.collect()
    for _ in range(REQUESTS):
        assert await ask() == status
    assert gc.collect() < REQUESTS
