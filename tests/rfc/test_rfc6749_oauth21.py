"""RFC 6749 §3.3 and §7, and what OAuth 2.1 (draft-16) adds."""

from urllib.parse import urlsplit

import pytest

from resource_server.development.minting import OMIT
from tests.rfc.challenges import challenges, lines
from tests.rfc.checklist import requirement
from tests.rfc.probe import Probe
from tests.rfc.provocations import refusals


@requirement("RS-6749-7-a")
async def test_rs_6749_7_a_a_token_is_validated_before_anything_is_served(api: Probe) -> None:
    """RFC 6749 §7: that it has not expired and that its scope covers the resource."""
    expired, unscoped = api.token(exp=int(api.time.wall) - 60), api.token(scope="orders:write")
    assert [await api.status(token) for token in (expired, unscoped)] == [401, 403]
    for token in (expired, unscoped):
        assert "lamp" not in (await api.ask(token=token)).text


@requirement("RS-6749-7-a")
async def test_rs_6749_7_a_a_remembered_token_expires_too(api: Probe) -> None:
    """RFC 6749 §7: what was good a minute ago is judged again."""
    token = api.token(exp=int(api.time.wall) + 60)
    before = await api.status(token)
    api.time.turn(60 + 30)
    assert (before, await api.status(token)) == (200, 401)


@requirement("RS-6749-7-a")
@pytest.mark.parametrize("scheme", ["MAC", "DPoP", "Token", "PoP", "Basic", "N_A", "OAuth"])
async def test_rs_6749_7_a_a_token_of_an_unknown_type_is_not_used(api: Probe, scheme: str) -> None:
    """RFC 6749 §7.1."""
    response = await api.ask(headers=[("authorization", f"{scheme} {api.token()}")])
    assert (response.status_code, len(challenges(response))) == (401, 1)


@requirement("RS-6749-7.2-a")
async def test_rs_6749_7_2_a_the_client_is_told_the_error_as_bearer_tokens_do(api: Probe) -> None:
    """RFC 6749 §7.2: by the WWW-Authenticate field of RFC 6750."""
    told = {
        name: (response.status_code, challenges(response)[0]["error"])
        for name, response in (await refusals(api, "D03", "D11", "D21")).items()
    }
    assert set(told.values()) == {(400, "invalid_request"), (401, "invalid_token"), (403, "insufficient_scope")}


@requirement("RS-6749-3.3-a")
@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        pytest.param("orders:read", "/orders", 200, id="alone"),
        pytest.param("a orders:read b", "/orders", 200, id="among-others"),
        pytest.param("b:write a:read", "/both", 200, id="in-another-order"),
        pytest.param("a:read a:read b:write", "/both", 200, id="named-twice"),
        pytest.param("  a:read   b:write ", "/both", 200, id="many-spaces"),
        pytest.param("Orders:Read", "/orders", 403, id="in-another-case"),
        pytest.param("orders:readwrite", "/orders", 403, id="longer"),
        pytest.param("orders", "/orders", 403, id="shorter"),
        pytest.param("xorders:read", "/orders", 403, id="at-the-end-of-another"),
        pytest.param("orders:*", "/orders", 403, id="wildcard"),
        pytest.param("orders:read,orders:write", "/orders", 403, id="commas"),
        pytest.param("a\torders:read", "/orders", 403, id="tab"),
        pytest.param("a\norders:read", "/orders", 403, id="line-end"),
        pytest.param("a\u00a0orders:read", "/orders", 403, id="no-break-space"),
        pytest.param("orders\uff1aread", "/orders", 403, id="full-width-colon"),
        pytest.param("", "/orders", 403, id="empty"),
        pytest.param(OMIT, "/orders", 403, id="absent"),
        pytest.param(["orders:read"], "/orders", 401, id="array"),
        pytest.param({"orders:read": True}, "/orders", 401, id="object"),
        pytest.param(None, "/orders", 401, id="null"),
        pytest.param(1, "/orders", 401, id="number"),
    ],
)
async def test_rs_6749_3_3_a_scope_is_a_set_of_whole_words(small: Probe, scope: object, path: str, status: int) -> None:
    """RFC 6749 §3.3; ruling 24: a scope of another type is 401, never 500."""
    assert await small.status(small.token(scope=scope), path) == status


@requirement("RS-21-5.1-a")
@pytest.mark.parametrize("query", ["access_token={}", "a=1&access_token={}", "access_token={}&access_token={}"])
async def test_rs_21_5_1_a_a_token_in_the_query_is_ignored(api: Probe, query: str) -> None:
    """OAuth 2.1 draft-16 §5.1; ruling 5: beside a token in the header it is 400."""
    path = "/orders?" + query.replace("{}", api.token())
    alone, beside = await api.ask(path), await api.ask(path, token=api.token())
    assert (alone.status_code, "error" in challenges(alone)[0].names) == (401, False)
    assert (beside.status_code, challenges(beside)[0]["error"]) == (400, "invalid_request")


@requirement("RS-21-5.2-a")
@pytest.mark.parametrize(
    ("claims", "path", "status"),
    [
        pytest.param({"exp": 1_700_000_000}, "/orders", 401, id="expired"),
        pytest.param({"aud": "https://other.example.com"}, "/orders", 401, id="for-another-resource"),
        pytest.param({"scope": "orders:write"}, "/orders", 403, id="wrong-scope"),
        pytest.param({"roles": ["editor"]}, "/admin/dashboard", 403, id="local-policy"),
    ],
)
async def test_rs_21_5_2_a_expiry_resource_scope_and_policy_are_checked(
    api: Probe, claims: dict[str, object], path: str, status: int
) -> None:
    """OAuth 2.1 draft-16 §5.2."""
    assert await api.status(api.token(roles=["admin"]), path) == 200
    assert await api.status(api.token(**claims), path) == status


@requirement("RS-21-5.3.1-a")
async def test_rs_21_5_3_1_a_an_error_uri_would_be_absolute(api: Probe) -> None:
    """OAuth 2.1 draft-16 §5.3.1: a challenge for whoever lacks a token; none bears an error_uri that is relative."""
    answers = await refusals(api)
    for name in ("D01 nothing", "D06 no-jwt", "D21 scope"):
        assert lines(answers[name]), name
    uris = [challenge.get("error_uri") for response in answers.values() for challenge in challenges(response)]
    uris += [response.json().get("error_uri") for response in answers.values() if response.content]
    assert [uri for uri in uris if uri is not None and not urlsplit(uri).scheme] == []
