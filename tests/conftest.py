"""What tests of every floor share."""

import logging
from collections.abc import Callable

import pytest

from resource_server.observers.refusal_log import LOGGER
from resource_server.testing import FakeIssuer
from tests.turnable_clock import TurnableClock


@pytest.fixture(autouse=True, scope="session")
def _quiet_refusals() -> None:
    """Refusals are warned of by a thread, which could speak into the next test; who wants to hear it sets the level."""
    logging.getLogger(LOGGER).setLevel(logging.CRITICAL)


@pytest.fixture
def time() -> TurnableClock:
    return TurnableClock()


@pytest.fixture
def make_issuer(time: TurnableClock) -> Callable[..., FakeIssuer]:
    """Make fake issuers whose tokens are as old as the test's clock says."""

    def make(url: str = "https://id.example.com", **options: str) -> FakeIssuer:
        return FakeIssuer(url, now=lambda: time.wall, **options)

    return make


@pytest.fixture
def issuer(make_issuer: Callable[..., FakeIssuer]) -> FakeIssuer:
    return make_issuer()
