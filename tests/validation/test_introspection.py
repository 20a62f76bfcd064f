"""What an introspection answer must say of a token, however active it is (RFC 7662 §2.2)."""

import json
import logging
from typing import Any

import pytest

from resource_server import Kind, any_scope, owner, role
from resource_server.development.minting import OMIT
from resource_server.issuers.grants import Grants
from resource_server.issuers.introspection_endpoint import Answered
from tests.introspecting import API, GOOD, URL, Endpoint, issuer, judge, kind, members, refusal, server, status
from tests.turnable_clock import TurnableClock

UNAVAILABLE, INVALID, WRONG_TYPE = "issuer_unavailable", "invalid_claim", "wrong_token_type"


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


async def test_a_good_answer_is_a_good_token(time: TurnableClock, endpoint: Endpoint) -> None:
    """RFC 7662 §2.2: the control of everything below."""
    token = await judge(server(time, endpoint), GOOD, "orders:read")
    assert (token.issuer, token.subject, token.client_id, token.audience) == (URL, "alice", "shop", (API,))
    assert token.scopes == {"orders:read"}
    assert (token.issued_at, token.expires_at) == (time.wall, time.wall + 300)
    assert token.confirmation is None
    assert "active" not in token.claims


@pytest.mark.parametrize("value", ["true", "True", 1, 1.0, None, [], [True], {}, "", 0, "false", OMIT], ids=repr)
async def test_active_is_json_s_true_or_the_answer_is_none(
    time: TurnableClock, endpoint: Endpoint, caplog: pytest.LogCaptureFixture, value: object
) -> None:
    """RS-7662-2.2-a: a text "false" is true to a careless reader; what is no judgement is the endpoint's fault."""
    endpoint.say(active=value)
    refused = await refusal(server(time, endpoint))
    assert refused is not None
    assert (refused.kind, refused.retry_after) == (Kind.ISSUER_UNAVAILABLE, 1)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "the answer's active is neither true nor false" in record.message
    assert "the answer's active is neither true nor false" in refused.reason


async def test_an_inactive_token_is_revoked_whatever_else_is_said(time: TurnableClock, endpoint: Endpoint) -> None:
    """D13."""
    endpoint.say(active=False)
    assert await kind(server(time, endpoint)) == "revoked"
    endpoint.answer = lambda question: status(200, b'{"active": false}')
    assert await kind(server(time, endpoint)) == "revoked"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b"true", id="true"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'[{"active": true}]', id="object-in-an-array"),
        pytest.param(b'"{}"', id="text"),
        pytest.param(b'{"active": true', id="truncated"),
        pytest.param(b'{"active": true}{"active": true}', id="two"),
        pytest.param(b'{"active": false, "active": true}', id="twice"),
        pytest.param(b'{"active": true, "sub": "alice", "sub": "bob"}', id="another-twice"),
        pytest.param(b'{"active": true, "x": {"a": 1, "a": 2}}', id="twice-within"),
        pytest.param(b'{"active": true, "exp": NaN}', id="nan"),
        pytest.param(b'{"active": true, "exp": Infinity}', id="infinity"),
        pytest.param(b'{"active": true, "exp": 1e999}', id="too-large-a-number"),
        pytest.param(b'{"active": true, "exp": ' + b"9" * 21 + b"}", id="too-many-digits"),
        pytest.param(b'{"active": true, "x": ' + b"[" * 32 + b"]" * 32 + b"}", id="deep"),
        pytest.param(b'{"active": true, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="very-deep"),
        pytest.param(b'{"active": true, "x": ' + json.dumps(["a"] * 256).encode() + b"}", id="many-members"),
        pytest.param(b'\xef\xbb\xbf{"active": true}', id="byte-order-mark"),
        pytest.param('{"active": true}'.encode("utf-16"), id="utf-16"),
        pytest.param(b'{"active": true, "sub": "\\ud800"}', id="lone-surrogate"),
        pytest.param(b'{"active": true, "sub": "\xff"}', id="no-utf-8"),
        pytest.param(b"<html>active: true</html>", id="html"),
    ],
)
async def test_an_answer_that_is_no_unambiguous_json_object_is_none(
    time: TurnableClock, endpoint: Endpoint, body: bytes
) -> None:
    """RS-7662-2.2-a, T28: never the token's fault, never a failure of ours."""
    endpoint.fail(status(200, body))
    refused = await refusal(server(time, endpoint))
    assert refused is not None
    assert refused.kind is Kind.ISSUER_UNAVAILABLE
    assert refused.reason.startswith(f"introspection at {URL}: the answer is no JSON object (")


@pytest.mark.parametrize("content_type", ["", "text/html", "text/plain", "application/jwt", "application/jsonp"])
async def test_an_answer_of_another_content_type_is_none(
    time: TurnableClock, endpoint: Endpoint, content_type: str
) -> None:
    """RFC 7662 §2.2: application/json; a login page is no judgement."""
    body = json.dumps(members(time)).encode()
    endpoint.fail(Answered(200, content_type, body))
    refused = await refusal(server(time, endpoint))
    assert refused is not None
    assert refused.kind is Kind.ISSUER_UNAVAILABLE
    assert refused.reason == f"introspection at {URL}: the answer's content type is not application/json"


FAULTS = [
    pytest.param({"exp": -1}, "expired", id="expired"),
    pytest.param({"exp": "9999999999"}, INVALID, id="exp-a-text"),
    pytest.param({"exp": True}, INVALID, id="exp-a-truth-value"),
    pytest.param({"exp": []}, INVALID, id="exp-a-list"),
    pytest.param({"exp": None}, INVALID, id="exp-null"),
    pytest.param({"nbf": 2_000_000_000}, "not_yet_valid", id="not-yet"),
    pytest.param({"nbf": "0"}, INVALID, id="nbf-a-text"),
    pytest.param({"iat": 2_000_000_000}, "not_yet_valid", id="from-the-future"),
    pytest.param({"iat": "0"}, INVALID, id="iat-a-text"),
    pytest.param({"iss": URL + "/"}, "wrong_issuer", id="another-spelling"),
    pytest.param({"iss": "https://evil.example"}, "wrong_issuer", id="another-issuer"),
    pytest.param({"iss": [URL]}, "wrong_issuer", id="issuers"),
    pytest.param({"iss": 1}, "wrong_issuer", id="iss-a-number"),
    pytest.param({"aud": "https://other.example.com"}, "wrong_audience", id="another-audience"),
    pytest.param({"aud": []}, "wrong_audience", id="no-audience"),
    pytest.param({"aud": {"0": API}}, "wrong_audience", id="audience-an-object"),
    pytest.param({"aud": [API, 1]}, "wrong_audience", id="audience-with-a-number"),
    pytest.param({"aud": API + "/"}, "wrong_audience", id="audience-with-a-slash"),
    pytest.param({"sub": ""}, INVALID, id="nobody"),
    pytest.param({"sub": 7}, INVALID, id="sub-a-number"),
    pytest.param({"client_id": ["shop"]}, INVALID, id="clients"),
    pytest.param({"scope": ["orders:read"]}, INVALID, id="scope-a-list"),
    pytest.param({"scope": 5}, INVALID, id="scope-a-number"),
    pytest.param({"roles": {"admin": True}}, INVALID, id="roles-an-object"),
    pytest.param({"roles": [1]}, INVALID, id="role-a-number"),
    pytest.param({"token_type": "N_A"}, WRONG_TYPE, id="not-applicable"),
    pytest.param({"token_type": "mac"}, WRONG_TYPE, id="mac"),
    pytest.param({"token_type": "refresh_token"}, WRONG_TYPE, id="refresh"),
    pytest.param({"token_type": ["Bearer"]}, WRONG_TYPE, id="types"),
    pytest.param({"token_type": "Bearer "}, WRONG_TYPE, id="with-a-space"),
    pytest.param({"token_type": True}, WRONG_TYPE, id="type-a-truth-value"),
    pytest.param({"token_use": "refresh_token"}, WRONG_TYPE, id="use-refresh"),
    pytest.param({"token_use": "id"}, WRONG_TYPE, id="use-id"),
    pytest.param({"token_use": ""}, WRONG_TYPE, id="use-empty"),
    pytest.param({"token_use": ["access"]}, WRONG_TYPE, id="uses"),
    pytest.param({"typ": "Refresh"}, WRONG_TYPE, id="typ-refresh"),
    pytest.param({"typ": "Offline"}, WRONG_TYPE, id="typ-offline"),
    pytest.param({"typ": "ID"}, WRONG_TYPE, id="typ-id"),
    pytest.param({"typ": "logout+jwt"}, WRONG_TYPE, id="typ-logout"),
    pytest.param({"typ": "JWT"}, WRONG_TYPE, id="typ-jwt"),
    pytest.param({"typ": 5}, WRONG_TYPE, id="typ-a-number"),
]


@pytest.mark.parametrize(("said", "expected"), FAULTS)
async def test_an_active_token_is_judged_by_us_all_the_same(
    time: TurnableClock, endpoint: Endpoint, said: dict[str, Any], expected: str
) -> None:
    """RS-7662-2.2-b: that a server calls a token active does not make it one for us."""
    if said.get("exp") == -1:
        said = {"exp": time.wall - 30}
    endpoint.say(**said)
    assert await kind(server(time, endpoint)) == expected


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"nbf": 1}, id="nbf-long-ago"),
        pytest.param({"nbf": None, "scope": None, "roles": None, "username": None}, id="nulls-stand-for-nothing"),
        pytest.param({"aud": ["https://other.example.com", API]}, id="one-of-two-audiences"),
        pytest.param({"scope": ""}, id="no-scope"),
        pytest.param({"scope": OMIT}, id="scope-missing"),
        pytest.param({"token_type": "bearer"}, id="small-letters"),
        pytest.param({"token_use": "access_token"}, id="use-access-token"),
        pytest.param({"token_use": "access", "typ": "Bearer"}, id="use-access"),
        pytest.param({"typ": "at+jwt"}, id="typ-at-jwt"),
        pytest.param({"exp": 1_900_000_000.75, "iat": 1_700_000_000.25, "nbf": 1.5}, id="floats"),
        pytest.param({"jti": OMIT}, id="no-jti"),
    ],
)
async def test_what_rfc_7662_leaves_free_is_accepted(
    time: TurnableClock, endpoint: Endpoint, said: dict[str, Any]
) -> None:
    """RFC 7662 §2.2, RFC 7519 §2: numbers may have fractions, types are compared without regard to case."""
    endpoint.say(**said)
    assert await kind(server(time, endpoint)) is None


async def test_expiry_is_judged_to_the_second_and_with_leeway(time: TurnableClock, endpoint: Endpoint) -> None:
    """RFC 7519 §4.1.4, and liboauth2: an expired token was served from the results that it remembered."""
    exp = time.wall + 10
    endpoint.say(exp=exp)
    api = server(time, endpoint, issuer(ttl=600))
    time.turn(39.99)
    assert await kind(api) is None
    time.turn(0.01)
    assert await kind(api) == "expired"


@pytest.mark.parametrize("value", [None, {}, [], "", "text", 0, False, {"jkt": "x"}, {"x5t#S256": "y"}], ids=repr)
@pytest.mark.parametrize("token_type", ["Bearer", "DPoP"])
async def test_a_cnf_of_any_value_binds(
    time: TurnableClock, endpoint: Endpoint, value: object, token_type: str
) -> None:
    """T21, D15: null is no permission to use a bound token as a bearer token."""
    endpoint.say(cnf=value, token_type=token_type)
    assert await kind(server(time, endpoint)) == "unconfirmed_token"


async def test_a_dpop_token_whose_binding_is_not_told_is_no_bearer_token(
    time: TurnableClock, endpoint: Endpoint
) -> None:
    """RFC 9449 §6.2: token_type says that it is bound, even where the server forgets to say to what."""
    for said in ({"token_type": "DPoP"}, {"token_type": "dpop"}, {"typ": "DPoP"}):
        endpoint.say(**said)
        assert await kind(server(time, endpoint)) == "unconfirmed_token"


async def test_an_issuer_grants_by_its_answers_what_it_may_grant(time: TurnableClock, endpoint: Endpoint) -> None:
    """T1: an opaque token of a partner is worth no more than its JWT."""
    endpoint.say(iss="https://partner.example", scope="orders:read admin", roles=["editor", "admin"])
    partner = issuer(url="https://partner.example", grants=Grants(scopes=["orders:read"], roles=["editor"]))
    ours = issuer(introspection=None, grants="everything")
    api = server(time, endpoint, ours, partner)
    assert await kind(api, GOOD, "orders:read", role("editor")) is None
    assert await kind(api, GOOD, "admin") == "insufficient_scope"
    assert await kind(api, GOOD, role("admin")) == "missing_role"
    assert await kind(api, GOOD, owner("user_id"), user_id="alice") == "not_owner"
    nothing = server(time, endpoint, ours, issuer(url="https://partner.example"))
    assert await kind(nothing, GOOD) is None
    assert await kind(nothing, GOOD, any_scope("orders:read", "admin")) == "insufficient_scope"


async def test_no_answer_is_in_a_log_a_reason_or_a_repr(
    time: TurnableClock, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """RS-7662-5-a: what a server says of its user is private, and the token is secret."""
    caplog.set_level(logging.DEBUG)
    canary = "canary-7f3a"
    for said in ({"active": "true"}, {"cnf": {"jkt": canary}}, {"exp": canary}, {"typ": canary}, {}):
        endpoint.say(username=canary, **said)
        refused = await refusal(server(time, endpoint), canary)
        token = None if refused else await judge(server(time, endpoint), canary)
        assert canary not in f"{refused!r}{refused!s}{token!r}{caplog.text}"
    assert canary not in repr(Answered(200, "application/json", canary.encode()))
