"""``resource-server config``: what is configured, and whether a server would start with it."""

import json

import pytest

from resource_server.settings import Settings
from resource_server.testing import FakeIssuer
from tests.commands.conftest import Run
from tests.configuring import GOOD, Configuration


def test_check_says_that_a_server_would_start(run: Run, configuration: Configuration) -> None:
    """DESIGN §5."""
    configuration.set(**GOOD)
    ended = run("config", "check")
    assert (ended.code, ended.err) == (0, "")
    assert (
        ended.out
        == "The configuration is good. Accepted are tokens\n  of https://id.example.com for https://api.example.com\n"
    )
    assert json.loads(run("config", "check", "--json").out)["ok"] is True


def test_check_ends_with_2_and_the_sentence_that_would_end_the_start(run: Run, configuration: Configuration) -> None:
    """DESIGN §5: also what only the bind address contradicts (T23)."""
    assert run("config", "check").err.startswith("RESOURCE_SERVER_ISSUER is missing")
    configuration.set(ISSUER="http://127.0.0.1:9000", AUDIENCE="x")
    ended = run("config", "check", "--host", "0.0.0.0")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("RESOURCE_SERVER_ISSUER is on loopback while the server listens on 0.0.0.0")


def test_show_masks_secrets_and_tells_what_was_set(
    run: Run, real_issuer: FakeIssuer, configuration: Configuration
) -> None:
    """T37: secrets are absent from config show."""
    configuration.set(AUDIT_KEY="s3cret-canary")
    text, machine = run("config", "show"), run("config", "show", "--json")
    assert "s3cret-canary" not in text.out + text.err + machine.out + machine.err
    shown = json.loads(machine.out)
    assert shown["RESOURCE_SERVER_AUDIT_KEY"] == {"value": "********", "set": True}
    assert shown["RESOURCE_SERVER_ISSUER"] == {"value": real_issuer.url, "set": True}
    assert shown["RESOURCE_SERVER_LEEWAY"] == {"value": 30.0, "set": False}
    assert "RESOURCE_SERVER_LEEWAY" in text.out


LOOPBACK = (
    "RESOURCE_SERVER_FAILED_AUTHENTICATIONS counts each address for itself, and what listens on 127.0.0.1 is mostly "
    "reached through a proxy: name it in RESOURCE_SERVER_TRUSTED_PROXIES, or all who come through it share one limit"
)


@pytest.mark.parametrize(
    ("values", "host", "doubt"),
    [
        pytest.param({"FAILED_AUTHENTICATIONS": "20/60s"}, "127.0.0.1", LOOPBACK, id="behind an unnamed proxy"),
        pytest.param({"FAILED_AUTHENTICATIONS": "20/60s"}, "0.0.0.0", None, id="before everybody"),
        pytest.param(
            {"FAILED_AUTHENTICATIONS": "20/60s", "TRUSTED_PROXIES": "127.0.0.1"}, "127.0.0.1", None, id="a named proxy"
        ),
        pytest.param({}, "127.0.0.1", None, id="no limit"),
    ],
)
def test_a_limit_that_all_callers_would_share_is_doubted(
    configuration: Configuration, run: Run, values: dict[str, str], host: str, doubt: str | None
) -> None:
    """T33: behind a proxy that nobody named, one stranger would use up everybody's limit."""
    configuration.set(**GOOD, **values)
    assert Settings.load().doubt(host) == doubt
    told, machine = run("config", "check", "--host", host), run("config", "check", "--host", host, "--json")
    assert (told.code, machine.code) == (0, 0)
    assert (f"In doubt: {doubt}." in told.out) == (doubt is not None)
    assert json.loads(machine.out).get("doubt") == doubt
