"""What the pages on identity providers show is what the presets do."""

import dataclasses
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from resource_server import Issuer, ResourceServer
from resource_server.issuers.presets import PRESETS
from resource_server.settings import PREFIX, Settings

DOCS = Path(__file__).parent.parent.parent / "docs"
INDEX = (DOCS / "identity-providers.md").read_text("utf-8")
PAGES = sorted((DOCS / "identity-providers").glob("*.md"))
PARTS = ("## The lines", "## When a token is refused")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def programs(page: Path) -> list[str]:
    return [source for source in blocks(page, "python") if "ResourceServer(" in source]


def variables(page: Path) -> list[dict[str, str]]:
    """The environments that a page exports."""
    found = []
    for block in blocks(page, "console"):
        words = [shlex.split(line) for line in block.splitlines()]
        pairs = [word.partition("=") for command, *rest in words if command == "export" for word in rest]
        found.append({name: value for name, _, value in pairs})
    return [one for one in found if one]


def described(issuer: Issuer) -> dict[str, Any]:
    """What an issuer says, however the audience was written."""
    names = {field.name for field in dataclasses.fields(issuer)} - {"audience"}
    values = {name: getattr(issuer, name) for name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def trusted(server: ResourceServer) -> list[dict[str, Any]]:
    return [described(keys.issuer) for keys in server.issuers]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    return monkeypatch


@pytest.mark.parametrize(
    ("page", "number"),
    [pytest.param(page, number, id=f"{page.stem}-{number}") for page in PAGES for number in range(len(programs(page)))],
)
def test_program_environment_and_file_of_a_page_say_the_same(
    page: Path, number: int, configured: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What can be copied must work, whichever of the three is copied."""
    names: dict[str, Any] = {}
    exec(compile(programs(page)[number], page.name, "exec"), names)

    for name, value in variables(page)[number].items():
        configured.setenv(name, value)
    from_environment = Settings.load().resource_server()
    for name in variables(page)[number]:
        configured.delenv(name)

    path = tmp_path / "resource-server.toml"
    path.write_text(blocks(page, "toml")[number], "utf-8")
    path.chmod(0o600)
    configured.setenv(f"{PREFIX}CONFIG", str(path))
    from_file = Settings.load().resource_server()

    assert trusted(names["api"]) == trusted(from_environment) == trusted(from_file)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_each_configuration_in_three_ways(page: Path) -> None:
    """Python, environment variables, TOML."""
    assert len(programs(page)) == len(variables(page)) == len(blocks(page, "toml"))


def test_every_preset_has_a_page_that_the_index_names() -> None:
    """A preset that nobody can read of does not exist."""
    rows = dict(re.findall(r"^\| `(\w+)` \| .*?\]\(identity-providers/(\w+)\.md", INDEX, re.MULTILINE))
    assert rows.keys() == PRESETS.keys()
    assert set(rows.values()) == {page.stem for page in PAGES}
    for preset, stem in rows.items():
        page = DOCS / "identity-providers" / f"{stem}.md"
        shown = [one.get(f"{PREFIX}PRESET") for one in variables(page)]
        assert preset in shown or (preset == "google" and shown == []), preset


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "google"], ids=lambda page: page.stem)
def test_a_page_has_the_lines_and_what_a_refusal_means(page: Path) -> None:
    """Each provider is explained alike; kinds are links, so that a renamed one is noticed."""
    text = page.read_text("utf-8")
    assert [part for part in PARTS if f"\n{part}\n" not in text] == []
    refusals = text.partition("## When a token is refused")[2]
    assert len(re.findall(r"\[`(\w+)`\]\(\.\./refusals\.md#\1\)", refusals)) >= 3
    assert page.stem == "rfc9068" or "## The trap" in text


def test_the_page_on_google_shows_the_sentence(configured: pytest.MonkeyPatch) -> None:
    """Who meets it finds it."""
    configured.setenv(f"{PREFIX}PRESET", "google")
    configured.setenv(f"{PREFIX}ISSUER", "https://accounts.google.com")
    configured.setenv(f"{PREFIX}AUDIENCE", "https://api.example.com")
    with pytest.raises(ValueError, match="google") as caught:
        Settings.load().resource_server()
    assert [str(caught.value)] == [
        block.rstrip("\n") for block in blocks(DOCS / "identity-providers/google.md", "text")
    ]
