"""The bundled API in process, with an issuer that lives in the test."""

import pytest
from fastapi import FastAPI

from resource_server import ResourceServer
from resource_server.demo.api import create_api
from resource_server.testing import FakeIssuer
from tests.turnable_clock import TurnableClock

METADATA = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"'


@pytest.fixture
def server(issuer: FakeIssuer, time: TurnableClock) -> ResourceServer:
    """As the settings of ``serve`` and ``dev`` make it: the bundled API discloses its roles."""
    return ResourceServer(
        issuer.url,
        audience=issuer.audience,
        resource="https://api.example.com",
        disclose_requirements=True,
        clock=time.clock,
        fetch=issuer.fetch,
    )


@pytest.fixture
def app(server: ResourceServer) -> FastAPI:
    return create_api(server)
