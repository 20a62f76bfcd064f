"""From an issuer's configuration to the rules that its tokens are held against."""

from dataclasses import MISSING, fields

from resource_server.issuers.grants import Grants
from resource_server.issuers.issuer import Issuer
from resource_server.validation.claims import ClaimRules, rules_of

NAME = "https://id.example.com/t1/v2"
GRANTS = Grants(scopes=["orders:read"])
UNLIKE_THE_DEFAULTS = Issuer(
    url="https://id.example.com/{tenantid}/v2",
    metadata_url="https://id.example.com/metadata",
    tenants=["t1", "t2"],
    tenant_claim="tenant",
    audience=["https://a.example", "https://b.example"],
    leeway=5.0,
    accept_typ=["JWT", "missing"],
    markers=[{"token_use": "access"}, {"scp": "*", "azpacr": ["0", "1"]}],
    foreign_markers={"nonce": "*"},
    audience_is_no_client_id=True,
    audience_claim="resource",
    client_id_claim="azp",
    required_claims=["uti"],
    scope_claim="scp",
    scope_shape="array",
    roles_claim=["realm_access", "roles"],
    roles_shape="members",
    groups_claim="cognito:groups",
    entitlements_claim=["plan", "entitlements"],
)


def test_every_option_of_an_issuer_is_a_rule_for_its_tokens() -> None:
    """Ruling 24, T1, T18, T19: what was configured is what is judged by."""
    rules = rules_of(UNLIKE_THE_DEFAULTS, NAME, GRANTS, "t1")
    assert rules.issuer == NAME
    assert rules.audience == {"https://a.example", "https://b.example"}
    assert rules.leeway == 5.0
    assert rules.types == {"jwt", "application/jwt", None}
    assert rules.markers == ({"token_use": ("access",)}, {"scp": ("*",), "azpacr": ("0", "1")})
    assert rules.foreign_markers == {"nonce": ("*",)}
    assert rules.audience_is_no_client_id is True
    assert (rules.audience_claim, rules.client_id_claim, rules.required_claims) == ("resource", "azp", ("uti",))
    assert (rules.scope_claim, rules.scope_shape) == ("scp", "array")
    assert (rules.roles_claim, rules.roles_shape) == (("realm_access", "roles"), "members")
    assert (rules.groups_claim, rules.entitlements_claim) == (("cognito:groups",), ("plan", "entitlements"))
    assert rules.grants == GRANTS
    assert (rules.tenant_claim, rules.tenant) == ("tenant", "t1")


def test_no_rule_is_left_at_its_default() -> None:
    """A rule that the configuration does not reach would be one that nobody can set."""
    rules = rules_of(UNLIKE_THE_DEFAULTS, NAME, GRANTS, "t1")
    for rule in fields(ClaimRules):
        default = rule.default_factory() if rule.default_factory is not MISSING else rule.default
        assert getattr(rules, rule.name) != default, rule.name
