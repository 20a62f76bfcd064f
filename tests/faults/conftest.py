"""An issuer on a real socket, and the bundled API that trusts it."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.scene import Scene
from tests.faults.scripted_issuer import ScriptedIssuer, scripted_issuer
from tests.turnable_clock import TurnableClock


@pytest.fixture(autouse=True, scope="session")
def _client_is_loaded() -> None:
    """What the client imports when it is first used takes longer than some tests give an issuer that hangs."""
    import h11  # noqa: F401
    import httpcore2  # noqa: F401


@pytest.fixture
async def issuer(time: TurnableClock) -> AsyncIterator[ScriptedIssuer]:
    async with scripted_issuer(time) as running:
        yield running


@pytest.fixture
def scene(time: TurnableClock, issuer: ScriptedIssuer) -> Scene:
    return Scene(time, issuer)
