"""Requirements of requirements: which of several refusals speaks."""

import itertools
from typing import Any

import pytest

from resource_server.authorization import acr, all_of, any_of, any_scope, claim, network, owner, role
from resource_server.authorization.requirement import Requirement
from resource_server.challenge import ProtectionSpace, answer
from resource_server.demands import Demands
from resource_server.refusals import TABLE, Kind
from tests.authorization.judging import INSIDE, NOW, refusal_of, verdict

ALICE = {"user_id": "alice"}
BOB = {"user_id": "bob"}
STEP_UP = "insufficient_user_authentication"
MAY_EDIT = any_of(all_of("profile:write", owner("user_id")), role("admin"))


async def test_nothing_required_is_met_by_any_valid_token() -> None:
    """DESIGN §6: `GET /api/v1/me`."""
    assert await verdict(all_of()) is None


@pytest.mark.parametrize(
    ("facts", "path", "met"),
    [
        pytest.param({"scopes": ["profile:write"]}, ALICE, True, id="scope-and-owner"),
        pytest.param({"roles": ["admin"]}, BOB, True, id="role"),
        pytest.param({"scopes": ["profile:write"], "roles": ["admin"]}, BOB, True, id="role-and-scope"),
        pytest.param({"scopes": ["profile:write"]}, BOB, False, id="scope-alone"),
        pytest.param({}, ALICE, False, id="owner-alone"),
        pytest.param({"scopes": ["admin"]}, BOB, False, id="a-scope-by-the-name-of-the-role"),
    ],
)
async def test_one_alternative_suffices_and_must_be_met_in_whole(
    facts: dict[str, Any], path: dict[str, Any], met: bool
) -> None:
    """DESIGN §6: (scope and owner) or role."""
    assert (await verdict(MAY_EDIT, path=path, **facts) is None) is met


@pytest.mark.parametrize(
    ("requirement", "facts", "path", "error"),
    [
        pytest.param(MAY_EDIT, {}, ALICE, "insufficient_scope", id="owner-lacks-the-scope-alone"),
        pytest.param(MAY_EDIT, {}, BOB, "access_denied", id="stranger-lacks-more-than-the-scope"),
        pytest.param(MAY_EDIT, {"scopes": ["profile:write"]}, BOB, "access_denied", id="stranger-has-the-scope"),
        pytest.param(MAY_EDIT, {"client_id": "alice"}, ALICE, "access_denied", id="client-called-alice"),
        pytest.param(any_of("a", "b"), {}, {}, "insufficient_scope", id="scopes-alone"),
        pytest.param(any_of(role("x"), "a"), {}, {}, "insufficient_scope", id="role-or-scope"),
        pytest.param(any_of(role("x"), role("y")), {}, {}, "access_denied", id="roles-alone"),
        pytest.param(any_of(all_of("a", role("x")), all_of("b", role("y"))), {}, {}, "access_denied", id="roles-too"),
        pytest.param(
            any_of(all_of("a", role("x")), all_of("b", role("y"))),
            {"roles": ["y"]},
            {},
            "insufficient_scope",
            id="one-branch-needs-the-scope-alone",
        ),
        pytest.param(any_of(all_of("a", any_of("b", role("x")))), {}, {}, "insufficient_scope", id="nested"),
        pytest.param(any_of(all_of("a", lambda token: False)), {}, {}, "access_denied", id="scope-and-a-check"),
        pytest.param(any_of(acr("mfa"), "a"), {}, {}, "insufficient_scope", id="scope-before-step-up"),
        pytest.param(any_of(acr("mfa"), role("x")), {}, {}, STEP_UP, id="step-up-or-role"),
        pytest.param(any_of(all_of(acr("mfa"), "a"), role("x")), {}, {}, STEP_UP, id="step-up-and-scope"),
        pytest.param(any_of(all_of(acr("mfa"), role("x"))), {}, {}, "access_denied", id="step-up-and-role"),
        pytest.param(any_of(claim("tenant", "a"), network("10.0.0.0/8")), {}, {}, "access_denied", id="no-scopes"),
    ],
)
async def test_alternatives_are_challenged_only_if_a_new_token_alone_would_do(
    requirement: Requirement, facts: dict[str, Any], path: dict[str, Any], error: str
) -> None:
    """T3: a challenge that can't help sends clients into a loop (Spring #7089)."""
    for written in (requirement, all_of(requirement)):
        refusal = await refusal_of(written, path=path, **facts)
        assert refusal is not None
        rendered = answer(refusal, ProtectionSpace(), written.demands)
        assert rendered.body["error"] == error
        challenged = [value for name, value in rendered.headers if name == "www-authenticate"]
        assert len(challenged) == (0 if error == "access_denied" else 1)


async def test_challenge_of_alternatives_names_their_scopes() -> None:
    """T3, RS-6750-3.1-e: static per route, so all of them."""
    refusal = await refusal_of(MAY_EDIT, path=ALICE)
    assert refusal is not None
    name, value = answer(refusal, ProtectionSpace(), MAY_EDIT.demands).headers[0]
    assert name == "www-authenticate"
    assert value == (
        'Bearer realm="api", error="insufficient_scope", '
        'error_description="The access token lacks the required scope", scope="profile:write"'
    )
    assert MAY_EDIT.demands == Demands(scopes=("profile:write",), roles=("admin",))


async def test_step_up_and_scope_within_an_alternative_are_asked_for_at_once() -> None:
    """Part E2 no. 13, RS-9470-3-c: one D25 challenge with `scope`."""
    requirement = any_of(all_of(acr("mfa"), "a"), role("x"))
    assert await verdict(requirement) is Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE
    assert await verdict(requirement, scopes=["a"]) is Kind.INSUFFICIENT_AUTHENTICATION
    assert await verdict(requirement, claims={"acr": "mfa"}) is Kind.INSUFFICIENT_SCOPE


@pytest.mark.parametrize("scopes", ["a", any_scope("a", "b"), any_of("a", all_of("b", "c")), any_of("a", acr("other"))])
async def test_step_up_and_scope_are_asked_for_at_once(scopes: Any) -> None:
    """Part E2 no. 13, RS-9470-3-c, ruling 20; however the scopes are written."""
    for needs in itertools.permutations([scopes, acr("mfa"), role("x")]):
        requirement = all_of(*needs)
        assert await verdict(requirement) is Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE
        assert await verdict(requirement, scopes=["a"]) is Kind.INSUFFICIENT_AUTHENTICATION
        assert await verdict(requirement, claims={"acr": "mfa"}) is Kind.INSUFFICIENT_SCOPE
        assert await verdict(requirement, claims={"acr": "mfa"}, scopes=["a"]) is Kind.MISSING_ROLE


@pytest.mark.parametrize(
    ("requirement", "path", "kind"),
    [
        pytest.param(any_of(owner("user_id", hide=True), role("admin")), BOB, Kind.HIDDEN, id="hidden-or-role"),
        pytest.param(any_of(role("admin"), owner("user_id", hide=True)), BOB, Kind.HIDDEN, id="role-or-hidden"),
        pytest.param(all_of("a", owner("user_id", hide=True)), BOB, Kind.INSUFFICIENT_SCOPE, id="scope-comes-first"),
        pytest.param(
            any_of(all_of("a", owner("user_id", hide=True)), role("x")), BOB, Kind.HIDDEN, id="scope-would-not-do"
        ),
        pytest.param(
            any_of(all_of("a", owner("user_id", hide=True)), role("x")),
            ALICE,
            Kind.INSUFFICIENT_SCOPE,
            id="scope-would",
        ),
    ],
)
async def test_hidden_resource_stays_hidden(requirement: Requirement, path: dict[str, Any], kind: Kind) -> None:
    """T4, part E2 no. 13 before no. 17."""
    assert await verdict(requirement, path=path) is kind


# What nobody meets, in the order of part E2; an owner of a path parameter is judged with the roles, before the body.
IN_ORDER: list[tuple[Any, Kind]] = [
    (network("10.0.0.0/8"), Kind.NETWORK),
    (acr("mfa"), Kind.INSUFFICIENT_AUTHENTICATION),
    ("a", Kind.INSUFFICIENT_SCOPE),
    (role("x"), Kind.MISSING_ROLE),
    (owner("user_id"), Kind.NOT_OWNER),
]


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(IN_ORDER, 2)))
async def test_first_failure_speaks_in_whatever_order_it_is_written(
    first: tuple[Any, Kind], second: tuple[Any, Kind]
) -> None:
    """Part E2: the order of checks decides what is disclosed."""
    both = {first[1], second[1]} == {Kind.INSUFFICIENT_AUTHENTICATION, Kind.INSUFFICIENT_SCOPE}
    kind = Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE if both else first[1]
    assert await verdict(all_of(first[0], second[0]), path=BOB) is kind
    assert await verdict(all_of(second[0], first[0]), path=BOB) is kind
    assert await verdict(all_of(all_of(second[0]), all_of(first[0])), path=BOB) is kind


@pytest.mark.parametrize("later", [role("x"), owner("user_id"), lambda token: False, claim("tenant", "a")])
@pytest.mark.parametrize("scopes", [any_of("a", "b"), any_of("a", all_of("b", "c")), any_of(any_of("a", "b"))])
async def test_alternatives_of_scopes_are_judged_with_the_scopes(scopes: Requirement, later: Any) -> None:
    """Part E2 no. 13 before no. 14."""
    for requirement in (all_of(scopes, later), all_of(later, scopes)):
        assert await verdict(requirement, path=BOB) is Kind.INSUFFICIENT_SCOPE


async def test_alternatives_with_a_role_are_judged_with_the_roles() -> None:
    """Part E2 no. 13 before no. 14."""
    assert await verdict(all_of(any_of(role("x"), "a"), "b"), scopes=["a"]) is Kind.INSUFFICIENT_SCOPE
    assert await verdict(all_of(any_of(role("x"), role("y")), "b")) is Kind.INSUFFICIENT_SCOPE


async def test_everything_together_may_be_met() -> None:
    """The positive control of the table above."""
    requirement = all_of(*[need for need, _ in IN_ORDER], lambda token: True)
    facts = {"scopes": ["a"], "roles": ["x"], "claims": {"acr": "mfa", "auth_time": NOW}}
    assert await verdict(requirement, path=ALICE, client=INSIDE, **facts) is None


def test_alternatives_without_one_end_the_construction() -> None:
    """DESIGN §3: an empty option never means that nothing is required."""
    with pytest.raises(ValueError, match="any_of needs at least one alternative"):
        any_of()


async def test_claims_that_python_takes_for_equal_are_both_required() -> None:
    """Decision table D22: JSON types are kept apart, so nothing is dropped as a duplicate."""
    requirement = all_of(claim("levels", 1), claim("levels", True))
    assert await verdict(requirement, claims={"levels": [1, True]}) is None
    assert await verdict(requirement, claims={"levels": [1]}) is Kind.MISSING_CLAIM


def test_every_policy_refusal_is_denied_without_a_challenge() -> None:
    """Part E1: 403-P."""
    for kind in (Kind.MISSING_ROLE, Kind.MISSING_CLAIM, Kind.NOT_OWNER, Kind.NETWORK, Kind.POLICY):
        assert (TABLE[kind].status, TABLE[kind].error, TABLE[kind].challenged) == (403, "access_denied", False)
