"""RFC 6750 §3: what a refusal says, and by which words."""

import re

import pytest

from resource_server.development.minting import OMIT
from tests.rfc.challenges import challenges, lines
from tests.rfc.checklist import requirement
from tests.rfc.probe import Probe
from tests.rfc.provocations import refusals

ERRORS = {"error", "error_description", "error_uri"}
TEXT = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")


@requirement("RS-6750-3-a")
async def test_rs_6750_3_a_who_has_no_token_that_opens_is_challenged(api: Probe) -> None:
    """RFC 6750 §3: no credentials, or a token that does not enable access."""
    rows = [f"D{number:02}" for number in (1, 2, 6, 7, 8, 9, 10, 11, 12, 14, 15, 21, 25, 30)]
    answers = await refusals(api, *rows)
    assert {name for name, response in answers.items() if challenges(response)[0].scheme != "Bearer"} == set()
    assert "www-authenticate" not in (await api.ask(token=api.token())).headers


@requirement("RS-6750-3-b")
async def test_rs_6750_3_b_bearer_is_followed_by_a_parameter(api: Probe) -> None:
    """RFC 6750 §3."""
    for name, response in (await refusals(api)).items():
        assert [line for line in lines(response) if not re.match(r"Bearer [a-z_]+=", line)] == [], name


@requirement("RS-6750-3-c")
async def test_rs_6750_3_c_no_attribute_occurs_twice(api: Probe) -> None:
    """RFC 6750 §3: realm, scope, error, error_description, error_uri."""
    for name, response in (await refusals(api)).items():
        for line in lines(response):
            for attribute in ("realm", "scope", *ERRORS):
                assert len(re.findall(rf"\b{attribute}=", line)) <= 1, name


@requirement("RS-6750-3-d")
async def test_rs_6750_3_d_attributes_keep_to_their_characters(api: Probe) -> None:
    """RFC 6750 §3: above all, no quote and no backslash."""
    for name, response in (await refusals(api)).items():
        for challenge in challenges(response):
            for attribute, grammar in (("error", TEXT), ("error_description", TEXT), ("scope", SCOPE)):
                value = challenge.get(attribute)
                assert value is None or grammar.fullmatch(value), (name, value)
            assert challenge.get("error_uri") is None


@requirement("RS-6750-3-d")
@pytest.mark.parametrize("scope", ['a"b', "a\\b", "a b", "café", "a\nb", "", "\x7f"])
async def test_rs_6750_3_d_a_scope_that_cannot_be_written_is_refused_as_it_is_declared(api: Probe, scope: str) -> None:
    """RFC 6750 §3: what a route requires stands in its challenge."""
    with pytest.raises(ValueError, match="no scope"):
        api.server.requires(scope)


@requirement("RS-6750-3-e")
async def test_rs_6750_3_e_a_token_that_was_refused_is_told_the_error(api: Probe) -> None:
    """RFC 6750 §3."""
    rows = [f"D{number:02}" for number in (6, 7, 8, 9, 10, 11, 12, 14, 15, 21)]
    for name, response in (await refusals(api, *rows)).items():
        assert challenges(response)[0]["error"] in ("invalid_token", "insufficient_scope"), name
        assert challenges(response)[0]["error"] == response.json()["error"], name


@requirement("RS-6750-3.1-a")
@pytest.mark.parametrize(
    "value", [None, "Basic YWxpY2U6cHc=", "Token {}", "DPoP {}", "Bearerish {}", "Digest username=a", "Negotiate"]
)
async def test_rs_6750_3_1_a_who_sent_no_token_hears_of_no_error(api: Probe, value: str | None) -> None:
    """RFC 6750 §3.1, last paragraph: in header and body alike."""
    fields = [("authorization", value.format(api.token()))] if value is not None else []
    response = await api.ask(headers=fields)
    [challenge] = challenges(response)
    assert (response.status_code, challenge["scope"]) == (401, "orders:read")
    assert not ERRORS & set(challenge.names)
    assert not ERRORS & response.json().keys()
    assert "error" not in response.text


@requirement("RS-6750-3.1-b")
async def test_rs_6750_3_1_b_a_malformed_request_is_400_invalid_request(api: Probe) -> None:
    """RFC 6750 §3.1."""
    for name, response in (await refusals(api, "D03", "D04")).items():
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request"), name
        assert challenges(response)[0]["error"] == "invalid_request", name


@requirement("RS-6750-3.1-c")
@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"nbf": 1_900_000_000}, id="not-yet-valid"),
        pytest.param({"iss": "https://evil.example.com"}, id="issuer"),
        pytest.param({"aud": "https://other.example.com"}, id="audience"),
        pytest.param({"sub": OMIT}, id="no-subject"),
        pytest.param({"header": {"typ": "JWT"}}, id="type"),
        pytest.param({"header": {"kid": "unknown"}}, id="key"),
        pytest.param({"header": {"alg": "RS256"}}, id="algorithm"),
        pytest.param({"cnf": {}}, id="bound"),
        pytest.param({"scope": ["orders:read"]}, id="scope-of-another-type"),
    ],
)
async def test_rs_6750_3_1_c_a_bad_token_is_401_invalid_token(api: Probe, claims: dict[str, object]) -> None:
    """RFC 6750 §3.1."""
    response = await api.ask(token=api.token(**claims))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
    assert challenges(response)[0]["error"] == "invalid_token"


@requirement("RS-6750-3.1-c")
@pytest.mark.parametrize("token", ["a", "a.b", "a.b.c", "opaque-token", "...", "e30.e30.e30", "Bearer", "null"])
async def test_rs_6750_3_1_c_a_malformed_token_is_401_invalid_token(api: Probe, token: str) -> None:
    """RFC 6750 §3.1; ruling 4: the header is well-formed, the token is not."""
    response = await api.ask(token=token)
    assert (response.status_code, challenges(response)[0]["error"]) == (401, "invalid_token")


@requirement("RS-6750-3.1-d")
async def test_rs_6750_3_1_d_a_lack_of_scope_is_403_insufficient_scope(api: Probe) -> None:
    """RFC 6750 §3.1; OAuth 2.1 draft-16 §5.3.2: of scope, and of nothing else."""
    response = await api.ask(token=api.token(scope="orders:write"))
    assert (response.status_code, response.json()["error"]) == (403, "insufficient_scope")
    assert challenges(response)[0]["error"] == "insufficient_scope"
    for name, other in (await refusals(api, "D22", "D23", "D24")).items():
        assert "insufficient_scope" not in other.text + str(other.headers), name


@requirement("RS-6750-3.1-e")
@pytest.mark.parametrize("held", ["", "a:read", "b:write", "other"])
async def test_rs_6750_3_1_e_the_challenge_names_all_scopes_of_the_operation(api: Probe, held: str) -> None:
    """RFC 6750 §3.1: the full set, not merely the missing part."""
    assert await api.status(api.token(scope="b:write a:read"), "/both") == 200
    response = await api.ask("/both", token=api.token(scope=held))
    assert (response.status_code, challenges(response)[0]["scope"]) == (403, "a:read b:write")
    assert response.json()["scope"] == "a:read b:write"
