"""What tests of every floor share."""

import gc
import logging
import os
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from resource_server.observers.refusal_log import LOGGER
from resource_server.testing import FakeIssuer
from tests.sharing import Sharing
from tests.turnable_clock import TurnableClock


def pytest_configure(config: pytest.Config) -> None:
    """Processes that share the tests order sets alike, or they would not collect the same; another run, otherwise."""
    if config.getoption("numprocesses", None):
        os.environ.setdefault("PYTHONHASHSEED", str(secrets.randbelow(2**32)))


def pytest_report_header() -> str:
    """To repeat a run that failed."""
    return f"PYTHONHASHSEED={os.environ.get('PYTHONHASHSEED', 'random')}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    return Sharing(config, log)


def pytest_collection_finish() -> None:
    """What was collected stays: whoever collects garbage later need not look at it again and again."""
    gc.collect()
    gc.freeze()


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
