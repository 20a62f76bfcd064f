"""``resource-server doctor``: lines for people, JSON for machines, exit codes for scripts."""

import asyncio
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resource_server.check import Check
from resource_server.commands.doctor import WIDTH, Progress, exit_code, render
from resource_server.commands.doctor import run as run_doctor
from resource_server.diagnosis import Diagnosis, Outcome
from resource_server.issuers.fetch import Fetched
from resource_server.settings import Settings
from resource_server.testing import FakeIssuer
from tests.commands.conftest import Run
from tests.configuring import GOOD, Configuration
from tests.integration.key_server import KeyServer, key_server

ROOT = Path(__file__).parents[2]
CHECK = re.compile(r"findings\.(?:fine|warn|wrong)\(\s*\"(\w+)\"")
NOBODY = "http://127.0.0.1:9"
"""The discard port of loopback refuses connections."""


@pytest.fixture
def published() -> Iterator[KeyServer]:
    """An issuer on loopback that does everything right."""
    with key_server() as server:
        yield server


def tables(*issuers: str, grants: str = 'grants = "everything"') -> str:
    """A configuration file for several issuers."""
    return "\n".join(
        f'[[issuers]]\nissuer = "{one}"\naudience = "https://api.example.com"\n{grants}' for one in issuers
    )


def test_a_good_issuer_ends_with_0_and_a_line_a_check(
    run: Run, configuration: Configuration, published: KeyServer
) -> None:
    """DESIGN §6: exit 0 is fine. What is right takes one line, or what its text needs."""
    configuration.set(ISSUER=published.issuer, AUDIENCE="https://api.example.com")
    ended = run("doctor")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert (lines[0], lines[-2]) == (published.issuer, "  => all is well")
    assert f"  ✔ issuer        {published.issuer}, to the letter" in lines
    assert "  ✔ clock         the same as the issuer's" in lines
    assert "✘" not in ended.out
    assert "  ! " not in ended.out


def test_a_wrong_issuer_ends_with_1_and_the_line_to_paste(
    run: Run, configuration: Configuration, published: KeyServer
) -> None:
    """DESIGN §6: exit 1 is unhealthy. --issuer and --audience stand in for the settings."""
    configuration.set(ISSUER="https://id.example.com")
    ended = run("doctor", "--issuer", published.issuer + "/", "--audience", "https://api.example.com")
    assert ended.code == 1
    lines = ended.out.splitlines()
    at = lines.index(f"  ✘ issuer        found:    {published.issuer}")
    assert lines[at + 1 : at + 3] == [
        f"                  expected: {published.issuer}/",
        f"                  fix:      differs only by a trailing slash; set RESOURCE_SERVER_ISSUER={published.issuer}",
    ]
    assert "  => 1 wrong" in lines


def test_an_issuer_that_can_not_be_reached_ends_with_3(run: Run, configuration: Configuration) -> None:
    """DESIGN §6: exit 3 is unreachable."""
    configuration.set(ISSUER=NOBODY, AUDIENCE="https://api.example.com")
    ended = run("doctor")
    assert ended.code == 3
    assert "  ✘ discovery     found:    127.0.0.1:9 accepts no connection: OpenID Connect Discovery at" in ended.out
    assert ended.out.endswith("  => 1 wrong; it can't be reached\n\n")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        pytest.param({}, "RESOURCE_SERVER_ISSUER is missing", id="nothing"),
        pytest.param(GOOD | {"LEEWAY": "61"}, "RESOURCE_SERVER_LEEWAY must be from 0 to 60 seconds", id="value"),
        pytest.param(GOOD | {"CORS_ORIGINS": "*"}, "RESOURCE_SERVER_CORS_ORIGINS ", id="what-no-issuer-has"),
        pytest.param(GOOD | {"CA_FILE": "/nowhere"}, "RESOURCE_SERVER_CA_FILE names a file", id="ca-file"),
    ],
)
def test_a_configuration_that_serve_would_not_start_with_ends_with_2(
    run: Run, configuration: Configuration, settings: dict[str, str], sentence: str
) -> None:
    """DESIGN §5: one sentence; and nobody is asked anything."""
    configuration.set(**settings)
    ended = run("doctor")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(sentence)


def test_several_issuers_are_printed_in_their_order(
    run: Run, configuration: Configuration, published: KeyServer
) -> None:
    """DESIGN §6: they are examined at once; what is wrong weighs more than what can't be reached."""
    configuration.set(CONFIG=configuration.write(tables(NOBODY, published.issuer, published.issuer + "/")))
    ended = run("doctor")
    heads = [line for line in ended.out.splitlines() if line.startswith("http")]
    assert heads == [NOBODY, published.issuer, published.issuer + "/"]
    assert f'set issuer = "{published.issuer}" in [[issuers]] table 3' in " ".join(ended.out.split())
    assert ended.out.endswith("1 of 3 issuers are usable\n")
    assert ended.code == 1


def test_strict_makes_warnings_fail(run: Run, configuration: Configuration, published: KeyServer) -> None:
    """DESIGN §6: for CI. T1: of several issuers, each has to say what it grants."""
    with key_server() as other:
        configuration.set(CONFIG=configuration.write(tables(published.issuer, other.issuer, grants="")))
        plain, strict = run("doctor"), run("doctor", "--strict")
    assert (plain.code, strict.code, plain.err) == (0, 1, "")
    assert plain.out == strict.out
    assert plain.out.count("  ! grants        found:    nothing: its tokens open only what needs any valid token") == 2
    assert plain.out.count("  => 1 warning\n") == 2


def test_json_has_the_same_facts(run: Run, configuration: Configuration, published: KeyServer) -> None:
    """DESIGN §6: --json everywhere; the structure is stable."""
    configuration.set(ISSUER=published.issuer + "/", AUDIENCE="https://api.example.com")
    ended = run("doctor", "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["status"], told.keys()) == (1, 1, {"status", "issuers"})
    [issuer] = told["issuers"]
    assert issuer.keys() == {"issuer", "outcome", "checks"}
    assert (issuer["issuer"], issuer["outcome"]) == (published.issuer + "/", "wrong")
    assert {tuple(check) for check in issuer["checks"]} == {("name", "passed", "found", "expected", "cure", "warning")}
    assert [check["name"] for check in issuer["checks"] if not check["passed"]] == ["issuer"]


def test_what_a_terminal_would_obey_is_escaped(run: Run, real_issuer: FakeIssuer, configuration: Configuration) -> None:
    """T35: ESC, right-to-left override and markup, of an issuer that is not to be trusted yet."""
    [key] = real_issuer.mint.jwks()["keys"]
    configuration.write(json.dumps({"keys": [key | {"kid": "\x1b[31m\u202e[red]\n"}]}), name="jwks.json")
    text, machine = run("doctor"), run("doctor", "--json")
    assert text.code == 0
    assert r"kid \x1b[31m\u202e[red]\n, EC P-256: for ES256" in text.out
    for ended in (text, machine):
        assert "\x1b" not in ended.out
        assert "\u202e" not in ended.out


def test_a_proxy_s_credentials_are_not_printed(run: Run, configuration: Configuration) -> None:
    """T37."""
    configuration.set(**GOOD, PROXY="http://user:s3cret-canary@127.0.0.1:9")
    text, machine = run("doctor"), run("doctor", "--json")
    assert "  ✔ proxy         by http://127.0.0.1:9\n" in text.out
    for ended in (text, machine):
        assert ended.code == 3
        assert "s3cret" not in ended.out + ended.err


OF: dict[str, Diagnosis] = {
    "fine": Diagnosis("a", Outcome.FINE, ()),
    "warning": Diagnosis("a", Outcome.WARNING, (Check("grants", passed=True, warning=True),)),
    "unreachable": Diagnosis("a", Outcome.UNREACHABLE, (Check("key_set", passed=False),)),
    "wrong": Diagnosis("a", Outcome.WRONG, (Check("issuer", passed=False),)),
}


@pytest.mark.parametrize(
    ("outcomes", "code", "strict"),
    [
        ("fine", 0, 0),
        ("fine warning", 0, 1),
        ("unreachable fine", 3, 3),
        ("unreachable warning", 3, 1),
        ("unreachable wrong", 1, 1),
        ("wrong", 1, 1),
    ],
)
def test_the_exit_code_is_of_the_worst_that_will_not_pass_by_itself(outcomes: str, code: int, strict: int) -> None:
    """DESIGN §6: 0 fine, 1 unhealthy, 3 unreachable."""
    diagnoses = [OF[one] for one in outcomes.split()]
    assert (exit_code(diagnoses), exit_code(diagnoses, strict=True)) == (code, strict)


def test_what_can_be_pasted_is_never_broken() -> None:
    """DESIGN §6: the exact setting line."""
    line = "RESOURCE_SERVER_METADATA_URL=https://id.example.com/" + "a-b/" * 40
    check = Check("issuer", passed=False, found="x", expected="y", cure=f"set {line}, then try again")
    told = render(Diagnosis("https://id.example.com", Outcome.WRONG, (check,)))
    assert f"{line}," in told.split()
    assert max(len(one) for one in told.splitlines() if line not in one) <= WIDTH


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_for_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN §6: a log has no use for it."""
    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        monkeypatch.setattr(sys, "stderr", stream)
        progress = Progress(2)
        progress.one_more()
        progress.one_more()
        progress.clear()
    shown = terminal.getvalue().split("\r\x1b[K")
    assert shown == ["", "0 of 2 issuers examined …", "1 of 2 issuers examined …", ""]
    assert log.getvalue() == ""


def test_each_check_has_a_row_in_the_docs() -> None:
    """DESIGN §5: the docs hold the whole table, and a test holds the docs."""
    source = "".join(path.read_text("utf-8") for path in (ROOT / "resource_server/diagnosis").glob("*.py"))
    page = (ROOT / "docs/doctor.md").read_text("utf-8")
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| .+ \| .*\|$", page, re.MULTILINE)
    assert set(CHECK.findall(source)) == {name for row in rows for name in re.findall(r"\w+", row)}


class Gathering:
    """An issuer's answers, the first of which comes only when the other issuer has been asked, too."""

    def __init__(self, *issuers: FakeIssuer) -> None:
        self.issuers = issuers
        self.second_asked = asyncio.Event()

    async def __call__(self, url: str) -> Fetched:
        first, second = self.issuers
        if url.startswith(second.url):
            self.second_asked.set()
            return await second.fetch(url)
        await asyncio.wait_for(self.second_asked.wait(), 10)
        return await first.fetch(url)


def test_issuers_are_examined_at_once(configuration: Configuration, capsys: pytest.CaptureFixture[str]) -> None:
    """DESIGN §6: one that is slow holds up no other, and still comes first."""
    first, second = FakeIssuer("https://a.example.com"), FakeIssuer("https://b.example.com")
    configuration.set(CONFIG=configuration.write(tables(first.url, second.url)))
    assert run_doctor(Settings.load(), strict=True, as_json=False, fetch=Gathering(first, second)) == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if line.startswith("https")]
    assert heads == [first.url, second.url]
