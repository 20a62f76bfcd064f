"""The machine's own Chromium: none is downloaded, and none of a vendor's is needed."""

import os
import shutil
import subprocess

from tests.integration.installation import UnavailableError

FLAGS = [
    "--no-sandbox",  # a container has no user namespaces, and the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", "chromium")
TIMEOUT = 300
CURE = "no Chromium is here: apt-get install chromium, or name yours in CHROMIUM"


def find() -> str:
    """Its path: what CHROMIUM names, else what is installed. Raises UnavailableError.

    Continuous integration that runs as root installs Debian's package.
    """
    if named := os.environ.get("CHROMIUM"):
        if shutil.which(named) is None:
            raise UnavailableError(f"CHROMIUM names {named!r}, which is no program")
        return named
    if (path := _installed()) is None and os.environ.get("CI") == "true" and os.geteuid() == 0:
        _install()
        path = _installed()
    if path is None:
        raise UnavailableError(CURE)
    return path


def _installed() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _install() -> None:
    for command in (("apt-get", "update"), INSTALL):
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT)
        except (OSError, subprocess.SubprocessError) as error:
            raise UnavailableError(f"{' '.join(command)} failed: {getattr(error, 'stderr', None) or error}") from error
