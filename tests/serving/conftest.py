"""One connection to an application, without a socket."""

import pytest

from tests.serving.app import App
from tests.serving.wire import Connection


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def connection(app: App) -> Connection:
    return Connection(app)
