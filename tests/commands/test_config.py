"""``resource-server config``: what is configured, and whether a server would start with it."""

import json

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
