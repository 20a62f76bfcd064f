"""The gate sees the lifespan: keys are fetched at the start and kept fresh until the end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from resource_server import ResourceServer
from resource_server.testing import FakeIssuer
from tests.calls import bearer
from tests.fastapi.ways import ok


class Server:
    """The server's side of an application's life."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.from_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def tell(self, what: str) -> str:
        await self.to_app.put({"type": f"lifespan.{what}"})
        async with asyncio.timeout(5):
            return (await self.from_app.get())["type"]

    async def live(self) -> None:
        await self.app({"type": "lifespan", "state": {}}, self.to_app.get, self.from_app.put)  # type: ignore[arg-type]


async def tasks_settled() -> set["asyncio.Task[object]"]:
    for _ in range(10):
        await asyncio.sleep(0)
    return asyncio.all_tasks()


async def test_the_keys_are_fetched_at_the_start_and_no_task_is_left_at_the_end(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """DESIGN §3: the gate runs the key refresh; no ``lifespan=`` needed."""
    app = FastAPI()
    api.install(app)
    server = Server(app)
    before = asyncio.all_tasks()
    living = asyncio.create_task(server.live())
    assert await server.tell("startup") == "lifespan.startup.complete"
    await tasks_settled()
    assert issuer.requests == [f"{issuer.url}/.well-known/openid-configuration", f"{issuer.url}/jwks"]
    assert api.issuers.is_ready
    assert await server.tell("shutdown") == "lifespan.shutdown.complete"
    await living
    assert await tasks_settled() == before


async def test_a_lifespan_of_the_user_s_runs_too(api: ResourceServer, issuer: FakeIssuer) -> None:
    """It needs nothing of ours, and ours takes nothing from it."""
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        events.append("up")
        yield {"pool": "open"}
        events.append("down")

    app = FastAPI(lifespan=lifespan)
    api.install(app)
    app.get("/", dependencies=[api.requires()])(ok)
    with TestClient(app) as client:
        assert client.get("/", headers=bearer(issuer.token())).status_code == 200
        assert events == ["up"]
    assert events == ["up", "down"]


async def test_where_the_start_fails_nothing_of_ours_is_started(api: ResourceServer, issuer: FakeIssuer) -> None:
    """No task may outlive an application that never lived."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    app = FastAPI(lifespan=lifespan)
    api.install(app)
    server = Server(app)
    before = asyncio.all_tasks()
    living = asyncio.create_task(server.live())
    assert await server.tell("startup") == "lifespan.startup.failed"
    with pytest.raises(RuntimeError, match="no database"):
        await living
    assert await tasks_settled() == before
    assert issuer.requests == []


async def test_where_the_end_fails_the_refresh_is_stopped_all_the_same(api: ResourceServer) -> None:
    """No task may outlive its application."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        raise RuntimeError("the pool would not close")

    app = FastAPI(lifespan=lifespan)
    api.install(app)
    server = Server(app)
    before = asyncio.all_tasks()
    living = asyncio.create_task(server.live())
    assert await server.tell("startup") == "lifespan.startup.complete"
    assert await server.tell("shutdown") == "lifespan.shutdown.failed"
    with pytest.raises(RuntimeError, match="would not close"):
        await living
    assert await tasks_settled() == before


async def test_without_a_lifespan_the_first_request_fetches_the_keys(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §9: servers and tests that send no lifespan work as well."""
    app = FastAPI()
    api.install(app)
    app.get("/", dependencies=[api.requires()])(ok)
    client = TestClient(app)  # not entered: no lifespan
    assert issuer.requests == []
    for _ in range(3):
        assert client.get("/", headers=bearer(issuer.token())).status_code == 200
    assert len(issuer.requests) == 2


def test_making_and_installing_opens_no_connection(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §4: constructing does no network."""
    api.install(FastAPI())
    assert issuer.requests == []
