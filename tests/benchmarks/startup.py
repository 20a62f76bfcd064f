"""What importing the package costs on top of FastAPI: time and memory, each in a new process."""

import statistics
import subprocess
import sys
from typing import Final

from tests.benchmarks.measuring import ROOT
from tests.benchmarks.section import Goal, Section

SCRIPT: Final = """
import sys, time
from pathlib import Path
began = time.process_time()
for name in sys.argv[1:]:
    __import__(name)
used = time.process_time() - began
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
print(used, int(status["VmRSS"].split()[0]) / 1024)
"""
ROWS: Final = {
    "fastapi": ("fastapi",),
    "fastapi and resource_server": ("fastapi", "resource_server"),
    "fastapi and authlib's resource protector": ("fastapi", "authlib.oauth2.rfc9068"),
    "fastapi and PyJWT": ("fastapi", "jwt", "cryptography.hazmat.primitives.asymmetric.padding"),
}
OURS: Final = "fastapi and resource_server"


def measure(rounds: int) -> list[Section]:
    """Import in new processes, in turn."""
    found: dict[str, list[tuple[float, float]]] = {row: [] for row in ROWS}
    for _ in range(rounds):
        for row, modules in ROWS.items():
            done = subprocess.run(
                [sys.executable, "-c", SCRIPT, *modules], capture_output=True, text=True, check=True, cwd=ROOT
            )
            seconds, mebibytes = map(float, done.stdout.split())
            found[row].append((seconds * 1e3, mebibytes))
    taken = {
        row: (statistics.median(one[0] for one in runs), statistics.median(one[1] for one in runs))
        for row, runs in found.items()
    }
    base = taken["fastapi"]
    added = {row: (one[0] - base[0], one[1] - base[1]) for row, one in taken.items()}
    rows = [
        [row, f"{one[0]:.0f}", f"{one[1]:.1f}", f"{added[row][0]:+.0f}", f"{added[row][1]:+.1f}"]
        for row, one in taken.items()
    ]
    goals = [
        Goal("import, on top of fastapi", added[OURS][0], 50, unit="ms"),
        Goal("import, on top of fastapi", added[OURS][1], 12, unit="MiB"),
    ]
    note = "CPU time and resident memory of a new process after the import; medians."
    return [Section("Import", note, ["", "ms", "MiB", "added ms", "added MiB"], rows, goals)]
