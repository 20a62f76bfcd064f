"""Bring npm packages onto this machine, those of `oidc_provider/` or of another folder, or say why that cannot be."""

import fcntl
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

FOLDER = Path(__file__).parent / "oidc_provider"
TIMEOUT = 180
# Codes of npm that say the fault is in what we committed, not in the network.
OUR_FAULTS = {"EUSAGE", "EINTEGRITY", "EJSONPARSE", "ETARGET", "E404"}


class UnavailableError(Exception):
    """This machine cannot have what a test needs: no node, no npm or no registry."""


def install(folder: Path = FOLDER) -> None:
    """Bring `node_modules` to what the lock says, if it is not so already.

    Raises UnavailableError where the machine is the reason; what we committed wrongly is an error anywhere.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise UnavailableError(f"{program} is not installed")
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs of pytest must not install over each other
        if not _installed(folder):
            _npm_ci(folder)


def give_up(reason: UnavailableError, missing: str = "IDENTITY PROVIDER") -> NoReturn:
    """Skip loudly; in CI, where nobody reads about skips, fail."""
    act = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    act(f"NO {missing}, integration tests do not run: {reason}")


def _installed(folder: Path) -> bool:
    """Compare with the lock that npm writes last of all, so that a broken-off installation is seen."""
    written = folder / "node_modules" / ".package-lock.json"
    if not written.exists():
        return False
    wanted = json.loads((folder / "package-lock.json").read_text())["packages"]
    del wanted[""]  # the project itself, which npm leaves out
    return bool(json.loads(written.read_text())["packages"] == wanted)


def _npm_ci(folder: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"npm ci took longer than {TIMEOUT} s") from error
    if done.returncode == 0:
        return
    code = re.search(r"npm error code (\S+)", done.stderr)
    if code is None or code[1] in OUR_FAULTS:
        raise RuntimeError(f"npm ci failed:\n{done.stderr}")
    raise UnavailableError(f"npm ci could not reach the registry:\n{done.stderr}")
