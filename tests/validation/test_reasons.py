"""What the operator reads of a refused token, in the audit record and in `explain`: which demand was not met.

Design §3: a refusal carries a kind and a private reason; none of these sentences reaches the client.
"""

import base64
from dataclasses import replace
from typing import Any

import pytest

from resource_server.development.minting import OMIT
from resource_server.refusals import Kind, Refusal
from resource_server.validation import claims, compact
from resource_server.validation.claims import ClaimRules

NOW = 1_800_000_000.0
RULES = ClaimRules(issuer="https://id.example.com", audience=frozenset({"https://b.example", "https://a.example"}))
CLAIMS = {"jti": "t1", "sub": "alice", "client_id": "notes-app", "aud": "https://a.example", "iat": NOW, "exp": NOW + 9}


def signed(header: bytes = b'{"alg":"ES256"}', payload: bytes = b"{}") -> str:
    parts = (base64.urlsafe_b64encode(raw).rstrip(b"=").decode() for raw in (header, payload, b"signature"))
    return ".".join(parts)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param("e30=.e30.AA", "a character outside of base64url and the period", id="padding"),
        pytest.param("e30.e30", "2 parts; a signed JWT has three", id="two-parts"),
        pytest.param("a.a.a.a.a", "5 parts; a signed JWT has three", id="five-parts"),
        pytest.param("A.e30.AA", "not base64url", id="impossible-length"),
        pytest.param(".e30.AA", "not base64url", id="empty-part"),
        pytest.param("e31.e30.AA", "not canonical base64url", id="spare-bits"),
        pytest.param(
            signed(b'{"alg":"ES256","a":"%s"}' % (b"a" * 8192)), "the header is too large", id="header-too-large"
        ),
        pytest.param(
            signed(b'{"alg":"ES256","crit":["exp"]}'),
            "the header has critical members; we understand none (RFC 7515 §4.1.11)",
            id="crit",
        ),
        pytest.param(signed(b'{"alg":"ES256","b64":false}'), "not a plain JWS", id="b64"),
        pytest.param(signed(b'{"alg":"dir","enc":"A128GCM"}'), "not a plain JWS", id="enc"),
        pytest.param(signed(b"{}"), "the header has no alg", id="no-alg"),
        pytest.param(signed(b'{"alg":"ES256","kid":1}'), "kid and typ must be text", id="kid-number"),
        pytest.param(signed(b'{"alg":"ES256","typ":null}'), "kid and typ must be text", id="typ-null"),
        pytest.param(signed(payload=b"[]"), "not an object", id="array"),
        pytest.param(signed(payload=b'{"a":1,"a":1}'), "a member occurs twice", id="member-twice"),
        pytest.param(signed(payload=b'{"a":%s}' % (b"1" * 21)), "a number has too many digits", id="digits"),
        pytest.param(signed(payload=b'{"a":1e999}'), "a number is out of range", id="infinite"),
        pytest.param(signed(payload=b'{"a":NaN}'), "NaN is not JSON", id="nan"),
        pytest.param(signed(payload=b'{"a":%s}' % (b"[" * 32 + b"]" * 32)), "nested too deeply", id="deep"),
        pytest.param(
            signed(payload=b'{"a":%s}' % (b"[" * 5000)), "too many members, or nested too deeply", id="deeper"
        ),
        pytest.param(signed(payload=b'{"a":[%s1]}' % (b"1," * 255)), "too many members", id="members"),
        pytest.param(signed(payload=b'{"a":"\xff"}'), "not UTF-8", id="not-utf-8"),
        pytest.param(signed(payload=rb'{"a":"\ud800"}'), "not UTF-8", id="lone-surrogate"),
    ],
)
def test_token_that_can_not_be_read_says_why(token: str, reason: str) -> None:
    """T28, RS-7515-5.2-a: and no byte of the token is in it."""
    with pytest.raises(Refusal) as caught:
        compact.parse(token)
    assert (caught.value.kind, caught.value.reason) == (Kind.MALFORMED_TOKEN, reason)


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        pytest.param({"jti": OMIT}, Kind.INVALID_CLAIM, "jti is missing or no text", id="no-jti"),
        pytest.param({"sub": ""}, Kind.INVALID_CLAIM, "sub is missing or no text", id="empty-sub"),
        pytest.param({"client_id": 1}, Kind.INVALID_CLAIM, "client_id is missing or no text", id="client-id-number"),
        pytest.param({"iat": OMIT}, Kind.INVALID_CLAIM, "iat is missing or no number", id="no-iat"),
        pytest.param({"exp": "1"}, Kind.INVALID_CLAIM, "exp is missing or no number", id="exp-text"),
        pytest.param({"nbf": None}, Kind.INVALID_CLAIM, "nbf is missing or no number", id="nbf-null"),
        pytest.param(
            {"aud": ["https://c.example", "https://d.example"]},
            Kind.WRONG_AUDIENCE,
            "aud is https://c.example, https://d.example, not https://a.example, https://b.example",
            id="other-audience",
        ),
        pytest.param(
            {"aud": OMIT},
            Kind.WRONG_AUDIENCE,
            "aud is missing or neither a text nor an array of texts",
            id="no-audience",
        ),
        pytest.param({"nbf": NOW + 90.6}, Kind.NOT_YET_VALID, "nbf is 91 s ahead", id="not-before"),
        pytest.param({"iat": NOW + 90.6}, Kind.NOT_YET_VALID, "iat is 91 s ahead", id="issued-later"),
        pytest.param({"scp": ["a"]}, Kind.INVALID_CLAIM, "scp is no text", id="scope-array"),
        pytest.param({"access": ["a"]}, Kind.INVALID_CLAIM, "access.roles has an unknown shape", id="step-no-object"),
        pytest.param({"access": {"roles": 1}}, Kind.INVALID_CLAIM, "access.roles is no array", id="roles-number"),
        pytest.param(
            {"access": {"roles": [1]}},
            Kind.INVALID_CLAIM,
            "access.roles has a member that is no text",
            id="role-number",
        ),
    ],
)
def test_claim_that_is_refused_is_named(changes: dict[str, Any], kind: Kind, reason: str) -> None:
    """RS-9068-2.2-a, RS-7519-4.1.3-a, RS-7519-4.1.5-a: a verified claim may be quoted."""
    payload = {name: value for name, value in (CLAIMS | changes).items() if value is not OMIT}
    rules = replace(RULES, scope_claim="scp", roles_claim=("access", "roles"))
    with pytest.raises(Refusal) as caught:
        claims.read(payload, rules, NOW)
    assert (caught.value.kind, caught.value.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("rules", "changes", "kind", "reason"),
    [
        pytest.param(
            {"foreign_markers": {"nonce": ("*",)}},
            {"nonce": "x"},
            Kind.WRONG_TOKEN_TYPE,
            "nonce is that of another token than an access token",
            id="foreign-marker",
        ),
        pytest.param(
            {"markers": ({"token_use": ("access",)},)},
            {},
            Kind.WRONG_TOKEN_TYPE,
            "no claim marks it as an access token",
            id="no-marker",
        ),
        pytest.param(
            {"audience_is_no_client_id": True},
            {"client_id": "https://a.example"},
            Kind.WRONG_TOKEN_TYPE,
            "it is for its own client, as an ID token is",
            id="own-client",
        ),
        pytest.param(
            {"audience_claim": "resource"},
            {"resource": "https://c.example"},
            Kind.WRONG_AUDIENCE,
            "resource is https://c.example, not https://a.example, https://b.example",
            id="audience-of-another-name",
        ),
        pytest.param(
            {"scope_claim": "scp", "scope_shape": "array"},
            {"scp": "a b"},
            Kind.INVALID_CLAIM,
            "scp is no array of texts",
            id="scope-text",
        ),
        pytest.param(
            {"roles_claim": ("access", "roles"), "roles_shape": "members"},
            {"access": {"roles": ["a"]}},
            Kind.INVALID_CLAIM,
            "access.roles is no object",
            id="roles-array",
        ),
    ],
)
def test_claim_that_an_issuer_s_own_rule_refuses_is_named(
    rules: dict[str, Any], changes: dict[str, Any], kind: Kind, reason: str
) -> None:
    """T18, ruling 24: the operator who has declared the rule reads which one it was."""
    with pytest.raises(Refusal) as caught:
        claims.read(CLAIMS | changes, replace(RULES, **rules), NOW)
    assert (caught.value.kind, caught.value.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("tid", "key_issuer", "reason"),
    [
        pytest.param("t2", None, "tid is not the tenant that iss names", id="claim-of-another"),
        pytest.param("t1", "https://id.example.com/t2", "the key is another tenant's", id="key-of-another"),
    ],
)
def test_token_that_is_not_its_tenant_s_says_what_differs(tid: str, key_issuer: str | None, reason: str) -> None:
    """T19: a claim that is wrong and a key that is wrong are faults of different people."""
    rules = replace(RULES, issuer="https://id.example.com/t1", tenant="t1")
    with pytest.raises(Refusal) as caught:
        claims.check_tenant({"tid": tid}, rules, key_issuer)
    assert (caught.value.kind, caught.value.reason) == (Kind.WRONG_ISSUER, reason)


def test_a_type_that_is_refused_is_not_quoted() -> None:
    """RS-9068-4-a: it is judged before the signature, so it may be anybody's word."""
    with pytest.raises(Refusal) as caught:
        claims.check_type("canary")
    assert caught.value.reason == "typ is none of those of the issuer's access tokens"
