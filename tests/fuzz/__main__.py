"""``python -m tests.fuzz --seconds 300 [--target NAME]``: divides the time among the targets; 1 after a finding.

The corpus grows in ``.fuzz/`` from run to run; ``tests/fuzz/seeds/`` is what it grows from. An input that was found is
kept in ``.fuzz/findings/`` and printed as hex: put it among the seeds, which the test suite runs, when it is repaired.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SEEDS = Path(__file__).parent / "seeds"
PLACE = ROOT / ".fuzz"
FINDINGS = PLACE / "findings"


class Result(NamedTuple):
    """How the fuzzing of a target ended."""

    name: str
    runs: int
    coverage: int
    inputs: list[Path]
    failed: bool
    output: str


def main() -> int:
    """Fuzz, and tell."""
    if importlib.util.find_spec("atheris") is None:
        print("atheris is missing: run make fuzz, which installs it")
        return 2
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="for all targets together")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this one; may be repeated")
    asked = parser.parse_args()
    names = asked.target or list(TARGETS)
    seconds = max(2, asked.seconds // len(names))
    results = []
    for name in names:
        print(f"{name:<12} {seconds} s …", flush=True)
        results.append(fuzz(name, seconds, TARGETS[name].words))
        print(summary(results[-1]), flush=True)
    found = [result.name for result in results if result.failed]
    print(f"{sum(result.runs for result in results):,} runs, findings in: {', '.join(found) or 'none'}")
    return 1 if found else 0


def fuzz(name: str, seconds: int, words: tuple[bytes, ...]) -> Result:
    """Fuzz one target in a process of its own, which a finding ends."""
    corpus = PLACE / "corpus" / name
    for folder in (corpus, FINDINGS):
        folder.mkdir(parents=True, exist_ok=True)
    dictionary = PLACE / f"{name}.dict"
    escaped = ["".join(f"\\x{byte:02x}" for byte in word) for word in words]
    dictionary.write_text("".join(f'"{word}"\n' for word in escaped), "ascii")
    began = time.time()
    command = [
        sys.executable, "-m", "tests.fuzz.one", name, f"-max_total_time={seconds}", "-print_final_stats=1",
        "-timeout=10", "-rss_limit_mb=2048", f"-artifact_prefix={FINDINGS}/{name}-",
        *([f"-dict={dictionary}"] if words else []), str(corpus), str(SEEDS / name),
    ]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=seconds + 120, check=False)
        output, failed = (done.stdout + done.stderr).decode("utf-8", "replace"), done.returncode != 0
    except subprocess.TimeoutExpired:
        output, failed = "the process did not end", True
    inputs = [path for path in sorted(FINDINGS.glob(f"{name}-*")) if path.stat().st_mtime >= began]
    return Result(
        name, last(r"number_of_executed_units:\s*(\d+)", output), last(r"cov: (\d+)", output), inputs, failed, output
    )


def last(pattern: str, output: str) -> int:
    """The last number of its kind in what the fuzzer has printed."""
    return int(next(iter(reversed(re.findall(pattern, output))), 0))


def summary(result: Result) -> str:
    """One line, or all that is needed to repair what was found."""
    line = f"{'':<12} {result.runs:,} runs, {result.coverage:,} places reached"
    if not result.failed:
        return line
    start = max(result.output.find("=== Uncaught Python exception"), len(result.output) - 6000, 0)
    found = [f"{path}: {path.read_bytes().hex()}" for path in result.inputs]
    return "\n".join([line, f"{'':<12} A FINDING", result.output[start : start + 6000], *found])


if __name__ == "__main__":
    sys.exit(main())
