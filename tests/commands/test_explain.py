"""``resource-server explain``: lines for people, JSON for machines, exit codes for scripts."""

import json
from pathlib import Path

import pytest

from resource_server.testing import FakeIssuer
from tests.commands.conftest import Run
from tests.configuring import Configuration

INVALID = 'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"'


def test_a_good_token_ends_with_0(run: Run, real_issuer: FakeIssuer) -> None:
    """DESIGN §6: exit 0 is fine."""
    ended = run("explain", "--route", "GET /orders", stdin=real_issuer.token(scope="orders:read") + "\n")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == "  ✔ syntax        a signed JWT"
    assert ended.out.splitlines()[-1] == "  => 200  granted"


def test_a_refused_token_ends_with_1_and_says_the_kind_the_cure_and_the_challenge(
    run: Run, real_issuer: FakeIssuer
) -> None:
    """DESIGN §6: exit 1 is refused."""
    ended = run("explain", stdin=real_issuer.token(iss=real_issuer.url + "/"))
    assert ended.code == 1
    lines = ended.out.splitlines()
    at = lines.index("  ✘ issuer        token:  https://id.example.com/")
    assert lines[at + 1 : at + 3] == [
        "                  config: https://id.example.com",
        "                  fix:    differs only by a trailing slash; set RESOURCE_SERVER_ISSUER=https://id.example.com/",
    ]
    assert lines[-2:] == [
        "  => 401  kind wrong_issuer · docs/refusals.md#wrong_issuer",
        f"     WWW-Authenticate: {INVALID}",
    ]


def test_an_issuer_that_can_not_be_reached_ends_with_3(run: Run, configuration: Configuration) -> None:
    """DESIGN §6: exit 3 is unreachable. The discard port of loopback refuses connections."""
    configuration.set(ISSUER="http://127.0.0.1:9", AUDIENCE="https://api.example.com")
    ended = run("explain", stdin=FakeIssuer("http://127.0.0.1:9").token())
    assert ended.code == 3
    assert "no keys: http://127.0.0.1:9/.well-known/openid-configuration: ConnectError" in ended.out


def test_json_has_the_same_facts(run: Run, real_issuer: FakeIssuer) -> None:
    """DESIGN §6: --json everywhere."""
    ended = run("explain", "--json", stdin=real_issuer.token(exp=1))
    told = json.loads(ended.out)
    assert (ended.code, told["kind"], told["status"]) == (1, "expired", 401)
    assert [check["name"] for check in told["checks"] if not check["passed"]] == ["expiry"]


def test_a_token_comes_from_a_file_or_with_a_warning_from_an_argument(
    run: Run, real_issuer: FakeIssuer, tmp_path: Path
) -> None:
    """T37."""
    token = real_issuer.token()
    file = tmp_path / "token"
    file.write_text(token + "\n")
    by_file, by_argument = run("explain", "--file", str(file)), run("explain", token)
    assert (by_file.code, by_file.err) == (0, "")
    assert by_argument.code == 0
    assert by_argument.err == "The token is visible in the list of processes: give it by standard input or --file.\n"
    for ended in (by_file, by_argument):
        assert token not in ended.out + ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["explain"], "a token is missing: give it by standard input or --file\n"),
        (["explain", "--file", "/nowhere"], "--file can't be read (FileNotFoundError): /nowhere\n"),
        (["explain", "--route", "GET /nowhere"], None),
    ],
)
def test_a_wrong_call_ends_with_2_and_one_sentence(
    run: Run, real_issuer: FakeIssuer, arguments: list[str], told: str | None
) -> None:
    """DESIGN §6: exit 2 is usage."""
    ended = run(*arguments, stdin="" if told else real_issuer.token())
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (told or "--route is no protected route of the bundled API: give it as 'GET /orders'\n")


def test_what_a_terminal_would_obey_is_escaped(run: Run, real_issuer: FakeIssuer) -> None:
    """T35: ESC, right-to-left override and markup."""
    ended = run("explain", stdin=real_issuer.token(iss="\x1b[31m\u202e[red]\n"))
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out
    assert r"token:  \x1b[31m\u202e[red]\n" in ended.out
