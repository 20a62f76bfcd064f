"""Requirements that no other token of the same user would meet."""

from typing import Any

import pytest

from resource_server.authorization import any_role, claim, entitlement, group, owner, role
from resource_server.demands import Demands
from resource_server.refusals import TABLE, Kind
from tests.authorization.judging import ISSUER, PARTNER, refusal_of, verdict


@pytest.mark.parametrize(
    ("held", "met"),
    [
        pytest.param(["admin"], True, id="held"),
        pytest.param(["reader", "admin"], True, id="among-others"),
        pytest.param([], False, id="none"),
        pytest.param(["Admin"], False, id="another-case"),
        pytest.param(["administrator"], False, id="longer-name"),
        pytest.param(["adm"], False, id="shorter-name"),
        pytest.param(["admin "], False, id="space"),
    ],
)
async def test_role_is_compared_whole(held: list[str], met: bool) -> None:
    """RS-9068-2.2.3-a, decision table D22: absence is a 403, never a bad token."""
    assert await verdict(role("admin"), roles=held) is (None if met else Kind.MISSING_ROLE)
    assert TABLE[Kind.MISSING_ROLE].status == 403


async def test_one_role_of_several_suffices() -> None:
    """DESIGN §4."""
    assert await verdict(any_role("editor", "admin"), roles=["admin"]) is None
    assert await verdict(any_role("editor", "admin"), roles=["reader"]) is Kind.MISSING_ROLE


async def test_roles_groups_entitlements_and_scopes_are_kept_apart() -> None:
    """RS-9068-2.2.3-a: a group called admin makes nobody an admin."""
    everything_but_roles = {"groups": ["admin"], "entitlements": ["admin"], "scopes": ["admin"]}
    assert await verdict(role("admin"), claims={"roles": ["admin"]}, **everything_but_roles) is Kind.MISSING_ROLE
    assert await verdict(group("admin"), groups=["admin"]) is None
    assert await verdict(group("admin"), roles=["admin"], entitlements=["admin"]) is Kind.MISSING_ROLE
    assert await verdict(entitlement("admin"), entitlements=["admin"]) is None
    assert await verdict(entitlement("admin"), roles=["admin"], groups=["admin"]) is Kind.MISSING_ROLE


def test_roles_alone_may_be_disclosed() -> None:
    """T5: the route's static roles, never its groups or entitlements."""
    assert any_role("editor", "admin").demands == Demands(roles=("admin", "editor"))
    assert group("staff").demands == Demands()
    assert entitlement("gold").demands == Demands()
    assert owner("user_id").demands == Demands()
    assert claim("tenant", "acme").demands == Demands()


@pytest.mark.parametrize("make", [any_role, group, entitlement])
@pytest.mark.parametrize("names", [(), ("",), ("admin", "")])
def test_empty_name_ends_the_construction(make: Any, names: tuple[str, ...]) -> None:
    """DESIGN §3: an empty list never means that nothing is required."""
    with pytest.raises(ValueError, match="needs at least one name"):
        make(*names)


@pytest.mark.parametrize(
    ("wanted", "held", "met"),
    [
        pytest.param("acme", "acme", True, id="text"),
        pytest.param("acme", "Acme", False, id="another-case"),
        pytest.param("acme", ["other", "acme"], True, id="element-of-an-array"),
        pytest.param("acme", [["acme"]], False, id="element-of-an-inner-array"),
        pytest.param("acme", {"acme": True}, False, id="name-in-an-object"),
        pytest.param("acme", [], False, id="empty-array"),
        pytest.param("acme", None, False, id="null"),
        pytest.param(1, 1, True, id="number"),
        pytest.param(1, True, False, id="true-is-not-1"),
        pytest.param(True, 1, False, id="1-is-not-true"),
        pytest.param(True, True, True, id="true"),
        pytest.param(True, "true", False, id="text-is-not-true"),
        pytest.param(False, False, True, id="false"),
        pytest.param(False, 0, False, id="0-is-not-false"),
        pytest.param(False, None, False, id="null-is-not-false"),
        pytest.param(1, "1", False, id="text-is-not-a-number"),
        pytest.param(1, 1.0, False, id="float-is-not-an-integer"),
    ],
)
async def test_claim_is_compared_with_its_type(wanted: Any, held: Any, met: bool) -> None:
    """Decision table D22: JSON types are kept apart."""
    requirement = claim("x", wanted)
    assert await verdict(requirement, claims={"x": held}) is (None if met else Kind.MISSING_CLAIM)


@pytest.mark.parametrize("value", ["", 0, False, "None"])
async def test_missing_claim_satisfies_nothing(value: Any) -> None:
    """Decision table D22."""
    assert await verdict(claim("x", value)) is Kind.MISSING_CLAIM


@pytest.mark.parametrize("values", [(), (None,), ("acme", None), (["acme"],), ({"acme"},)])
def test_claim_without_a_value_that_json_can_name_ends_the_construction(values: tuple[Any, ...]) -> None:
    """DESIGN §3: None would be satisfied by whoever lacks the claim, a list by nobody."""
    with pytest.raises(ValueError, match="needs at least one accepted value"):
        claim("x", *values)


@pytest.mark.parametrize(
    ("facts", "path", "met"),
    [
        pytest.param({}, {"user_id": "alice"}, True, id="the-owner"),
        pytest.param({}, {"user_id": "bob"}, False, id="another-user"),
        pytest.param({}, {"user_id": "Alice"}, False, id="another-case"),
        pytest.param({}, {"user_id": "alice "}, False, id="space"),
        pytest.param({}, {"user_id": ""}, False, id="empty"),
        pytest.param({}, {}, False, id="path-without-the-parameter"),
        pytest.param({}, {"user_id": None}, False, id="no-value"),
        pytest.param({"subject": "None"}, {"user_id": None}, False, id="no-value-is-not-the-text-none"),
        pytest.param({"subject": "42"}, {"user_id": 42}, True, id="converted-to-a-number"),
        pytest.param({"issuer": PARTNER}, {"user_id": "alice"}, False, id="a-partners-alice"),
        pytest.param({"issuer": f"{ISSUER}/"}, {"user_id": "alice"}, False, id="issuer-with-a-slash"),
        pytest.param({"client_id": "alice"}, {"user_id": "alice"}, False, id="a-client-registered-as-alice"),
    ],
)
async def test_owner_is_the_user_of_our_issuer(facts: dict[str, Any], path: dict[str, Any], met: bool) -> None:
    """T1, RS-8725-3.8-b, RS-9068-5-a: (iss, sub), and never a client whose id is a user's."""
    assert await verdict(owner("user_id"), path=path, **facts) is (None if met else Kind.NOT_OWNER)


@pytest.mark.parametrize(("issuer", "met"), [(PARTNER, True), (ISSUER, False)])
async def test_owner_of_a_named_issuer_is_of_that_one_alone(issuer: str, met: bool) -> None:
    """T1: satisfied only by the issuer it names; the first one has no precedence then."""
    requirement = owner("user_id", issuer=PARTNER)
    assert await verdict(requirement, path={"user_id": "alice"}, issuer=issuer) is (None if met else Kind.NOT_OWNER)


@pytest.mark.parametrize("facts", [{"subject": "bob"}, {"issuer": PARTNER}, {"client_id": "alice"}])
async def test_owner_that_hides_answers_not_found(facts: dict[str, Any]) -> None:
    """T4, decision table D27."""
    hiding = owner("user_id", hide=True)
    assert await verdict(hiding, path={"user_id": "alice"}, **facts) is Kind.HIDDEN
    assert await verdict(hiding, path={"user_id": "alice"}) is None
    assert TABLE[Kind.HIDDEN].status == 404


async def test_reason_names_the_requirement_and_nobodys_id() -> None:
    """Part E3: the owner of an object is not revealed, not even in a log line that quotes the reason."""
    refusal = await refusal_of(owner("user_id"), path={"user_id": "CANARY"})
    assert str(refusal) == "not_owner: the token's user is not the user_id of the path"
    refusal = await refusal_of(claim("tenant", "acme"), claims={"tenant": "CANARY"})
    assert str(refusal) == "missing_claim: tenant has none of the accepted values"
    refusal = await refusal_of(any_role("b", "a"), roles=["CANARY"])
    assert str(refusal) == "missing_role: roles has none of a, b"
