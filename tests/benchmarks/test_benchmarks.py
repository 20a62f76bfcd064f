"""The benchmarks still run. Nothing here looks at a time."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from resource_server.testing import FakeIssuer
from tests.benchmarks import (
    chart,
    forgeries,
    growth,
    introspection,
    over_http,
    report,
    routes,
    serving,
    startup,
    tokens,
)
from tests.benchmarks.apps import PATH
from tests.benchmarks.measuring import TINY
from tests.benchmarks.section import Bar, Goal, Section, goals_table
from tests.benchmarks.tokens import CLAIMS

PARTS: dict[str, Callable[[], list[Section]]] = {
    "tokens": lambda: tokens.measure(TINY, peers=False, algorithms=("ES256", "EdDSA")),
    "forged": lambda: forgeries.measure(TINY),
    "introspection": lambda: introspection.measure(TINY),
    "routes": lambda: routes.measure(TINY),
    "growth": lambda: growth.measure(TINY, remembered=(2, 5), many=2),
    "import": lambda: startup.measure(rounds=1),
}
SECTION = Section("A <title>", "A note.", ["", "µs"], [["row", "1.0"]], bars=[Bar("one & two", 1.5, ours=True, goal=2)])


@pytest.mark.parametrize("part", PARTS)
def test_each_part_still_runs(part: str) -> None:
    """DESIGN §8: what is measured has to stay measurable."""
    for section in PARTS[part]():
        assert section.rows
        assert all(len(row) == len(section.header) for row in section.rows)
        assert section.title in section.markdown()


@pytest.mark.parametrize("name", ["required", "tutorial"])
def test_what_wrk_would_ask_answers_200(name: str, tmp_path: Path) -> None:
    """DESIGN §8: the applications of the HTTP part, under the settings of serve."""
    issuer = FakeIssuer(serving.ISSUER, audience=serving.AUDIENCE, algorithm="RS256")
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(issuer.mint.jwks()), "utf-8")
    with over_http.served(name, keys) as (pid, port):
        request = Request(
            f"http://127.0.0.1:{port}{PATH}", headers={"Authorization": f"Bearer {issuer.token(**CLAIMS)}"}
        )
        with urlopen(request) as answer:
            assert json.load(answer) == {"owner": "alice"}
        assert over_http.cpu_seconds(pid) > 0


def test_without_wrk_a_sentence_stands_in_place_of_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that lacks it runs the other parts."""
    monkeypatch.setenv("PATH", "")
    (section,) = over_http.measure(1, 1)
    assert section.rows == []
    assert "`apt-get install wrk`" in section.markdown()


@pytest.mark.parametrize(
    ("value", "at_most", "word"),
    [(1.504, True, "met"), (1.506, True, "**missed**"), (1.496, False, "met"), (1.494, False, "**missed**")],
)
def test_a_goal_is_judged_by_the_decimals_that_are_shown(value: float, at_most: bool, word: str) -> None:
    """A table that says 1.50 and calls it missed would be no table."""
    assert f"| {word} |" in goals_table([Goal("what", value, 1.5, at_most)])


def test_the_chart_is_well_formed_and_has_no_script() -> None:
    """It is shown by whatever shows the page."""
    root = ET.fromstring(chart.draw([SECTION]))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "one & two" in {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_the_page_has_the_markers_once() -> None:
    """What stands between them is rewritten by each run."""
    page = report.PAGE.read_text("utf-8")
    assert (page.count(report.BEGIN), page.count(report.END)) == (1, 1)
    assert page.index(report.BEGIN) < page.index(report.END)
