"""The setting that limits failed authentications: how it is written, and what it contradicts."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from resource_server import ConfigurationError, RateLimit
from resource_server.settings import Settings
from tests.configuring import GOOD, PREFIX, Configuration

NAME = f"{PREFIX}FAILED_AUTHENTICATIONS"


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    return Configuration(monkeypatch, tmp_path)


def rate() -> RateLimit | None:
    return Settings.load().resource_server().failed_authentications


@pytest.mark.parametrize("text", ["20/60s", "20/1m"])
def test_variable_key_and_argument_say_the_same(configuration: Configuration, text: str) -> None:
    """DESIGN §5: constructor argument = TOML key = environment variable."""
    configuration.set(**GOOD)
    assert rate() is None
    configuration.set(FAILED_AUTHENTICATIONS=text)
    assert rate() == RateLimit(20, per=60)
    configuration.set(
        FAILED_AUTHENTICATIONS="", CONFIG=configuration.write(f'failed_authentications = "{text}"\nworkers = 4\n')
    )
    assert rate() == RateLimit(5, per=60)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({}, f"{NAME} must be written as 20/60s, 20/1m or 100/1h", id="twenty"),
        pytest.param({"FAILED_AUTHENTICATIONS": "0/60s"}, f"{NAME} needs a whole number from 1 to 1000000 as limit"),
        pytest.param({"FAILED_AUTHENTICATIONS": "20/25h"}, f"{NAME} needs a whole number from 1 to 86400 as per"),
        pytest.param(
            {"FAILED_AUTHENTICATIONS": "3/60s", "WORKERS": "4"},
            f"{NAME} must be one at least for each of 4 workers, who divide them up",
            id="more workers",
        ),
        pytest.param(
            {"FAILED_AUTHENTICATIONS": "20/60s", "TRUSTED_PROXIES": "10.0.0.1,::/0"},
            f"{NAME} contradicts trusted_proxies, which trust everybody: any caller could use up any other's limit; "
            "name your proxies alone",
            id="everybody is a proxy",
        ),
    ],
)
def test_what_makes_no_sense_ends_the_start_in_one_sentence(
    configuration: Configuration, values: dict[str, str], sentence: str
) -> None:
    """DESIGN §5, T33: it names the setting and the cure, and never quotes a value."""
    configuration.set(**GOOD, **({"FAILED_AUTHENTICATIONS": "twenty"} | values))
    with pytest.raises(ConfigurationError) as caught:
        Settings.load().resource_server()
    assert str(caught.value) == sentence


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.one_of(st.from_regex(r"[0-9]{1,3}/[0-9]{1,3}[smh]", fullmatch=True), st.text("0123456789/smh ", max_size=9)))
@example(" ")
def test_whatever_is_written_is_a_limit_or_ends_the_start(configuration: Configuration, text: str) -> None:
    """A slip of the pen must not turn the limit off: nothing but an empty variable does."""
    configuration.set(**GOOD, FAILED_AUTHENTICATIONS=text)
    try:
        found = rate()
    except ConfigurationError as error:
        assert error.option == NAME  # noqa: PT017 - either is right
    else:
        assert (found is None) == (text == "")
