"""What the page of refusals says of each kind, taken from docs/refusals.md.

``python -m tests.demo.cures > resource_server/static/pages/cures.json`` after a change there.
"""

import json
import re
from pathlib import Path

from resource_server.refusals import TABLE

REFUSALS = Path(__file__).parents[2] / "docs/refusals.md"


def cures() -> dict[str, str]:
    """The cure of each kind by its name, as text in which code stands between backticks."""
    text = REFUSALS.read_text("utf-8")
    found = {}
    for kind in TABLE:
        section = re.search(rf"^## {kind}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert section is not None, kind
        cure = re.search(r"\*\*The cure\.\*\*(.*?)(?:\n\n|\Z)", section[1], re.DOTALL)
        words = " ".join(cure[1].split()) if cure else "Nothing raises it yet."
        found[kind.value] = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", words)
    return found


def document() -> str:
    return json.dumps(cures(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    print(document(), end="")
