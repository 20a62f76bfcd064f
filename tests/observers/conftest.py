"""An audit, and the stream that it writes to."""

import pytest

from resource_server.observers.audit import Audit
from tests.observers.lines import Lines

KEY = b"the key of this deployment"


@pytest.fixture
def stream() -> Lines:
    return Lines()


@pytest.fixture
def audit(stream: Lines) -> Audit:
    return Audit(KEY, stream, clock=lambda: 0.0)
