"""How many processes serve an API is said by whoever starts them, and by nothing else."""

from pathlib import Path

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.settings import Settings
from tests.configuring import GOOD, Configuration


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    return Configuration(monkeypatch, tmp_path)


def test_the_number_of_workers_is_read_from_its_own_setting_alone(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T13: what is meant for a server of processes is no word about the issuer's peace, and is not read silently."""
    monkeypatch.setenv("WEB_CONCURRENCY", "7")
    configuration.set(**GOOD)
    assert Settings.load().workers == 1
    configuration.set(WORKERS="1001")
    with pytest.raises(ConfigurationError) as caught:
        Settings.load().resource_server()
    assert str(caught.value) == "RESOURCE_SERVER_WORKERS must be how many processes serve this API, from 1 to 1000"
