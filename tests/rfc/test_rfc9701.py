"""RFC 9701: signed introspection answers, and what they are not. RFC 9396 §9.2: details that an answer tells."""

import logging
from typing import Any

import pytest

from resource_server.development.minting import OMIT, SigningKey
from tests.introspecting import ENDPOINT
from tests.rfc.checklist import requirement
from tests.rfc.introspection import SIGNED, Asking, MakeAsking
from tests.rfc.probe import ORIGIN


@pytest.fixture
async def signed(make_asking: MakeAsking) -> Asking:
    """An API that demands signed answers, and an issuer that signs them."""
    return await make_asking(signed=True)


@requirement("RS-9701-4-a")
async def test_rs_9701_4_a_a_signed_answer_is_asked_for(signed: Asking) -> None:
    """RFC 9701 §4: by its media type, and authenticated."""
    assert await signed.status() == 200
    [question] = signed.endpoint.questions
    assert question.url == ENDPOINT
    assert question.headers["accept"] == SIGNED
    assert question.headers["authorization"].startswith("Basic ")


@requirement("RS-9701-5-a")
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"header": {"typ": "JWT"}}, id="typ"),
        pytest.param({"header": {"typ": "at+jwt"}}, id="access-token"),
        pytest.param({"header": {"typ": OMIT}}, id="no-typ"),
        pytest.param({"header": {"alg": "none"}}, id="none"),
        pytest.param({"header": {"alg": "HS256"}}, id="shared-secret"),
        pytest.param({"header": {"alg": "ES512"}}, id="not-on-the-list"),
        pytest.param({"key": SigningKey.generate("ES256")}, id="another-key"),
        pytest.param({"iss": "https://other.example.com"}, id="issuer"),
        pytest.param({"iss": OMIT}, id="no-issuer"),
        pytest.param({"aud": "another-api"}, id="audience"),
        pytest.param({"aud": OMIT}, id="no-audience"),
        pytest.param({"iat": 1_700_000_000}, id="stale"),
        pytest.param({"iat": 1_900_000_000}, id="from-the-future"),
        pytest.param({"iat": OMIT}, id="no-iat"),
        pytest.param({"token_introspection": OMIT, "active": True}, id="members-outside"),
    ],
)
async def test_rs_9701_5_a_a_faulty_answer_is_no_judgement(signed: Asking, fault: dict[str, Any]) -> None:
    """RFC 9701 §5: the server's fault, so never 401."""
    signed.sign(**fault)
    assert await signed.status() == 503


@requirement("RS-9701-5-a")
async def test_rs_9701_5_a_a_plain_answer_is_a_downgrade(signed: Asking) -> None:
    """RFC 9701 §5: where a signature was demanded."""
    signed.endpoint.say()
    assert await signed.status() == 503


@requirement("RS-9701-5-a")
async def test_rs_9701_5_a_what_stands_beside_the_members_counts_for_nothing(signed: Asking) -> None:
    """RFC 9701 §5."""
    signed.sign(sub="mallory", scope="a:read b:write")
    assert (await signed.ask(path="/api/v1/me")).json() == {"sub": "alice"}
    assert await signed.status(path="/both") == 403


@requirement("RS-9701-8.1-a")
@pytest.mark.parametrize("typ", ["token-introspection+jwt", SIGNED])
async def test_rs_9701_8_1_a_an_answer_is_no_access_token(signed: Asking, typ: str) -> None:
    """RFC 9701 §8.1: though it is a JWT of our issuer, for us, with a good signature."""
    now = signed.time.wall
    claims: dict[str, Any] = {"aud": ["api", ORIGIN], "sub": "alice", "client_id": "shop", "exp": now + 60, "jti": "1"}
    answer = signed.sign(header={"typ": typ}, **claims)
    assert await signed.status(answer) == 401
    assert signed.endpoint.questions == []


DETAILS = [{"type": "payment_initiation", "actions": ["read", "write"], "creditorAccount": "canary"}]


@requirement("RS-9396-9-a")
@pytest.mark.parametrize("path", ["/orders", "/both"])
async def test_rs_9396_9_a_details_grant_nothing(asking: Asking, path: str) -> None:
    """RFC 9396 §9.2: nothing here understands a type of them, so none counts as a scope or a role."""
    asking.endpoint.say(scope="another", authorization_details=DETAILS)
    assert await asking.status(path=path) == 403


@requirement("RS-9396-13-a")
async def test_rs_9396_13_a_details_are_not_logged(asking: Asking, caplog: pytest.LogCaptureFixture) -> None:
    """RFC 9396 §13: they may name accounts and amounts."""
    caplog.set_level(logging.DEBUG)
    for said in ({}, {"exp": 1}, {"scope": "another"}, {"active": "true"}):
        asking.endpoint.say(authorization_details=DETAILS, **said)
        response = await asking.ask(f"t{len(asking.endpoint.questions)}")
        assert "canary" not in response.text + str(response.headers)
    assert "canary" not in caplog.text
