"""Requirements that an endpoint builds for one request, beside those that stand in its signature."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request, WebSocket

from resource_server import AccessToken, Kind, ResourceServer, role
from resource_server.gate import Gate
from resource_server.testing import FakeIssuer
from tests.calls import Exchange, bearer, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import installed


async def test_what_was_granted_passes_for_nothing_that_is_built_later(api: ResourceServer, issuer: FakeIssuer) -> None:
    """T9: a decision was found again by the address of its requirement, which the next one may get."""
    app = installed(api)

    @app.get("/{count}")
    async def read(count: int, request: Request) -> str:
        for _ in range(count):
            await api.requires("notes:read").dependency(request)
        await api.requires(role("admin")).dependency(request)
        return "for administrators"

    token = issuer.token(scope="notes:read")
    assert {(await call(app, "GET", f"/{count}", token=token)).status_code for count in range(40)} == {403}
    admin = issuer.token(scope="notes:read", roles=["admin"])
    assert (await call(app, "GET", "/3", token=admin)).status_code == 200


@pytest.mark.parametrize("spoilt", ["signature", "built"])
async def test_an_open_stream_is_judged_again_by_all_that_was_required(
    make_api: MakeApi, issuer: FakeIssuer, spoilt: str
) -> None:
    """T32: not by what was required last."""
    fine = dict.fromkeys(("signature", "built"), True)
    kinds: list[Kind | None] = []
    api = make_api(observers=[lambda decision: kinds.append(decision.kind)])

    def meets(name: str) -> Callable[[AccessToken], bool]:
        return lambda _token: fine[name]

    app = FastAPI()

    @app.websocket("/", dependencies=[api.requires(meets("signature"))])
    async def socket(websocket: WebSocket) -> None:
        await api.requires(meets("built")).dependency(websocket)
        await api.requires().dependency(websocket)
        await websocket.accept()
        fine[spoilt] = False
        await asyncio.Event().wait()

    fields: Any = bearer(issuer.token()).items()
    exchange = Exchange(Gate(app, api, interval=0.01), "GET", "/", headers=fields, type="websocket")
    async with asyncio.timeout(5):
        await exchange.run()
    assert exchange.sent[-1] == {"type": "websocket.close", "code": 1008}
    assert kinds == [None, Kind.POLICY]
