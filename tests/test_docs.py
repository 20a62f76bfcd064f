"""What the documents say is what the code does."""

import ast
import fnmatch
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from resource_server import Kind, Refusal
from resource_server.challenge import ProtectionSpace, answer
from resource_server.cli import app as command_line
from resource_server.demands import Demands
from resource_server.refusals import TABLE
from resource_server.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *DOCS]
SETTINGS = (ROOT / "docs/settings.md").read_text("utf-8")

# The operation of which refusals.md shows the answers.
DEMANDS = Demands(scopes=("orders:read",), acr_values=("urn:example:mfa",), max_age=300, roles=("admin",))

# In pieces, so that this file names none of them.
REGISTRIES = tuple(
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("anaconda", "org"),
        ("golang", "org"),
    )
)
MACHINE_PATH = re.compile(r"(?<![\w.~*-])/(?:work|root|home)/")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]+`", "", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def sections(text: str, level: str = "##") -> dict[str, str]:
    """What stands below each heading of a level, by heading; code is not searched for headings."""
    found: dict[str, str] = {}
    heading, fenced = "", False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if not fenced and line.startswith(f"{level} "):
            heading = line.removeprefix(level).strip()
            assert heading not in found, f"{heading} occurs twice"
        found[heading] = found.get(heading, "") + line
    return found


def anchor(heading: str) -> str:
    """The fragment by which a heading can be linked, as the usual renderers make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@cache
def refusals() -> dict[str, str]:
    return sections((ROOT / "docs/refusals.md").read_text("utf-8"))


def is_committed(name: str) -> bool:
    patterns = (ROOT / ".gitignore").read_text("utf-8").split("\n")
    return name != ".git" and not any(fnmatch.fnmatch(name, pattern.rstrip("/")) for pattern in patterns if pattern)


def committed_texts() -> Iterator[tuple[str, str]]:
    """All text files of the checkout but those that are ignored, found without git."""
    for folder, below, files in os.walk(ROOT):
        below[:] = [name for name in below if is_committed(name)]
        for name in filter(is_committed, files):
            path = Path(folder, name)
            try:
                yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


def test_refusals_has_a_section_for_each_kind_in_the_order_of_the_enum() -> None:
    """An operator who reads a kind finds its section."""
    kinds = [kind.value for kind in Kind]
    assert [heading for heading in refusals() if heading in kinds] == kinds


@pytest.mark.parametrize("kind", Kind)
def test_a_section_names_its_row_its_status_and_the_cure(kind: Kind) -> None:
    """The row of the table; a kind that nothing raises has no cure, and says so."""
    section, row = refusals()[kind.value], TABLE[kind]
    assert re.findall(r"\*\*Row (\w+), status (\d+)\.\*\*", section) == [(row.id, str(row.status))]
    cured = "**The operator sees**" in section and "**The cure.**" in section
    assert cured != ("Nothing raises it yet" in section)


@pytest.mark.parametrize("kind", Kind)
def test_a_section_shows_the_answer_to_the_letter(kind: Kind) -> None:
    """Decision table: the one block of the section, or the one that it refers to."""
    rendered = answer(Refusal(kind), ProtectionSpace(), DEMANDS)
    shared = {
        anchor(heading): text for heading, text in sections(refusals()["Shared answers"], "###").items()
    } | refusals()
    shown = blocks(refusals()[kind.value], "http")
    if not shown:
        target = re.search(r"\]\(#([\w-]+)\)", refusals()[kind.value])
        assert target is not None
        shown = blocks(shared[target[1]], "http")
    [block] = shown
    head, _, body = block.partition("\n\n")
    status, *fields = head.split("\n")
    assert status.split(" ")[1] == str(rendered.status)
    assert fields == [f"{name}: {value}" for name, value in rendered.headers]
    assert body.rstrip("\n").encode() == rendered.content


def reasons() -> re.Pattern[str]:
    """What the code can say: its texts, with anything in the place of what is filled in or follows a last space."""
    said: set[str] = set()
    for path in (ROOT / "resource_server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            texts = [part.value if isinstance(part, ast.Constant) else ... for part in parts]
            if sum(len(text) for text in texts if isinstance(text, str)) > 5:
                pattern = "".join(".+" if text is ... else re.escape(str(text)) for text in texts)
                said.add(re.sub(r" \Z", " .+", pattern))
    return re.compile("|".join(said))


def test_the_reasons_that_an_operator_reads_are_those_of_the_code() -> None:
    """Who looks for a line of the log in refusals.md finds it."""
    known = reasons()
    paragraphs = re.findall(r"\*\*The operator sees\*\*.*?\n\n", "".join(refusals().values()), re.DOTALL)
    shown = [span for text in paragraphs for span in re.findall(r"`([^`]+)`", text) if " " in span]
    assert len(shown) > 30
    assert [span for span in shown if not (known.fullmatch(span) or span.startswith("https:"))] == []


def written(value: Any) -> str:
    """A default as the table writes it."""
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_settings_lists_each_setting_with_its_toml_key_and_default() -> None:
    """DESIGN §5: the docs hold the whole table, and a test holds the docs."""
    rows = re.findall(rf"^\| `({PREFIX}\w+)` \| `(\w+)` \| (\S+) \| (.+) \| (.+) \|$", SETTINGS, re.MULTILINE)
    listed = {variable: (key, default.strip("`")) for variable, key, default, _, _ in rows}
    assert len(listed) == len(rows)
    assert listed == {
        PREFIX + name.upper(): (name, written(field.default)) for name, field in Settings.model_fields.items()
    }


@pytest.mark.parametrize("example", blocks(SETTINGS, "toml"))
def test_an_example_of_a_configuration_file_is_accepted(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can be copied must work."""
    path = tmp_path / "resource-server.toml"
    path.write_text(example, "utf-8")
    path.chmod(0o600)
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv(f"{PREFIX}CONFIG", str(path))
    assert Settings.load().resource_server().issuers.first == "https://id.example.com"


def test_each_command_of_the_command_line_is_named() -> None:
    """A command that nobody can read of does not exist."""
    text = "\n".join(page.read_text("utf-8") for page in [README, *DOCS])
    commands = [one.name or getattr(one.callback, "__name__", "") for one in command_line.registered_commands]
    commands += [one.name or "" for one in command_line.registered_groups]
    assert commands
    assert [name for name in commands if f"resource-server {name}" not in text] == []


def run(source: str, names: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "example", **names}
    exec(compile(source, "example", "exec"), namespace)
    return namespace


def test_the_readmes_first_example_answers_as_the_readme_says() -> None:
    """The README's first promise: the answer to a request without a token, to the letter."""
    text = README.read_text("utf-8")
    app = run(blocks(text, "python")[0])["app"]
    assert isinstance(app, FastAPI)
    head, _, body = blocks(text, "http")[0].partition("\n\n")
    status, *fields = head.split("\n")
    response = TestClient(app).get("/notes")
    assert f"HTTP/1.1 {response.status_code} {response.reason_phrase}" == status
    sent = [f"{name}: {value}" for name, value in response.headers.multi_items() if name != "content-length"]
    assert sorted(sent) == sorted(fields)
    assert response.text == body.rstrip("\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_compile_and_run_where_they_are_complete(page: Path) -> None:
    """What can be copied must work; an example that begins with an import is complete, after those above it."""
    names: dict[str, Any] = {}
    for source in blocks(page.read_text("utf-8"), "python"):
        if isinstance(ast.parse(source).body[0], ast.Import | ast.ImportFrom):
            names |= run(source, names)


@cache
def threats() -> dict[str, str]:
    return sections((ROOT / "docs/threat-model.md").read_text("utf-8"), "###")


def test_each_threat_has_a_section_with_its_rule() -> None:
    """T1 to T38, in order."""
    found = {heading.partition(":")[0]: text for heading, text in threats().items() if heading}
    assert list(found) == [f"T{number}" for number in range(1, 39)]
    assert [name for name, text in found.items() if "**Rule:**" not in text] == []


def test_each_threat_is_answered_somewhere_or_says_what_is_missing() -> None:
    """A rule without a module and a test is a wish: it must say so."""
    for heading, text in list(threats().items())[1:]:
        answered = "**Where:**" in text and re.search(r"`test_\w+`", text)
        assert answered or "**Not yet:**" in text, heading


def test_tests_and_modules_that_the_threat_model_names_exist() -> None:
    """A test that was renamed or removed must not go on vouching for a rule."""
    text = "".join(threats().values())
    files = [path for path in (ROOT / "tests").rglob("*.py") if is_committed(path.name)]
    known = {name for path in files for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))}
    assert set(re.findall(r"`(test_\w+)`", text)) - known == set()
    modules = re.findall(r"`([\w/]+\.py)`", text)
    assert [name for name in modules if not (ROOT / "resource_server" / name).is_file()] == []


def test_no_file_names_a_package_registry_or_a_place_on_a_machine() -> None:
    """The project installs from wherever its user's tools are configured to."""
    faults = [
        (name, number)
        for name, text in committed_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if any(host in line for host in REGISTRIES) or MACHINE_PATH.search(line)
    ]
    assert faults == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    """A link that leads nowhere ends the reading."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        if fragment:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            assert fragment in map(anchor, headings), target


def test_the_changelog_has_a_section_for_what_is_unreleased() -> None:
    """Keep a Changelog: it is where a change is written down."""
    found = sections((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert list(found)[1] == "Unreleased"
    assert "\n- " in found["Unreleased"]
