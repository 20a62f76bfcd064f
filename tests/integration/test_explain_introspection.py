"""``explain`` at the command line, of opaque tokens of a real provider: what it says, and how it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest

from resource_server import cli
from tests.integration.identity_provider import OPAQUE_API, OTHER_OPAQUE_API, RESOURCE_SERVER, IdentityProvider
from tests.integration.serving import ROOT
from tests.integration.test_serve_introspection import ODD_CLIENT, issued, revoked, settings


@dataclass(frozen=True)
class Ended:
    """How the command ended."""

    code: int
    out: str
    err: str


Explain = Callable[..., Ended]


@pytest.fixture
def explain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Explain:
    """Explain a token from standard input; neither it nor our secret may be printed. In process, which is quicker."""

    def run(token: str, *arguments: str, **chosen: str) -> Ended:
        for name, value in chosen.items():
            monkeypatch.setenv(f"RESOURCE_SERVER_{name}", value)
        monkeypatch.setattr(sys, "argv", ["resource-server", "explain", *arguments])
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(token.encode() + b"\n")))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        check_secrecy(token, chosen, said.out + said.err)
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


def check_secrecy(token: str, chosen: dict[str, str], printed: str) -> None:
    assert token not in printed
    assert chosen["CLIENT_SECRET"] not in printed


def explain_in_a_process(token: str, *arguments: str, **chosen: str) -> Ended:
    """The same as an operator does it."""
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
    check_secrecy(token, chosen, done.stdout + done.stderr)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_a_good_token_passes_every_check_and_the_route_is_judged(identity_provider: IdentityProvider) -> None:
    """DESIGN §6: one line a check; a user's token of the code flow."""
    token = identity_provider.authorization_code(scope="orders:read", resource=OPAQUE_API)["access_token"]
    done = explain_in_a_process(token, "--route", "GET /orders", **settings(identity_provider))
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("  => 200  granted\n")
    marks = [line.split()[:2] for line in done.out.splitlines()[:-1]]
    names = ["syntax", "active", "audience", "claims", "begun", "expiry", "confirmation", "scopes"]
    assert marks == [["✔", name] for name in names]
    assert f"says {identity_provider.metadata['introspection_endpoint']}" in done.out


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
    explain: Explain, identity_provider: IdentityProvider, make: Any, failed: str, kind: str, cure: str
) -> None:
    """DESIGN §6, ``--json``: the verdict is that of a request."""
    done = explain(make(identity_provider), "--json", **settings(identity_provider))
    told = json.loads(done.out)
    assert (done.code, told["kind"], told["status"]) == (1, kind, 401)
    assert told["challenges"] == [
        'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"'
    ]
    [check] = [check for check in told["checks"] if not check["passed"]]
    assert check["name"] == failed
    assert cure in check["cure"]


@pytest.mark.parametrize(
    ("client", "method", "status"),
    [
        pytest.param((RESOURCE_SERVER[0], "wrong-canary-7d2e"), "client_secret_basic", 401, id="wrong secret"),
        pytest.param(ODD_CLIENT, "client_secret_basic_raw", 400, id="not form-urlencoded"),
    ],
)
def test_a_secret_that_the_issuer_refuses_is_told_as_ours(
    explain: Explain, identity_provider: IdentityProvider, client: tuple[str, str], method: str, status: int
) -> None:
    """RS-7662-2.3-a, RFC 6749 §5.2: exit 3, and which settings to look at."""
    token = identity_provider.client_credentials(resource=OPAQUE_API)
    done = explain(token, **settings(identity_provider, client, CLIENT_AUTH_METHOD=method))
    assert done.code == 3
    assert f"status {status}" in done.out
    assert "see CLIENT_ID, its secret and CLIENT_AUTH_METHOD" in " ".join(done.out.split())
    assert "  => 503  kind issuer_unavailable" in done.out


def test_a_signed_answer_is_asked_for_by_a_signed_assertion(
    explain: Explain, identity_provider: IdentityProvider
) -> None:
    """RFC 9701, by the RS256 that is its default; client_secret_jwt (RFC 7523)."""
    client = ("resource-server-secret-jwt", "secret-of-resource-server-secret-jwt")
    more = {"CLIENT_AUTH_METHOD": "client_secret_jwt", "INTROSPECTION_SIGNED": "true", "ALGORITHMS": "RS256"}
    token = identity_provider.client_credentials(resource=OPAQUE_API)
    assert explain(token, **settings(identity_provider, client, **more)).code == 0


@pytest.mark.parametrize(("client", "code"), [("cc", 1), ("code", 0)], ids=["a machine's token", "a user's token"])
def test_without_a_may_omit_what_the_issuer_leaves_out_is_missed(
    explain: Explain, identity_provider: IdentityProvider, client: str, code: int
) -> None:
    """docs/opaque-tokens.md: oidc-provider sends no sub for the token of a machine; users' tokens have all members."""
    chosen = settings(identity_provider)
    del chosen["INTROSPECTION_MAY_OMIT"]
    done = explain(issued(identity_provider.asked_for(OPAQUE_API), client), **chosen)
    assert done.code == code
    assert ("sub is missing or no text" in done.out) is bool(code)
