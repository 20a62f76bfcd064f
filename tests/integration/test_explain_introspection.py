"""``explain`` at the command line, of opaque tokens of a real provider: what it says, and how it ends."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.integration.identity_provider import OPAQUE_API, OTHER_OPAQUE_API, RESOURCE_SERVER, IdentityProvider
from tests.integration.serving import ROOT
from tests.integration.test_serve_introspection import revoked, settings


def explain(token: str, *arguments: str, **chosen: str) -> "subprocess.CompletedProcess[str]":
    """Explain a token from standard input; neither it nor our secret may be printed."""
    done = subprocess.run(
        [sys.executable, "-m", "resource_server", "explain", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **{f"RESOURCE_SERVER_{name}": value for name, value in chosen.items()}},
        input=token + "\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert token not in done.stdout + done.stderr
    assert chosen["CLIENT_SECRET"] not in done.stdout + done.stderr
    return done


def test_a_good_token_passes_every_check_and_the_route_is_judged(identity_provider: IdentityProvider) -> None:
    """DESIGN §6: one line a check; a user's token of the code flow."""
    token = identity_provider.authorization_code(scope="orders:read", resource=OPAQUE_API)["access_token"]
    done = explain(token, "--route", "GET /orders", **settings(identity_provider))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("  => 200  granted\n")
    marks = [line.split()[:2] for line in done.stdout.splitlines()[:-1]]
    names = ["syntax", "active", "audience", "claims", "begun", "expiry", "confirmation", "scopes"]
    assert marks == [["✔", name] for name in names]
    assert f"says {identity_provider.metadata['introspection_endpoint']}" in done.stdout


@pytest.mark.parametrize(
    ("make", "failed", "kind", "cure"),
    [
        pytest.param(revoked, "active", "revoked", "get a new one", id="revoked"),
        pytest.param(
            lambda idp: idp.client_credentials(resource=OTHER_OPAQUE_API),
            "audience",
            "wrong_audience",
            "ask the issuer for a token for this API",
            id="wrong audience",
        ),
        pytest.param(
            lambda idp: idp.authorization_code(resource=OPAQUE_API)["refresh_token"],
            "active",
            "invalid_claim",
            "RESOURCE_SERVER_INTROSPECTION_MAY_OMIT",
            id="refresh token",
        ),
    ],
)
def test_json_names_the_check_that_fails_and_the_cure(
    identity_provider: IdentityProvider, make: Any, failed: str, kind: str, cure: str
) -> None:
    """DESIGN §6, ``--json``: the verdict is that of a request."""
    done = explain(make(identity_provider), "--json", **settings(identity_provider))
    told = json.loads(done.stdout)
    assert (done.returncode, told["kind"], told["status"]) == (1, kind, 401)
    assert told["challenges"] == [
        'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"'
    ]
    [check] = [check for check in told["checks"] if not check["passed"]]
    assert check["name"] == failed
    assert cure in check["cure"]


def test_a_secret_that_the_issuer_refuses_is_told_as_ours(identity_provider: IdentityProvider) -> None:
    """RS-7662-2.3-a: exit 3, and which settings to look at."""
    token = identity_provider.client_credentials(resource=OPAQUE_API)
    done = explain(token, **settings(identity_provider, (RESOURCE_SERVER[0], "wrong-canary-7d2e")))
    assert done.returncode == 3
    assert "refuses our credential with status 401" in done.stdout
    assert "see CLIENT_ID, its secret and CLIENT_AUTH_METHOD" in done.stdout + done.stderr
    assert "  => 503  kind issuer_unavailable" in done.stdout
