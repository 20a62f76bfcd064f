"""No byte of a token in any answer, log record, decision or exception (RS-6750-5.3-a, T35)."""

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from resource_server import AccessToken, Decision, Kind, ResourceServer, acr, network, owner, role
from resource_server.development.minting import SigningKey
from resource_server.issuers.fetch import FetchError
from resource_server.testing import OMIT, FakeIssuer
from tests.calls import call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note, ok
from tests.turnable_clock import TurnableClock

CANARY = "canary4f6d"
"""In every part of the token that its sender chooses: the claims, the header, the key's name."""


def policy_fails(token: AccessToken) -> bool:
    raise LookupError("no row")


def no(token: AccessToken) -> bool:
    return False


def forged(issuer: FakeIssuer, time: TurnableClock) -> str:
    return issuer.token(key=SigningKey.generate("ES256", kid=issuer.mint.keys[0].kid), sub=CANARY)


def with_claims(**claims: Any) -> Callable[[FakeIssuer, TurnableClock], str]:
    return lambda issuer, time: issuer.token(**{"sub": CANARY, "email": CANARY} | claims)


CASES = [
    pytest.param(with_claims(), "/plain", Kind.INSUFFICIENT_SCOPE, id="scope"),
    pytest.param(with_claims(scope="a"), "/role", Kind.MISSING_ROLE, id="role"),
    pytest.param(with_claims(), "/step-up", Kind.INSUFFICIENT_AUTHENTICATION, id="step-up"),
    pytest.param(with_claims(), "/owned/bob", Kind.NOT_OWNER, id="owner"),
    pytest.param(with_claims(), "/hidden/bob", Kind.HIDDEN, id="hidden"),
    pytest.param(with_claims(), "/policy", Kind.POLICY, id="policy"),
    pytest.param(with_claims(), "/failing", Kind.POLICY_ERROR, id="policy-error"),
    pytest.param(with_claims(), "/network", Kind.NETWORK, id="network"),
    pytest.param(with_claims(exp=0), "/plain", Kind.EXPIRED, id="expired"),
    pytest.param(with_claims(nbf=9_999_999_999), "/plain", Kind.NOT_YET_VALID, id="not-yet-valid"),
    pytest.param(with_claims(aud="https://other.example.com"), "/plain", Kind.WRONG_AUDIENCE, id="audience"),
    pytest.param(with_claims(iss=CANARY), "/plain", Kind.WRONG_ISSUER, id="issuer"),
    pytest.param(with_claims(scope=[CANARY]), "/plain", Kind.INVALID_CLAIM, id="scope-array"),
    pytest.param(with_claims(jti=OMIT), "/plain", Kind.INVALID_CLAIM, id="no-jti"),
    pytest.param(with_claims(cnf={"jkt": CANARY}), "/plain", Kind.UNCONFIRMED_TOKEN, id="bound"),
    pytest.param(with_claims(header={"typ": CANARY}), "/plain", Kind.WRONG_TOKEN_TYPE, id="type"),
    pytest.param(with_claims(header={"alg": CANARY}), "/plain", Kind.WRONG_ALGORITHM, id="algorithm"),
    pytest.param(with_claims(header={"kid": CANARY}), "/plain", Kind.UNKNOWN_KEY, id="kid"),
    pytest.param(with_claims(header={"crit": [CANARY], CANARY: 1}), "/plain", Kind.MALFORMED_TOKEN, id="crit"),
    pytest.param(forged, "/plain", Kind.BAD_SIGNATURE, id="forged"),
    pytest.param(lambda issuer, time: CANARY, "/plain", Kind.MALFORMED_TOKEN, id="opaque"),
    pytest.param(lambda issuer, time: f"{CANARY}.{CANARY}.{CANARY}", "/plain", Kind.MALFORMED_TOKEN, id="no-json"),
    pytest.param(lambda issuer, time: f"{CANARY} {CANARY}", "/plain", Kind.MALFORMED_CREDENTIALS, id="two-words"),
    pytest.param(lambda issuer, time: CANARY * 2000, "/plain", Kind.OVERSIZED_CREDENTIALS, id="oversized"),
]


def app_of(api: ResourceServer, protect: str) -> FastAPI:
    app = FastAPI()
    api.install(app, protect=protect, answer_all=protect == "all")
    routes: dict[str, Any] = {
        "/plain": "a",
        "/role": role("admin"),
        "/step-up": acr("mfa"),
        "/owned/{user}": owner("user"),
        "/hidden/{user}": owner("user", hide=True),
        "/policy": no,
        "/failing": policy_fails,
        "/network": network("10.0.0.0/8"),
    }
    for path, need in routes.items():
        app.get(path, dependencies=[api.requires(need)])(ok)
        app.post(path, dependencies=[api.requires(need)])(take)
    return app


async def take(note: Note) -> None: ...


def shown(records: list[logging.LogRecord]) -> str:
    """Everything that a log record could show: text, arguments, exceptions with their causes and local names."""
    lines = [logging.Formatter().format(record) + repr(record.__dict__) for record in records]
    return "\n".join(lines)


@pytest.mark.parametrize("protect", ["routes", "all"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("make", "path", "kind"), CASES)
async def test_a_token_is_nowhere_to_be_seen_after_its_refusal(
    make_api: MakeApi,
    issuer: FakeIssuer,
    time: TurnableClock,
    caplog: pytest.LogCaptureFixture,
    protect: str,
    method: str,
    make: Callable[[FakeIssuer, TurnableClock], str],
    path: str,
    kind: Kind,
) -> None:
    """RS-6750-5.3-a: a canary through every failure."""
    decisions: list[Decision] = []
    app = app_of(make_api(observers=[decisions.append]), protect)
    token = make(issuer, time)
    with caplog.at_level(logging.DEBUG):
        response = await call(app, method, path, token=token, json={"text": "x"} if method == "POST" else None)
    assert [decision.kind for decision in decisions] == [kind]
    for name, text in {
        "header fields": str(response.headers),
        "body": response.text,
        "log": shown(caplog.records),
        "exception": exception_text(decisions[0]),
        "decision of an unverified token": repr(decisions[0]) if decisions[0].token is None else "",
    }.items():
        assert not leaks(text, token), name
        assert CANARY not in text, name
    assert not leaks(repr(decisions[0]), token)


def exception_text(decision: Decision) -> str:
    assert decision.refusal is not None
    return "".join(traceback.format_exception(decision.refusal)) + str(decision.refusal) + repr(decision.refusal)


def leaks(text: str, token: str) -> bool:
    """Whether twelve characters in a row of a token stand in a text."""
    return any(token[at : at + 12] in text for at in range(0, max(1, len(token) - 12), 6))


@pytest.mark.parametrize("protect", ["routes", "all"])
@pytest.mark.parametrize(
    ("query", "headers", "kind"),
    [
        pytest.param(f"?access_token={CANARY}", [], Kind.CREDENTIALS_IN_QUERY, id="query"),
        pytest.param("", [("authorization", f"Basic {CANARY}")], Kind.UNSUPPORTED_SCHEME, id="other-scheme"),
        pytest.param("", [("authorization", f"{CANARY} x")], Kind.UNSUPPORTED_SCHEME, id="scheme"),
        pytest.param("", [("authorization", f"Bearer {CANARY}")] * 2, Kind.REPEATED_CREDENTIALS, id="two-fields"),
        pytest.param(
            f"?access_token={CANARY}", [("authorization", f"Bearer {CANARY}")], Kind.REPEATED_CREDENTIALS, id="two-ways"
        ),
        pytest.param("", [("authorization", f"Bearer\t{CANARY}")], Kind.MALFORMED_CREDENTIALS, id="tab"),
    ],
)
async def test_credentials_of_any_kind_are_not_echoed(
    make_api: MakeApi,
    caplog: pytest.LogCaptureFixture,
    protect: str,
    query: str,
    headers: list[tuple[str, str]],
    kind: Kind,
) -> None:
    """D02, D03: do not echo the value, which may be a password."""
    decisions: list[Decision] = []
    app = app_of(make_api(observers=[decisions.append]), protect)
    with caplog.at_level(logging.DEBUG, logger="resource_server"):
        response = await call(app, "GET", f"/plain{query}", headers=headers)
    assert [decision.kind for decision in decisions] == [kind]
    records = [record for record in caplog.records if record.name.startswith("resource_server")]
    text = str(response.headers) + response.text + shown(records) + repr(decisions) + exception_text(decisions[0])
    assert CANARY not in text


async def test_an_issuer_s_trouble_shows_no_token_either(
    make_api: MakeApi, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    """D26: the log names the issuer, the answer does not, and neither the token."""

    async def unreachable(url: str) -> dict[str, Any]:
        raise FetchError(f"{url}: ConnectError")

    decisions: list[Decision] = []
    app = app_of(make_api(observers=[decisions.append], fetch=unreachable), "routes")
    token = issuer.token(sub=CANARY)
    with caplog.at_level(logging.DEBUG):
        response = await call(app, "GET", "/plain", token=token)
    assert response.status_code == 503
    assert issuer.url in shown(caplog.records)
    assert issuer.url not in str(response.headers) + response.text
    assert not leaks(shown(caplog.records) + repr(decisions) + exception_text(decisions[0]), token)
