"""What a benchmark has to tell: a table, some bars for the chart, and which goals it has met."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Goal:
    """What the project has set itself."""

    what: str
    value: float
    bound: float
    at_most: bool = True
    unit: str = "×"

    @property
    def is_met(self) -> bool:
        """Judged by the two decimals that are shown."""
        value = round(self.value, 2)
        return value <= self.bound if self.at_most else value >= self.bound


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the chart."""

    label: str
    value: float
    ours: bool
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """The outcome of one benchmark."""

    title: str
    note: str
    """What was measured, in a sentence or two."""
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal] = ()
    bars: Sequence[Bar] = field(default=())
    axis: str = ""
    """What the bars show."""

    def markdown(self) -> str:
        """A heading, the note and the table."""
        lines = [f"### {self.title}", "", self.note, ""]
        if self.rows:
            lines += [_line(self.header), _line(["---", *["---:"] * (len(self.header) - 1)])]
            lines += [_line(row) for row in self.rows]
            lines.append("")
        return "\n".join(lines)


def goals_table(goals: Sequence[Goal]) -> str:
    """All goals, and whether they were met."""
    lines = ["### The goals", "", _line(["what", "goal", "measured", ""]), _line(["---", "---:", "---:", "---"])]
    for goal in goals:
        sign = "≤" if goal.at_most else "≥"
        word = "met" if goal.is_met else "**missed**"
        lines.append(_line([goal.what, f"{sign} {goal.bound:g} {goal.unit}", f"{goal.value:.2f} {goal.unit}", word]))
    return "\n".join([*lines, ""])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
