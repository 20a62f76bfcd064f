"""``doctor`` as an operator runs it, against a real identity provider: nothing is wrong, and nothing is warned of."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.integration.identity_provider import API, IdentityProvider
from tests.integration.serving import ROOT


def doctor(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {f"RESOURCE_SERVER_{name}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "resource_server", "doctor", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def test_a_real_identity_provider_passes_every_check(identity_provider: IdentityProvider) -> None:
    """DESIGN §6: metadata, keys and clock of npm's oidc-provider, with --strict."""
    ended = doctor("--strict", ISSUER=identity_provider.issuer, AUDIENCE=API)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    marks = {line[2] for line in lines[1:] if line[:2] == "  " and line[2:3].strip() and line[2:4] != "=>"}
    assert marks == {"✔"}
    assert "  => all is well" in lines
    assert f"  ✔ issuer        {identity_provider.issuer}, to the letter" in lines
    assert sum(line.startswith("  ✔ key  ") for line in lines) == len(identity_provider.jwks()) == 3


def test_a_slash_too_many_is_found_and_its_cure_is_one(identity_provider: IdentityProvider) -> None:
    """Known mistakes: the trailing slash. What the cure says is set, and then all is well."""
    ended = doctor("--json", ISSUER=identity_provider.issuer + "/", AUDIENCE=API)
    told: dict[str, Any] = json.loads(ended.stdout)
    assert (ended.returncode, told["status"]) == (1, 1)
    [check] = [check for check in told["issuers"][0]["checks"] if not check["passed"]]
    name, _, value = check["cure"].rpartition("set ")[2].partition("=")
    assert (check["name"], name) == ("issuer", "RESOURCE_SERVER_ISSUER")
    assert doctor(ISSUER=value, AUDIENCE=API).returncode == 0
