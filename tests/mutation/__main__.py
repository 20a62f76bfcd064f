"""``python -m tests.mutation [--file claims.py]``: mutates what judges strangers' bytes; 1 after an unknown survivor.

Runs mutmut, as ``[tool.mutmut]`` in ``pyproject.toml`` configures it, in a copy of the project, so nothing is left
behind. Functions alone are mutated: constants of a module, patterns among them, and decorated functions are not. Tests
of drawn examples are left out: a kill by luck is none.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.mutation.survivors import Mutant, explained, faults, mutant_of

ROOT = Path(__file__).parents[2]
COPIED = ("resource_server", "tests")
NOT_COPIED = shutil.ignore_patterns("__pycache__", "node_modules", "seeds")
KILLED = {1, 3}
"""pytest's exit codes for a test that failed and for an error within pytest."""
OUT_OF_TIME = {-24, 24, 152}
"""SIGXCPU: the mutant loops without end."""
SURVIVED = {0, 33}
"""All tests passed; no test calls the function at all."""
PROGRESS = "\N{PARTY POPPER}"
"""What each line of mutmut's progress counts the dead with."""


def main() -> int:
    """Mutate, and tell."""
    if importlib.util.find_spec("mutmut") is None:
        print("mutmut is missing: run make mutate, which installs it")
        return 2
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]["only_mutate"]
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    choices = [Path(file).name for file in configured]
    parser.add_argument("--file", choices=choices, action="append", help="only this one; may be repeated")
    asked = parser.parse_args().file or choices
    files = [file for file in configured if Path(file).name in asked]
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name, ignore=NOT_COPIED)
        shutil.copy(ROOT / "pyproject.toml", copy)
        names = [file.removesuffix(".py").replace("/", ".") + ".*" for file in files]
        if not run(copy, ["run", *names]):
            return 1
        return told([outcome for file in files for outcome in outcomes(copy, file)], files)


def environment() -> dict[str, str]:
    """Sets are told in one order, or a test whose id holds one could not be found again."""
    return os.environ | {"PYTHONHASHSEED": "0"}


def run(copy: Path, arguments: list[str]) -> bool:
    """Run mutmut, which draws its progress on a terminal; elsewhere it is heard only when it fails."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    seen = sys.stdout.isatty()
    done = subprocess.run(command, cwd=copy, env=environment(), capture_output=not seen, text=True, check=False)
    if done.returncode:
        said = [] if seen else [line for line in (done.stdout + done.stderr).splitlines() if PROGRESS not in line]
        print(*said[-100:], f"mutmut ended with {done.returncode}", sep="\n")
    return done.returncode == 0


def outcomes(copy: Path, file: str) -> list[tuple[int | None, Mutant | None]]:
    """The exit code of the tests for each mutant of a file; those that were killed need no description."""
    recorded = json.loads((copy / "mutants" / f"{file}.meta").read_text("utf-8"))["exit_code_by_key"]
    return [(code, None if code in KILLED else described(copy, file, name)) for name, code in recorded.items()]


def described(copy: Path, file: str, name: str) -> Mutant:
    """Ask mutmut what it has changed."""
    command = [sys.executable, "-m", "mutmut", "show", name]
    shown = subprocess.run(command, cwd=copy, env=environment(), capture_output=True, text=True, check=True)
    return mutant_of(name, file, shown.stdout)


def told(found: list[tuple[int | None, Mutant | None]], files: list[str]) -> int:
    """Print what came of it; 1 where somebody has to do something."""
    known = {mutant: why for mutant, why in explained().items() if mutant.file in files}
    for code, mutant in found:
        if code in OUT_OF_TIME:
            print(f"killed by the time limit: {mutant}")
    wrong = faults({mutant for code, mutant in found if mutant and code in SURVIVED}, known)
    decided = KILLED | OUT_OF_TIME | SURVIVED
    wrong += [f"no verdict (exit code {code}): {mutant}" for code, mutant in found if code not in decided]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    survived = sum(code in SURVIVED for code, _ in found)
    print(f"{len(found):,} mutants, {survived} survived, {len(known)} are explained, {len(wrong)} to look into")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main())
