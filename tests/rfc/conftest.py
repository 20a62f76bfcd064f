"""APIs to probe. Each has let a good token in before a test gets it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from resource_server.testing import FakeIssuer
from tests.rfc.introspection import Asking, MakeAsking
from tests.rfc.probe import Probe
from tests.turnable_clock import TurnableClock


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requirement(id): the test stands for this demand of an RFC")


@pytest.fixture(params=["bundled", "small"])
async def api(request: pytest.FixtureRequest, issuer: FakeIssuer, time: TurnableClock) -> Probe:
    """The bundled API, protected in whole; and a small application whose routes require."""
    return await Probe(issuer, time, bundled=request.param == "bundled").control()


@pytest.fixture
async def bundled(issuer: FakeIssuer, time: TurnableClock) -> Probe:
    """The bundled API alone."""
    return await Probe(issuer, time).control()


@pytest.fixture
async def small(issuer: FakeIssuer, time: TurnableClock) -> Probe:
    """The small application alone: enough where the token makes the difference."""
    return await Probe(issuer, time, bundled=False).control()


@pytest.fixture
def make_api(issuer: FakeIssuer, time: TurnableClock) -> Callable[..., Awaitable[Probe]]:
    """Make a bundled API with options of the resource server; ``trust`` holds those of the issuer."""

    async def make(*, trust: dict[str, Any] | None = None, **options: Any) -> Probe:
        return await Probe(issuer, time, trust=trust or {}, options=options).control()

    return make


@pytest.fixture
def make_asking(issuer: FakeIssuer, time: TurnableClock) -> MakeAsking:
    """Make an API that asks its issuer; options are those of the :class:`Introspection`."""

    async def make(**how: Any) -> Asking:
        return await Asking(issuer, time, **how).control()

    return make


@pytest.fixture
async def asking(make_asking: MakeAsking) -> Asking:
    """One with the strict defaults."""
    return await make_asking()
