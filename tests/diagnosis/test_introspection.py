"""Whether the introspection endpoint knows us: found out by asking it, as the server does."""

import json
from typing import Any

import pytest

from resource_server.diagnosis import Diagnosis, Outcome, Spelling, diagnose
from resource_server.issuers.client_authentication import SecretBasic
from resource_server.issuers.fetch import Fetched
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.introspection_endpoint import Answered
from resource_server.issuers.issuer import Issuer
from tests.diagnosis.crooked import told
from tests.turnable_clock import START, TurnableClock

URL, API = "https://id.example.com", "https://api.example.com"
ENDPOINT = f"{URL}/introspect"
SECRET = "s3cret-canary"


class Endpoint:
    """Answers what a test wants, and notes what it was asked."""

    def __init__(self, answer: Answered | OSError) -> None:
        self.answer = answer
        self.forms: list[dict[str, str]] = []

    async def __call__(self, url: str, form: dict[str, str], headers: dict[str, str]) -> Answered:
        self.forms.append(form)
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer

    async def aclose(self) -> None:
        """Nothing is kept."""


async def no_keys(url: str) -> Fetched:
    raise AssertionError(url)


def says(status: int, members: Any = None) -> Answered:
    return Answered(status, "application/json", json.dumps(members).encode())


async def examine(endpoint: Endpoint, **options: Any) -> Diagnosis:
    asking = Introspection(endpoint=ENDPOINT, client=SecretBasic("api", SECRET), **options)
    issuer = Issuer(url=URL, audience=API, introspection=asking, token_format="introspection")
    clock = TurnableClock().clock
    return await diagnose(issuer, alone=True, spelling=Spelling(), clock=clock, fetch=no_keys, post=endpoint)


async def test_an_endpoint_that_knows_us_says_that_a_made_up_token_is_not_active() -> None:
    """RFC 7662 §2.2: the good case; no key is needed, and none is asked for."""
    endpoint = Endpoint(says(200, {"active": False}))
    diagnosis = await examine(endpoint, prefix="ory_at_")
    assert diagnosis.outcome is Outcome.FINE
    assert [check.name for check in diagnosis.checks] == ["configuration", "introspection", "grants"]
    assert told(diagnosis, "introspection")[0] == f"{ENDPOINT} knows our credential, and answers"
    [form] = endpoint.forms
    assert form["token"].startswith("ory_at_")
    assert form["token"] not in str(diagnosis)


ACTIVE = {
    "active": True, "iss": URL, "aud": API, "sub": "x", "client_id": "y", "iat": START, "exp": START + 60,
    "token_type": "Bearer",
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "outcome", "found", "cure"),
    [
        pytest.param(says(401), Outcome.WRONG, "refuses our credential with status 401", "CLIENT_SECRET", id="401"),
        pytest.param(says(403), Outcome.WRONG, "refuses our credential with status 403", "CLIENT_ID", id="403"),
        pytest.param(says(400, {"error": "x"}), Outcome.WRONG, "status 400", "CLIENT_AUTH_METHOD", id="400"),
        pytest.param(says(404), Outcome.WRONG, "status 404", "CLIENT_ID", id="404"),
        pytest.param(says(503), Outcome.UNREACHABLE, "status 503", "INTROSPECTION_ENDPOINT", id="503"),
        pytest.param(OSError("ConnectError"), Outcome.UNREACHABLE, "ConnectError", "reach it", id="nobody-there"),
        pytest.param(says(200, {"ok": 1}), Outcome.WRONG, "neither true nor false", "of RFC 7662", id="nonsense"),
        pytest.param(says(200, ACTIVE), Outcome.WRONG, "was made up just now", "everybody is let in", id="active"),
    ],
)  # fmt: skip
async def test_an_endpoint_that_does_not_know_us_is_told_with_its_cure(
    answer: Answered | OSError, outcome: Outcome, found: str, cure: str
) -> None:
    """RS-7662-2.3-a: what would be 503 for every caller; the credential is shown nowhere."""
    diagnosis = await examine(Endpoint(answer))
    assert diagnosis.outcome is outcome
    said, expected, advice = told(diagnosis, "introspection")
    assert found in said
    assert expected == ENDPOINT
    assert cure in advice
    assert SECRET not in str(diagnosis)
