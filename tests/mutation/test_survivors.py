"""The list of mutants that may live is true to the source, and a run that it does not cover fails."""

import ast
from pathlib import Path

import pytest

from tests.mutation.__main__ import ROOT, told
from tests.mutation.survivors import LIST, Mutant, explained, faults, mutant_of

KNOWN = explained()
LIVING = Mutant("a.py", "judge", "return x > 1", "return x >= 1")
DIFF = """# package.a.x_judge__mutmut_3: survived
--- package/a.py
+++ package/a.py
@@ -1,3 +1,3 @@
 def judge(x: int) -> bool:
-    return x > 1
+    return x >= 1
"""


def functions(path: Path) -> dict[str, str]:
    """The text of each function of a file, with lines joined by a space."""
    source = path.read_text("utf-8")
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(source)):
        members = node.body if isinstance(node, ast.ClassDef | ast.Module) else []
        prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for member in members:
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (ast.get_source_segment(source, member, padded=True) or "").splitlines()
                found[prefix + member.name] = " ".join(line.strip() for line in lines)
    return found


@pytest.mark.parametrize("mutant", [pytest.param(mutant, id=mutant.becomes) for mutant in KNOWN])
def test_line_that_is_explained_still_stands_in_its_function(mutant: Mutant) -> None:
    """A line that was rewritten has other mutants: make mutate tells which of them survive."""
    assert mutant.line in functions(ROOT / mutant.file)[mutant.function]
    assert mutant.becomes != mutant.line


def test_every_explanation_is_a_sentence_and_of_one_mutant() -> None:
    """Two entries for one mutant would be two opinions of it."""
    assert all(why.endswith(".") and len(why.split()) > 5 for why in KNOWN.values())
    assert LIST.read_text("utf-8").count("[[survivor]]") == len(KNOWN)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        pytest.param("package.a.x_judge__mutmut_3", "judge", id="function"),
        pytest.param("package.a.x__judge__mutmut_12", "_judge", id="private-function"),
        pytest.param("package.a.xǁJudgeǁ__init____mutmut_1", "Judge.__init__", id="method"),
    ],
)
def test_mutant_is_told_by_its_function_and_the_text_of_its_change(name: str, function: str) -> None:
    """Not by line numbers, nor by mutmut's numbers: both move."""
    assert mutant_of(name, "a.py", DIFF) == LIVING._replace(function=function)


def test_change_of_several_lines_is_one_text() -> None:
    """A call that is written on several lines may lose one of them."""
    diff = "--- a\n+++ a\n@@ -1,3 +1,2 @@\n-    one,\n-    two,\n+    one\n"
    mutant = mutant_of("a.x_f__mutmut_1", "a.py", diff)
    assert (mutant.line, mutant.becomes) == ("one, two,", "one")


def test_survivor_without_an_explanation_is_a_fault_and_so_is_an_explanation_without_a_survivor() -> None:
    """A list that may rot excuses what it never saw."""
    assert faults({LIVING}, {LIVING: "why"}) == []
    assert faults({LIVING}, {})[0].startswith("survived: a.py, judge:\n    return x > 1\n -> return x >= 1")
    assert faults(set(), {LIVING: "why"})[0].startswith("explained, but killed or gone: a.py, judge:")


@pytest.mark.parametrize(
    ("code", "mutant", "status"),
    [
        pytest.param(1, None, 0, id="killed"),
        pytest.param(-24, LIVING, 0, id="killed-by-the-time-limit"),
        pytest.param(0, LIVING, 1, id="survived"),
        pytest.param(33, LIVING, 1, id="tested-by-nothing"),
        pytest.param(255, LIVING, 1, id="pytest-did-not-run"),
        pytest.param(None, LIVING, 1, id="not-tried"),
    ],
)
def test_run_fails_unless_every_mutant_was_killed(code: int | None, mutant: Mutant | None, status: int) -> None:
    """No verdict is no kill."""
    assert told([(code, mutant)], ["a.py"]) == status


def test_run_without_mutants_fails() -> None:
    """A file that was renamed must not pass unseen."""
    assert told([], ["a.py"]) == 1
