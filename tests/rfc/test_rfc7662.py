"""RFC 7662: tokens that the issuer is asked about."""

import asyncio
import logging
from typing import Any

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.client_authentication import (
    BearerCredential,
    PrivateKeyJwt,
    SecretBasic,
    SecretPost,
    read_private_key,
)
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.issuer import Issuer
from tests.introspecting import CLIENT, ENDPOINT, GOOD, status
from tests.issuers.key_kinds import private_key
from tests.rfc.challenges import challenges
from tests.rfc.checklist import requirement
from tests.rfc.introspection import Asking, MakeAsking
from tests.rfc.tokens import unbase64url


@requirement("RS-7662-2.1-a")
async def test_rs_7662_2_1_a_the_question_is_a_form_with_the_token(asking: Asking) -> None:
    """RFC 7662 §2.1; that it is a POST on the wire, tests/issuers/test_introspection_endpoint.py holds."""
    assert await asking.status() == 200
    [question] = asking.endpoint.questions
    assert question.form == {"token": GOOD, "token_type_hint": "access_token"}
    assert question.url == ENDPOINT
    assert question.headers["authorization"].startswith("Basic ")


@requirement("RS-7662-2.1-a")
@pytest.mark.parametrize("endpoint", ["http://id.example.com/introspect", "http://127.0.0.1/", "ftp://id.example.com/"])
def test_rs_7662_2_1_a_an_endpoint_that_is_not_https_ends_the_start(endpoint: str) -> None:
    """RFC 7662 §4: tokens and credentials go there."""
    with pytest.raises(ConfigurationError, match="introspection_endpoint must be https"):
        Issuer(
            url="https://id.example.com", audience="a", introspection=Introspection(endpoint=endpoint, client=CLIENT)
        )


@requirement("RS-7662-2.1-b")
@pytest.mark.parametrize(
    "client",
    [
        pytest.param(SecretBasic("api", "secret"), id="basic"),
        pytest.param(SecretPost("api", "secret"), id="post"),
        pytest.param(BearerCredential("api", "a-token-of-the-api"), id="bearer"),
        pytest.param(PrivateKeyJwt("api", *read_private_key(private_key("P-256").as_pem(private=True))), id="jwt"),
    ],
)
async def test_rs_7662_2_1_b_the_api_proves_itself_and_not_by_the_token(make_asking: MakeAsking, client: Any) -> None:
    """RFC 7662 §2.1."""
    asking = await make_asking(client=client)
    assert await asking.status() == 200
    [question] = asking.endpoint.questions
    credentials = {"client_secret", "client_assertion"} & question.form.keys() or question.headers["authorization"]
    assert credentials
    others = [value for name, value in question.form.items() if name != "token"]
    assert not any(GOOD in value for value in [*others, *question.headers.values()])


@requirement("RS-7662-2.1-b")
async def test_rs_7662_2_1_b_an_assertion_is_for_the_issuer(make_asking: MakeAsking) -> None:
    """RFC 7523, its update: the issuer alone, not the endpoint's address."""
    key = read_private_key(private_key("P-256").as_pem(private=True))
    asking = await make_asking(client=PrivateKeyJwt("api", *key))
    await asking.ask()
    [question] = asking.endpoint.questions
    payload = unbase64url(question.form["client_assertion"].split(".")[1])
    assert b'"aud":"https://id.example.com"' in payload.replace(b" ", b"")


@requirement("RS-7662-2.2-a")
@pytest.mark.parametrize("value", ["true", "false", 1, None, [True], {"a": True}])
async def test_rs_7662_2_2_a_active_is_the_boolean_true(asking: Asking, value: object) -> None:
    """RFC 7662 §2.2: what is no boolean is no judgement."""
    asking.endpoint.say(active=value)
    assert await asking.status() == 503


@requirement("RS-7662-2.2-a")
@pytest.mark.parametrize("number", [201, 204, 206, 302, 400, 404, 429, 500, 503])
async def test_rs_7662_2_2_a_only_a_200_is_an_answer(asking: Asking, number: int) -> None:
    """RFC 7662 §2.2, §2.3: even with the body of a good answer."""
    asking.endpoint.fail(status(number, b'{"active": true}'))
    response = await asking.ask()
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert "www-authenticate" not in response.headers


@requirement("RS-7662-2.2-a")
@pytest.mark.parametrize("body", [b"", b"[]", b'"active"', b"<html>active</html>", b'{"active":true,"active":true}'])
async def test_rs_7662_2_2_a_only_a_json_object_is_an_answer(asking: Asking, body: bytes) -> None:
    """RFC 7662 §2.2."""
    asking.endpoint.fail(status(200, body))
    assert await asking.status() == 503


@requirement("RS-7662-2.2-a")
async def test_rs_7662_2_2_a_an_inactive_token_is_invalid_and_nothing_else_is_told(asking: Asking) -> None:
    """D13: the answer is byte for byte that of any bad token."""
    asking.endpoint.say(active=False)
    response = await asking.ask()
    assert response.status_code == 401
    [challenge] = challenges(response)
    assert challenge["error"] == "invalid_token"
    garbage = await asking.ask("eyJhbGciOiJub25lIn0.e30.AA")
    assert (garbage.status_code, garbage.content) == (401, response.content)
    assert garbage.headers["www-authenticate"] == response.headers["www-authenticate"]


@requirement("RS-7662-2.2-b")
@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"nbf": 9_999_999_999}, id="not-yet"),
        pytest.param({"iat": 9_999_999_999}, id="from-the-future"),
        pytest.param({"iss": "https://other.example.com"}, id="issuer"),
        pytest.param({"aud": "https://other.example.com"}, id="audience"),
        pytest.param({"token_type": "refresh_token"}, id="type"),
        pytest.param({"token_use": "refresh"}, id="use"),
        pytest.param({"cnf": {"jkt": "x"}}, id="bound-to-a-key"),
        pytest.param({"cnf": {"x5t#S256": "x"}}, id="bound-to-a-certificate"),
        pytest.param({"cnf": None}, id="bound-to-nonsense"),
        pytest.param({"scope": ["orders:read"]}, id="scope"),
    ],
)
async def test_rs_7662_2_2_b_an_active_token_is_judged_all_the_same(asking: Asking, said: dict[str, Any]) -> None:
    """Ruling: what the server calls active may be for another, too late, or bound to somebody."""
    asking.endpoint.say(**said)
    response = await asking.ask()
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


@requirement("RS-7662-2.2-b")
async def test_rs_7662_2_2_b_a_scope_that_is_missing_is_403(asking: Asking) -> None:
    """RFC 6750 §3.1."""
    asking.endpoint.say(scope="another")
    assert await asking.status() == 403


@requirement("RS-7662-2.2-c")
async def test_rs_7662_2_2_c_a_user_is_the_subject_and_not_the_username(asking: Asking) -> None:
    """RFC 7662 §2.2: username is for people to read."""
    asking.endpoint.say(sub="alice", username="bob")
    assert (await asking.ask(path="/api/v1/me")).json() == {"sub": "alice"}
    assert await asking.status(path="/mail/bob") == 403
    assert await asking.status(path="/mail/alice") == 200


@requirement("RS-7662-2.3-a")
@pytest.mark.parametrize("number", [401, 403])
async def test_rs_7662_2_3_a_our_own_credential_is_no_fault_of_the_caller(
    asking: Asking, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    """RFC 7662 §2.3: forwarded, it would make every client throw its tokens away."""
    asking.endpoint.fail(status(number))
    response = await asking.ask()
    assert (response.status_code, "www-authenticate" in response.headers) == (503, False)
    assert any(one.levelno == logging.ERROR and "refuses our credential" in one.message for one in caplog.records)
    assert b"credential" not in response.content


@requirement("RS-7662-4-a")
async def test_rs_7662_4_a_nothing_is_remembered_beyond_the_expiry(make_asking: MakeAsking) -> None:
    """RFC 7662 §4: exp in 5 s, ttl 300."""
    asking = await make_asking(ttl=300)
    asking.endpoint.say(exp=asking.time.wall + 5)
    assert await asking.status() == 200
    asking.time.turn(5 + 30)
    assert await asking.status() == 401


@requirement("RS-7662-4-a")
async def test_rs_7662_4_a_an_answer_is_another_token_s_for_nobody(asking: Asking) -> None:
    """The key is all of the token's digest."""
    assert await asking.status("token-of-alice") == 200
    asking.endpoint.say(active=False)
    assert await asking.status("token-of-alicE") == 401
    assert await asking.status("token-of-alice") == 200


@requirement("RS-7662-4-a")
async def test_rs_7662_4_a_a_refusal_is_remembered_for_seconds_alone(make_asking: MakeAsking) -> None:
    """T11: whatever the ttl is."""
    asking = await make_asking(ttl=600)
    asking.endpoint.say(active=False)
    assert await asking.status() == 401
    asking.endpoint.say()
    assert await asking.status() == 401
    asking.time.turn(5)
    assert await asking.status() == 200


@requirement("RS-7662-4-b")
@pytest.mark.parametrize("ttl", [0, 30])
async def test_rs_7662_4_b_a_revoked_token_lives_on_for_the_ttl(make_asking: MakeAsking, ttl: int) -> None:
    """RFC 7662 §4: 0 is allowed, and asks every time."""
    asking = await make_asking(ttl=ttl)
    assert await asking.status() == 200
    asking.endpoint.say(active=False)
    assert await asking.status() == (200 if ttl else 401)
    asking.time.turn(ttl)
    assert await asking.status() == 401


@requirement("RS-7662-4-c")
async def test_rs_7662_4_c_a_hundred_at_once_are_one_question(make_asking: MakeAsking) -> None:
    """RFC 7662 §4: token fishing, and amplification."""
    asking = await make_asking(ttl=0)
    assert set(await asyncio.gather(*(asking.status() for _ in range(100)))) == {200}
    assert len(asking.endpoint.questions) == 1


@requirement("RS-7662-4-c")
@pytest.mark.parametrize(("token", "expected"), [("a" * 8193, 401), ("a" * 20_000, 431), ("a,b", 400), ("", 400)])
async def test_rs_7662_4_c_what_can_t_be_a_token_is_no_question(asking: Asking, token: str, expected: int) -> None:
    """RFC 7662 §4: the length is capped."""
    assert await asking.status(token) == expected
    assert asking.endpoint.questions == []


@requirement("RS-7662-5-a")
async def test_rs_7662_5_a_no_answer_is_passed_on_or_logged(asking: Asking, caplog: pytest.LogCaptureFixture) -> None:
    """RFC 7662 §5: what the server says of a user is for us alone."""
    caplog.set_level(logging.DEBUG)
    for said in ({}, {"exp": 1}, {"aud": "canary"}, {"typ": "canary"}, {"active": "canary"}, {"active": False}):
        asking.endpoint.say(username="canary", email="canary", **said)
        response = await asking.ask(f"t{len(asking.endpoint.questions)}")
        assert "canary" not in response.text + str(response.headers)
    assert "canary" not in caplog.text
