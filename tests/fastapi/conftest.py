"""One resource server for each test, whose issuer lives in the test."""

from collections.abc import Callable
from typing import Any

import pytest

from resource_server import ResourceServer
from resource_server.testing import FakeIssuer
from tests.turnable_clock import TurnableClock

MakeApi = Callable[..., ResourceServer]


@pytest.fixture
def make_api(issuer: FakeIssuer, time: TurnableClock) -> MakeApi:
    def make(**options: Any) -> ResourceServer:
        given: dict[str, Any] = {"audience": issuer.audience, "fetch": issuer.fetch, "clock": time.clock} | options
        return ResourceServer(given.pop("issuer", issuer.url), **given)

    return make


@pytest.fixture
def api(make_api: MakeApi) -> ResourceServer:
    return make_api()
