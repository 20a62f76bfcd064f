"""``python -m tests.rfc.report`` writes ``docs/conformance.md``: each demand, and the tests that stand for it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.rfc.checklist import Requirement, Standing, requirements, standing

PAGE: Final = Path(__file__).parents[2] / "docs" / "conformance.md"

_HEAD: Final = """\
# Conformance

What the RFCs demand of a resource server, and the tests that hold this one to it. The wording is ours, the section
numbers are the sources'. A test talks HTTP to a protected API and knows nothing else of it, or shows that a
configuration ends the start; its name begins with the demand's id. A good token has been let in before anything is
refused.

Written by `python -m tests.rfc.report` from `tests/rfc/requirements.toml` and the marked tests; a test fails where a
MUST has neither a test nor a written reason, and where this page is out of date.
"""


def render() -> str:
    """The page."""
    demands, tests = list(requirements().values()), standing()
    by_id = {demand.id: [test for test in tests if test.id == demand.id] for demand in demands}
    parts = [_HEAD, _summary(demands, by_id)]
    for profile in dict.fromkeys(demand.profile for demand in demands):
        rows = [_row(demand, by_id[demand.id]) for demand in demands if demand.profile == profile]
        parts.append(_table(f"## Profile `{profile}`", ("id", "level", "requirement", "tests", "state"), rows))
    return "\n".join(parts)


def state(demand: Requirement, tests: list[Standing]) -> str:
    """How it stands with a demand."""
    if tests:
        return f"tested: {demand.remark}" if demand.remark else "tested"
    if demand.by_design:
        return f"by design: {demand.by_design}"
    if demand.not_applicable:
        return f"not applicable: {demand.not_applicable}"
    return "missing"


def _summary(demands: list[Requirement], by_id: dict[str, list[Standing]]) -> str:
    kinds = {"MUST and MUST NOT": True, "SHOULD and MAY": False}
    states = ("tested", "by design", "not applicable", "missing")
    rows = []
    for profile in dict.fromkeys(demand.profile for demand in demands):
        for kind, is_must in kinds.items():
            chosen = [demand for demand in demands if (demand.profile, demand.is_must) == (profile, is_must)]
            found = [state(demand, by_id[demand.id]).partition(":")[0] for demand in chosen]
            rows.append([f"`{profile}`", kind, str(len(chosen)), *(str(found.count(one)) for one in states)])
    return _table("", ("profile", "level", "demands", *states), rows)


def _row(demand: Requirement, tests: list[Standing]) -> list[str]:
    links = [f"[{_sentence(test)}](../tests/rfc/{test.file})" for test in tests]
    text = f"{demand.requirement} ({demand.source})" if demand.source != "ruling" else demand.requirement
    return [demand.id, demand.level, text, "<br>".join(links), state(demand, tests)]


def _sentence(test: Standing) -> str:
    """What a test's name says after the id."""
    return test.name.removeprefix(requirements()[test.id].in_a_name).replace("_", " ")


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(columns)
    lines = [columns, ["---"] * len(columns), *(list(row) for row in rows)]
    text = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return f"{title}\n\n{text}\n" if title else f"{text}\n"


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
