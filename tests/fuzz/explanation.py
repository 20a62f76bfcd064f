"""``explain``: whatever is pasted, it explains, and its verdict is the path's."""

import json
import re

from resource_server.commands.explain import render
from resource_server.explain import explain
from tests.fuzz.oracle import RUNNER, SERVER, read_by_us
from tests.fuzz.target import demand


def check_explanation(data: bytes) -> None:
    """A token, or anything else that somebody pastes."""
    explanation = RUNNER.run(explain(data.decode("utf-8", "surrogateescape"), SERVER))
    granted = read_by_us(data) is not None
    demand(granted == (explanation.kind is None), "another verdict than the path's")
    demand(not granted or all(check.passed for check in explanation.checks), "granted, though a check fails")
    demand(granted or not all(check.passed for check in explanation.checks), "refused, though all checks pass")
    json.dumps(explanation.as_json())
    demand(render(explanation).replace("\n", "").isprintable(), "what is printed may command a terminal (T35)")
    demand(all(re.fullmatch(r"[\x20-\x7e]*", challenge) for challenge in explanation.challenges), "not to be written")
