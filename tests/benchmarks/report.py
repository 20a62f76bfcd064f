"""docs/performance.md and docs/performance.svg: what was measured stands between two markers, the rest is prose."""

import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.benchmarks import chart
from tests.benchmarks.measuring import ROOT
from tests.benchmarks.section import Section, goals_table

DOCS: Final = ROOT / "docs"
PAGE: Final = DOCS / "performance.md"
CHART: Final = DOCS / "performance.svg"
BEGIN: Final = "<!-- measured: written by `make bench` -->"
END: Final = "<!-- end of what was measured -->"
PACKAGES: Final = ("fastapi", "uvicorn", "cryptography", "joserfc", "authlib", "pyjwt", "python-jose", "jwcrypto")


def render(sections: Sequence[Section]) -> str:
    """All tables, the goals first."""
    goals = [goal for section in sections for goal in section.goals]
    return "\n".join([goals_table(goals), *(section.markdown() for section in sections)])


def write(sections: Sequence[Section]) -> None:
    """Put the tables between the page's markers, and draw the chart."""
    page = PAGE.read_text("utf-8")
    about = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    where = f"Python {platform.python_version()} on {processor()}; {about}."
    measured = f"{BEGIN}\n\n{where}\n\n{render(sections)}\n{END}"
    PAGE.write_text(re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: measured, page, flags=re.DOTALL), "utf-8")
    CHART.write_text(chart.draw(sections), "utf-8")


def processor() -> str:
    """The processor's name, as Linux tells it."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", info.read_text("utf-8"), re.MULTILINE) if info.exists() else None
    return found[1] if found else platform.machine()
