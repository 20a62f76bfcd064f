"""Bars, drawn by hand: one SVG without scripts or fonts of its own, readable on light and on dark pages."""

from collections.abc import Sequence
from html import escape
from typing import Final

from tests.benchmarks.section import Bar, Section

WIDTH: Final = 860
LABEL: Final = 430
"""Where the bars begin."""
STEP: Final = 26
THICK: Final = 16
TOP: Final = 44

LEGEND: Final = (
    f'<line class="goal" x1="{WIDTH - 60}" x2="{WIDTH - 60}" y1="16" y2="32"/>'
    f'<text class="axis" x="{WIDTH - 52}" y="28">a goal</text>'
)

STYLE: Final = """
  .page { fill: #ffffff; stroke: #d0d7de }
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .axis { fill: #59636e }
  .ours { fill: #1a7f64 }
  .peer { fill: #8c959f }
  .goal { stroke: #bc4c00; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d }
    text { fill: #f0f6fc }
    .axis { fill: #9198a1 }
    .ours { fill: #3fb68b }
    .peer { fill: #656c76 }
    .goal { stroke: #f0883e }
  }
"""


def draw(sections: Sequence[Section]) -> str:
    """One panel for each section that has bars, below one another."""
    panels, top = [LEGEND], 12
    for section in sections:
        if section.bars:
            lines, height = _panel(section, top)
            panels += lines
            top += height
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            "<title>The cost of protection</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{top - 1}" rx="8"/>',
            *panels,
            "</svg>",
            "",
        ]
    )


def _panel(section: Section, top: int) -> tuple[list[str], int]:
    longest = max(bar.value for bar in section.bars)
    scale = (WIDTH - LABEL - 70) / longest
    lines = [
        f'<text class="title" x="16" y="{top + 16}">{escape(section.title)}</text>',
        f'<text class="axis" x="{LABEL}" y="{top + 16}">{escape(section.axis)}</text>',
    ]
    for number, bar in enumerate(section.bars):
        lines += _bar(bar, top + TOP - 12 + number * STEP, scale)
    return lines, TOP + len(section.bars) * STEP + 10


def _bar(bar: Bar, top: int, scale: float) -> list[str]:
    length = max(1.5, bar.value * scale)
    kind = "ours" if bar.ours else "peer"
    middle = top + THICK - 3
    lines = [
        f'<text x="{LABEL - 10}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{kind}" x="{LABEL}" y="{top}" width="{length:.1f}" height="{THICK}" rx="2"/>',
        f'<text x="{LABEL + length + 6:.1f}" y="{middle}">{bar.value:.2f}</text>',
    ]
    if bar.goal is not None:
        at = LABEL + bar.goal * scale
        lines.append(f'<line class="goal" x1="{at:.1f}" x2="{at:.1f}" y1="{top - 3}" y2="{top + THICK + 3}"/>')
    return lines
