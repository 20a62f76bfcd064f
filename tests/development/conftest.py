"""One development server for each test, in process."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from resource_server.development.authorization_server import DevelopmentServer, create_authorization_server
from tests.development.visitor import API, AUDIENCE, ISSUER, OTHER_REDIRECT_URI, REDIRECT_URI, TurnableClock, Visitor


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> TurnableClock:
    return TurnableClock()


@pytest.fixture
def server(clock: TurnableClock) -> DevelopmentServer:
    uris = [REDIRECT_URI, OTHER_REDIRECT_URI]
    return create_authorization_server(ISSUER, AUDIENCE, api_origin=API, redirect_uris=uris, now=clock)


@pytest.fixture
async def http(server: DevelopmentServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(server.app), base_url=ISSUER) as client:
        yield client


@pytest.fixture
def visitor(server: DevelopmentServer, http: httpx2.AsyncClient) -> Visitor:
    return Visitor(server, http)
