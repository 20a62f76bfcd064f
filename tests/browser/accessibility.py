"""What axe-core finds in a page."""

from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE: Final = ("serious", "critical")
RUN: Final = """async ([source, tags, within]) => {
  if (!window.axe) (0, eval)(source);
  const runOnly = { type: "tag", values: tags };
  const { violations } = await axe.run(within, { resultTypes: ["violations"], runOnly });
  return violations.flatMap(({ id, impact, nodes }) => nodes.map((node) => ({
    rule: id, impact: impact, place: node.target.flat().join(" "),
    said: [...node.any, ...node.all, ...node.none].map((check) => check.message).join("; "),
  })));
}"""


@dataclass(frozen=True)
class Violation:
    """One element that breaks one rule."""

    rule: str
    impact: str
    place: str
    said: str


def grave(page: Page, axe: str, within: str = "html") -> list[Violation]:
    """The violations of serious or critical impact. The page's context must not enforce its policy."""
    found = [Violation(**one) for one in page.evaluate(RUN, [axe, TAGS, within])]
    return [one for one in found if one.impact in GRAVE]
