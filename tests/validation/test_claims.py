from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resource_server.access_token import AccessToken
from resource_server.development.minting import OMIT
from resource_server.refusals import Kind, Refusal
from resource_server.validation import claims
from resource_server.validation.claims import ClaimRules

ISSUER = "https://id.example.com"
API = "https://api.example.com"
NOW = 1_800_000_000.0
RULES = ClaimRules(issuer=ISSUER, audience=frozenset({API}), leeway=30.0)


def payload(**changes: Any) -> dict[str, Any]:
    members: dict[str, Any] = {
        "iss": ISSUER,
        "sub": "alice",
        "client_id": "notes-app",
        "aud": API,
        "jti": "t1",
        "iat": int(NOW) - 10,
        "exp": int(NOW) + 300,
    } | changes
    return {name: value for name, value in members.items() if value is not OMIT}


def read(rules: ClaimRules = RULES, /, **changes: Any) -> AccessToken:
    return claims.read(payload(**changes), rules, NOW)


def kind_of(rules: ClaimRules = RULES, /, **changes: Any) -> Kind:
    with pytest.raises(Refusal) as caught:
        claims.read(payload(**changes), rules, NOW)
    return caught.value.kind


def spelled(value: object) -> str:
    """A test's id: a set is told in one order, so that the id is the same in every run."""
    return f"{{{', '.join(map(repr, sorted(value)))}}}" if isinstance(value, set) else repr(value)


def test_the_claims_become_facts() -> None:
    """RFC 9068 §2.2."""
    token = read(scope="a b", roles=["r"], groups=["g"], entitlements=["e"], extra=1)
    assert (token.issuer, token.subject, token.client_id) == (ISSUER, "alice", "notes-app")
    assert (token.issued_at, token.expires_at) == (NOW - 10, NOW + 300)
    assert token.audience == (API,)
    assert token.scopes == {"a", "b"}
    assert token.roles == {"r"}
    assert token.groups == {"g"}
    assert token.entitlements == {"e"}
    assert token.confirmation is None
    assert token.claims["extra"] == 1


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "Application/AT+JWT"])
def test_the_media_type_of_access_tokens_is_accepted_in_any_case(typ: str) -> None:
    """RS-8725-3.11-a, RS-9068-4-a."""
    claims.check_type(typ)


@pytest.mark.parametrize(
    "typ",
    [
        None, "", "JWT", "jwt", "at", "jwt+at", "at-jwt", " at+jwt", "at+jwt ", "at+jwt;v=1", "application/jwt",
        "text/at+jwt", "application/application/at+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "id_token+jwt",
        "token-introspection+jwt", "statuslist+jwt", "oauth-authz-req+jwt", "entity-statement+jwt", "at+sd-jwt",
    ],
)  # fmt: skip
def test_every_other_type_is_refused(typ: str | None) -> None:
    """RS-8725-3.11-a, RS-9068-4-a, T18: no typ is none."""
    with pytest.raises(Refusal) as caught:
        claims.check_type(typ)
    assert caught.value.kind is Kind.WRONG_TOKEN_TYPE


@pytest.mark.parametrize("name", ["sub", "client_id", "jti", "iat", "exp"])
@pytest.mark.parametrize("value", [OMIT, None, True, [], {}, ["x"]], ids=["absent", "null", "bool", "[]", "{}", "list"])
def test_a_required_claim_that_is_missing_or_of_the_wrong_type_is_refused(name: str, value: object) -> None:
    """RS-9068-2.2-a, RS-7519-4.1.4-a: a bool is no number."""
    assert kind_of(**{name: value}) is Kind.INVALID_CLAIM


@pytest.mark.parametrize("name", ["sub", "client_id", "jti"])
@pytest.mark.parametrize("value", ["", 1, 1.5])
def test_an_identifier_must_be_a_text_that_is_not_empty(name: str, value: object) -> None:
    """RS-9068-2.2-a."""
    assert kind_of(**{name: value}) is Kind.INVALID_CLAIM


@pytest.mark.parametrize("name", ["iat", "exp", "nbf"])
@pytest.mark.parametrize("value", ["1800000300", "", None, False, [1_800_000_300]], ids=repr)
def test_a_time_that_is_no_number_is_refused(name: str, value: object) -> None:
    """RS-7519-4.1.4-a, RS-7519-4.1.5-a: also an nbf that is there but says nothing."""
    assert kind_of(**{name: value}) is Kind.INVALID_CLAIM


@pytest.mark.parametrize(
    "aud", [API, [API], [API, "https://other.example"], ["https://other.example", API], [API, API]]
)
def test_an_audience_that_names_us_is_accepted(aud: object) -> None:
    """RS-7519-4.1.3-a, RS-9068-4-d: a text or an array of texts."""
    assert read(aud=aud).audience == (tuple(aud) if isinstance(aud, list) else (API,))


@pytest.mark.parametrize(
    "aud",
    [
        OMIT, None, "", [], 1, True, {}, {API: 1}, [[API]], [{"aud": API}], [API, 1], [API, None], API + "/",
        API + "/x", API[:-1], API.upper(), " " + API, [API + "/"], f"{API} https://other.example",
        f"{API},x",
    ],
    ids=ascii,
)  # fmt: skip
def test_an_audience_that_does_not_name_us_is_refused(aud: object) -> None:
    """RS-7519-4.1.3-a, RS-8725-3.9-a, RS-6750-5.2-b: whole, to the letter, and never absent."""
    assert kind_of(aud=aud) is Kind.WRONG_AUDIENCE


def test_each_of_several_configured_audiences_is_accepted() -> None:
    """Ruling 13: additional audiences by an explicit list only."""
    rules = replace(RULES, audience=frozenset({API, API + "/"}))
    assert read(rules, aud=API + "/").audience == (API + "/",)
    assert kind_of(rules, aud=API + "//") is Kind.WRONG_AUDIENCE


@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize(
    ("ahead", "good"), [(-100, True), (0, True), (5, True), (30, True), (30.001, False), (31, False), (120, False)]
)
def test_nbf_and_iat_may_lie_as_far_ahead_as_the_leeway(name: str, ahead: float, good: bool) -> None:
    """RS-7519-4.1.5-a, RS-7519-4.1.6-a, ruling 40: 30 s for both."""
    if good:
        assert read(**{name: NOW + ahead}).claims[name] == NOW + ahead
    else:
        assert kind_of(**{name: NOW + ahead}) is Kind.NOT_YET_VALID


@pytest.mark.parametrize("leeway", [0.0, 30.0, 60.0])
def test_a_token_is_expired_at_the_very_second_of_exp_plus_leeway(leeway: float) -> None:
    """RS-7519-4.1.4-a, RS-9068-4-f: at or after it."""
    assert not claims.is_expired(NOW, leeway, NOW + leeway - 0.001)
    assert claims.is_expired(NOW, leeway, NOW + leeway)
    assert claims.is_expired(NOW, leeway, NOW + leeway + 1)


def test_reading_does_not_judge_expiry() -> None:
    """E2: exp is judged after the sender's confirmation, on every request."""
    assert read(exp=0).expires_at == 0.0


def test_the_audience_is_judged_before_the_times() -> None:
    """E2, step 9: aud, then nbf and iat."""
    assert kind_of(aud="https://other.example", nbf=NOW + 999) is Kind.WRONG_AUDIENCE


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        (OMIT, set()),
        ("", set()),
        ("a", {"a"}),
        ("b a", {"a", "b"}),
        ("a  b ", {"a", "b"}),
        ("a a", {"a"}),
        ("Read read", {"Read", "read"}),
        ("a,b", {"a,b"}),
        pytest.param("a\tb", {"a\tb"}, id="tab"),
    ],
    ids=spelled,
)
def test_scope_is_a_set_of_words_between_spaces(scope: object, names: set[str]) -> None:
    """RS-6749-3.3-a, RFC 9068 §2.2.3."""
    assert read(scope=scope).scopes == names


@pytest.mark.parametrize("scope", [None, 1, ["a"], {"a": 1}, True], ids=repr)
def test_a_scope_of_the_wrong_type_is_refused(scope: object) -> None:
    """Ruling 24: 401 invalid_token, never 500."""
    assert kind_of(scope=scope) is Kind.INVALID_CLAIM


def test_an_empty_text_is_no_scope_in_an_array_either() -> None:
    """RS-6749-3.3-a: a scope-token has at least one character."""
    assert read(replace(RULES, scope_shape="array"), scope=["", "a"]).scopes == {"a"}


def test_the_scopes_are_read_from_the_configured_claim_alone() -> None:
    """Ruling 24: adapters per issuer."""
    rules = replace(RULES, scope_claim="scp")
    assert read(rules, scp="a", scope="b").scopes == {"a"}
    assert read(scp="a").scopes == frozenset()


names = pytest.mark.parametrize("name", ["roles", "groups", "entitlements"])


@names
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OMIT, set()),
        ([], set()),
        (["a", "b"], {"a", "b"}),
        ([{"value": "a", "display": "A"}, "b"], {"a", "b"}),
        ("a", {"a"}),
    ],
    ids=spelled,
)
def test_roles_groups_and_entitlements_are_texts_or_objects_with_a_value(
    name: str, value: object, expected: set[str]
) -> None:
    """RS-9068-2.2.3-a: SCIM shapes; absence is none, and no fault of the token."""
    assert getattr(read(**{name: value}), name) == expected


@names
@pytest.mark.parametrize(
    "value", [1, True, {"a": 1}, [1], [None], [["a"]], [{"display": "A"}], [{"value": 1}]], ids=repr
)
def test_roles_of_an_unknown_shape_are_refused(name: str, value: object) -> None:
    """RS-9068-2.2.3-a: what is not understood grants nothing, and is no crash either."""
    assert kind_of(**{name: value}) is Kind.INVALID_CLAIM


def test_roles_may_lie_below_other_members() -> None:
    """Design §5: ROLES_CLAIM is a path; a step that is missing means none, a step that is no object is a fault."""
    rules = replace(RULES, roles_claim=("realm_access", "roles"))
    assert read(rules, realm_access={"roles": ["a"]}).roles == {"a"}
    assert read(rules, realm_access={}).roles == frozenset()
    assert read(rules, roles=["a"]).roles == frozenset()
    assert kind_of(rules, realm_access=["roles"]) is Kind.INVALID_CLAIM
    assert kind_of(rules, realm_access="roles") is Kind.INVALID_CLAIM


@pytest.mark.parametrize(
    ("cnf", "confirmation"),
    [
        (None, {}),
        ({}, {}),
        ("x", {}),
        (1, {}),
        ([], {}),
        (False, {}),
        ({"jkt": "x"}, {"jkt": "x"}),
        ({"jkt": None}, {"jkt": None}),
    ],
    ids=repr,
)
def test_a_cnf_of_any_value_binds(cnf: object, confirmation: dict[str, Any]) -> None:
    """T21: null and nonsense bind to what nobody can confirm."""
    assert read(cnf=cnf).confirmation == confirmation


leaves = st.sampled_from([None, True, 0, -1, 10**19, 1.5, 1e308, "", "a", API])
values = leaves | st.lists(leaves, max_size=2) | st.dictionaries(st.sampled_from(["value", "a"]), leaves, max_size=2)
members = st.sampled_from(["sub", "client_id", "jti", "iat", "exp", "nbf", "aud", "scope", "roles", "groups", "cnf"])


@given(st.dictionaries(members, values, max_size=3))
def test_any_values_of_the_claims_give_a_token_or_a_refusal(changes: dict[str, Any]) -> None:
    """RS-8725-3.10-a: claims are hostile input; a wrong type is never a crash."""
    refusal: Refusal | None = None
    try:
        read(**changes)
    except Refusal as raised:
        refusal = raised
    assert not refusal or refusal.kind in {Kind.INVALID_CLAIM, Kind.WRONG_AUDIENCE, Kind.NOT_YET_VALID}


def test_the_default_leeway_is_30_seconds() -> None:
    """Ruling 40."""
    assert ClaimRules(issuer=ISSUER, audience=frozenset({API})).leeway == 30.0
