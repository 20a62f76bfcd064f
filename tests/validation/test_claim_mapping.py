"""How an issuer's tokens may differ from RFC 9068, and what they may grant: declared, never guessed."""

from dataclasses import replace
from typing import Any

import pytest

from resource_server.access_token import AccessToken
from resource_server.issuers.grants import NOTHING, Grants
from resource_server.issuers.token_kind import spellings
from resource_server.refusals import Kind, Refusal
from resource_server.validation import claims
from resource_server.validation.claims import ClaimRules

NOW = 1_800_000_000.0
ISSUER, API = "https://id.example.com", "https://api.example.com"
RULES = ClaimRules(ISSUER, frozenset({API}))
PAYLOAD: dict[str, Any] = {
    "iss": ISSUER, "aud": API, "sub": "alice", "client_id": "shop", "jti": "1", "iat": NOW, "exp": NOW + 60,
    "scope": "orders:read orders:write", "roles": ["admin", "editor"], "groups": ["staff"], "entitlements": ["gold"],
}  # fmt: skip


def read(rules: ClaimRules = RULES, *, without: Any = (), **members: Any) -> AccessToken:
    payload = {name: value for name, value in (PAYLOAD | members).items() if name not in without}
    return claims.read(payload, rules, NOW)


def refused(rules: ClaimRules = RULES, *, without: Any = (), **members: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(rules, without=without, **members)
    return caught.value


@pytest.mark.parametrize(
    ("accepted", "good", "bad"),
    [
        (["at+jwt"], ["at+jwt", "AT+JWT", "application/at+jwt"], [None, "JWT", "", "application/jwt"]),
        (["JWT"], ["JWT", "jwt", "application/jwt"], [None, "at+jwt", ""]),
        (["missing"], [None], ["JWT", "at+jwt", ""]),
        (["at+jwt", "JWT", "missing"], ["at+jwt", "JWT", None], ["logout+jwt", "dpop+jwt", "id_token+jwt", "", "x"]),
    ],
    ids=str,
)
def test_a_type_is_of_the_issuer_s_list(accepted: list[str], good: list[str | None], bad: list[str | None]) -> None:
    """RS-9068-4-a, T18: a closed list; the other JWTs of an issuer stay refused."""
    for typ in good:
        claims.check_type(typ, spellings(accepted))
    for typ in bad:
        with pytest.raises(Refusal) as caught:
            claims.check_type(typ, spellings(accepted))
        assert caught.value.kind is Kind.WRONG_TOKEN_TYPE


def test_one_alternative_of_markers_must_be_met_in_whole() -> None:
    """T18: a positive marker, such as Entra's app or delegated tokens."""
    rules = replace(RULES, markers=({"azpacr": ("*",), "scp": ("*",)}, {"azpacr": ("*",), "idtyp": ("app",)}))
    assert read(rules, azpacr="1", scp="a").subject == "alice"
    assert read(rules, azpacr="0", idtyp="app").subject == "alice"
    for members in ({}, {"azpacr": "1"}, {"scp": "a"}, {"azpacr": "1", "idtyp": "user"}, {"scp": "a", "idtyp": "app"}):
        assert refused(rules, **members).kind is Kind.WRONG_TOKEN_TYPE


def test_a_foreign_marker_refuses_whatever_else_is_there() -> None:
    """T18: and refuses the markers of its other tokens."""
    rules = replace(RULES, markers=({"typ": ("Bearer",)},), foreign_markers={"nonce": ("*",), "use": ("id", "refresh")})
    assert read(rules, typ="Bearer", use="access").subject == "alice"
    for members in ({"nonce": "x"}, {"use": "id"}, {"use": "refresh"}):
        assert refused(rules, typ="Bearer", **members).kind is Kind.WRONG_TOKEN_TYPE


def test_where_the_audience_alone_tells_a_token_for_its_own_client_is_refused() -> None:
    """T18: an ID token is for the client that asked for it."""
    rules = replace(RULES, audience_is_no_client_id=True, client_id_claim="azp")
    assert read(rules, azp="shop").client_id == "shop"
    assert refused(rules, azp=API).kind is Kind.WRONG_TOKEN_TYPE
    assert refused(rules, azp=[API]).kind is Kind.INVALID_CLAIM
    with pytest.raises(Refusal):
        claims.check_audience({"aud": "other", "azp": [1]}, rules)


def test_audience_and_client_may_stand_in_claims_of_other_names() -> None:
    """Known pain 12: Cognito's access tokens name the client alone."""
    rules = replace(RULES, audience=frozenset({"shop"}), audience_claim="client_id")
    assert read(rules, without=("aud",)).audience == ("shop",)
    assert refused(rules, aud="shop", client_id="other").kind is Kind.WRONG_AUDIENCE


def test_claims_that_are_required_are_the_issuer_s() -> None:
    """RS-9068-2.2-a: jti, unless the provider is known to have another or none."""
    assert refused(without=("jti",)).kind is Kind.INVALID_CLAIM
    assert read(replace(RULES, required_claims=()), without=("jti",)).subject == "alice"
    uti = replace(RULES, required_claims=("uti",))
    assert read(uti, without=("jti",), uti="x").subject == "alice"
    assert refused(uti).reason == "uti is missing or no text"


@pytest.mark.parametrize("scope", ["a b", {"a": 1}, [1], ["a", None], None, 1, True], ids=str)
def test_where_scopes_are_an_array_nothing_else_is_read(scope: Any) -> None:
    """Ruling 24: adapters per issuer; a wrong shape is 401 and never 500."""
    rules = replace(RULES, scope_claim="scp", scope_shape="array")
    assert read(rules, scp=["a", "b c"]).scopes == {"a", "b c"}
    assert read(rules).scopes == frozenset()
    assert refused(rules, scp=scope).kind is Kind.INVALID_CLAIM


@pytest.mark.parametrize("scope", [["a"], {"a": 1}, None, 1], ids=str)
def test_where_scopes_are_a_text_an_array_is_not_read(scope: Any) -> None:
    """Ruling 24: string only by default."""
    assert refused(scope=scope).kind is Kind.INVALID_CLAIM


@pytest.mark.parametrize("roles", [["admin"], "admin", None, 1], ids=str)
def test_roles_may_be_the_members_of_an_object(roles: Any) -> None:
    """Zitadel's roles; a wrong shape is 401 and never 500."""
    rules = replace(RULES, roles_claim=("urn:zitadel:iam:org:project:roles",), roles_shape="members")
    assert read(rules, **{rules.roles_claim[0]: {"admin": {"1": "x"}, "user": {}}}).roles == {"admin", "user"}
    assert read(rules).roles == frozenset()
    assert refused(rules, **{rules.roles_claim[0]: roles}).kind is Kind.INVALID_CLAIM
    assert refused(roles={"admin": 1}).kind is Kind.INVALID_CLAIM


def test_what_an_issuer_may_not_grant_is_dropped() -> None:
    """T1: a partner mints roles: [admin], and administers nothing."""
    assert read().scopes == {"orders:read", "orders:write"}
    assert read().roles == {"admin", "editor"}
    few = read(replace(RULES, grants=Grants(scopes=["orders:read", "x"], roles=["editor"], groups=["staff"])))
    assert few.scopes == {"orders:read"}
    assert few.roles == {"editor"}
    assert few.groups == {"staff"}
    assert few.entitlements == frozenset()
    assert few.claims["roles"] == ("admin", "editor"), "facts stay facts"
    none = read(replace(RULES, grants=NOTHING))
    assert none.scopes == none.roles == none.groups == none.entitlements == frozenset()


def test_a_malformed_grant_is_refused_even_where_it_would_be_dropped() -> None:
    """Ruling 24."""
    assert refused(replace(RULES, grants=NOTHING), roles=5).kind is Kind.INVALID_CLAIM


TENANT = replace(RULES, issuer="https://id.example.com/t1/v2", tenant="t1")


@pytest.mark.parametrize(
    ("tid", "key_issuer", "good"),
    [
        pytest.param("t1", None, True, id="key-of-all"),
        pytest.param("t1", "https://id.example.com/{tenantid}/v2", True, id="key-of-each"),
        pytest.param("t1", "https://id.example.com/t1/v2", True, id="key-of-this-one"),
        pytest.param("t1", "https://id.example.com/t2/v2", False, id="key-of-another"),
        pytest.param("t2", None, False, id="claim-of-another"),
        pytest.param(None, None, False, id="no-claim"),
        pytest.param(["t1"], None, False, id="array"),
        pytest.param("T1", None, False, id="another-case"),
    ],
)
def test_a_tenant_s_token_says_so_and_has_a_key_of_that_tenant(tid: Any, key_issuer: str | None, good: bool) -> None:
    """T19: equals tid, and equals the JWK's issuer member where there is one."""
    if good:
        claims.check_tenant({"tid": tid}, TENANT, key_issuer)
        return
    with pytest.raises(Refusal) as caught:
        claims.check_tenant({"tid": tid}, TENANT, key_issuer)
    assert caught.value.kind is Kind.WRONG_ISSUER


def test_without_tenants_the_claim_and_the_key_s_issuer_say_nothing() -> None:
    """T19 concerns issuers that share keys."""
    claims.check_tenant({"tid": "x"}, RULES, "https://other.example")
