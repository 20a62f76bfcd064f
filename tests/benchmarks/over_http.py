"""What protection costs over HTTP: CPU seconds of the server process a request, one worker, load by ``wrk``.

The load comes from another process, and the two share two cores with whatever else runs, so requests per second are
shown but judged is what the server's own process has used (utime and stime of /proc/<pid>/stat).
"""

import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resource_server.testing import FakeIssuer
from tests.benchmarks import serving
from tests.benchmarks.apps import PATH
from tests.benchmarks.measuring import ROOT
from tests.benchmarks.section import Bar, Goal, Section
from tests.benchmarks.tokens import CLAIMS

TICK: Final = os.sysconf("SC_CLK_TCK")
SCRIPT: Final = Path(__file__).with_name("tokens.lua")
CONNECTIONS: Final = 16
MANY: Final = 10_000

BARE: Final = "bare"
TUTORIAL: Final = "FastAPI's tutorial pattern, one token"
HOT: Final = "requires() and the gate, one token"
ROWS: Final[Mapping[str, tuple[str, str]]] = {
    BARE: ("bare", "hot"),
    "an empty async dependency": ("empty", "hot"),
    HOT: ("required", "hot"),
    "requires() and the gate, 10,000 tokens": ("required", "many"),
    "requires() and the gate, all tokens forged": ("required", "forged"),
    'protect="all", one token': ("everything", "hot"),
    'protect="all", all tokens forged': ("everything", "forged"),
    TUTORIAL: ("tutorial", "hot"),
    "FastAPI's tutorial pattern, all tokens forged": ("tutorial", "forged"),
    "FastAPI's tutorial pattern, its key prepared, one token": ("prepared", "hot"),
}
GOALS: Final = {
    HOT: 0.82,
    "requires() and the gate, 10,000 tokens": 0.72,
    "requires() and the gate, all tokens forged": 0.55,
    'protect="all", one token': 0.93,
    'protect="all", all tokens forged': 0.95,
}
MISSING: Final = (
    "Not measured in this run: `wrk`, which makes the load, is not installed on this machine (Debian: "
    "`apt-get install wrk`)."
)
TITLE: Final = "A route over HTTP"


@dataclass(frozen=True, slots=True)
class Run:
    """One burst of load."""

    per_second: float
    cpu: float
    """Microseconds of the server process a request."""


@contextlib.contextmanager
def served(name: str, keys: Path) -> Iterator[tuple[int, int]]:
    """An application in a process of its own; its process id and port."""
    command = [sys.executable, "-m", "tests.benchmarks.serving", name, str(keys)]
    with (
        tempfile.TemporaryFile() as log,  # refusals are told there
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT) as process,
    ):
        try:
            assert process.stdout is not None
            yield process.pid, int(process.stdout.readline())
        finally:
            process.terminate()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, from the fields that follow its name in parentheses."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def load(pid: int, port: int, kind: str, file: Path, seconds: int, start: int) -> Run:
    """Let ``wrk`` ask for so long. Demands that all answers are as they should be."""
    expected = 401 if kind == "forged" else 200
    url = f"http://127.0.0.1:{port}{PATH}"
    script = ["-s", str(SCRIPT), url, "--", kind, str(file), str(start)]
    before = cpu_seconds(pid)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *script], capture_output=True, text=True, check=True
    )
    used = cpu_seconds(pid) - before
    found = {name: float(value) for name, value in re.findall(r"^result (\w+) ([\d.]+)$", done.stdout, re.MULTILINE)}
    if not found["requests"] or found["failures"] != (found["requests"] if expected == 401 else 0):
        raise RuntimeError(f"the answers were not all {expected}:\n{done.stdout}")
    return Run(found["requests"] / found["seconds"], used / found["requests"] * 1e6)


def measure(rounds: int, seconds: int) -> list[Section]:
    """Measure all rows in turn, again and again."""
    if shutil.which("wrk") is None:
        print(f"  {MISSING}")
        return [Section(TITLE, MISSING, [], [])]
    issuer = FakeIssuer(serving.ISSUER, audience=serving.AUDIENCE, algorithm="RS256")
    expires = int(issuer.mint.clock()) + 7200
    runs: dict[str, list[Run]] = {row: [] for row in ROWS}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keys, tokens = folder / "jwks.json", folder / "tokens"
        keys.write_text(json.dumps(issuer.mint.jwks()), "utf-8")
        tokens.write_text("\n".join(issuer.token(exp=expires, **CLAIMS) for _ in range(MANY)), "ascii")
        servers = {name: stack.enter_context(served(name, keys)) for name, _ in ROWS.values()}
        for pid, port in servers.values():
            load(pid, port, "hot", tokens, 1, 0)  # warm up
        load(*servers["required"], "many", tokens, MANY // 1500, 0)  # all of them once
        for number in range(rounds):
            for row, (name, kind) in ROWS.items():
                runs[row].append(load(*servers[name], kind, tokens, seconds, number * 10**6))
    return [_section(runs)]


def _share(runs: Mapping[str, list[Run]], row: str, of: str = BARE) -> float:
    return statistics.median(a.cpu / b.cpu for a, b in zip(runs[of], runs[row], strict=True))


def _section(runs: Mapping[str, list[Run]]) -> Section:
    table = [
        [
            row,
            f"{statistics.median(run.per_second for run in runs[row]):,.0f}",
            f"{statistics.median(run.cpu for run in runs[row]):.0f}",
            f"{_share(runs, row):.2f}",
        ]
        for row in ROWS
    ]
    goals = [
        Goal(f"over HTTP: {row}, CPU a request, against the bare route", _share(runs, row), bound, at_most=False)
        for row, bound in GOALS.items()
    ]
    pairs = zip(runs[HOT], runs[TUTORIAL], strict=True)
    ahead = statistics.median(ours.per_second / theirs.per_second for ours, theirs in pairs)
    goals.append(Goal("over HTTP: requests per second, against the tutorial pattern", ahead, 2.6, at_most=False))
    note = (
        f"One worker with the settings of `serve` (uvloop, httptools), {CONNECTIONS} connections, RS256. CPU is that "
        "of the server process; a share of 1 is as cheap as the bare route."
    )
    bars = [Bar(row, _share(runs, row), row.startswith(("requires", "protect")), GOALS.get(row)) for row in ROWS]
    header = ["", "requests/s", "CPU µs a request", "share of bare"]
    return [Section(TITLE, note, header, table, goals, bars, "share of the bare route's throughput, by CPU")][0]
