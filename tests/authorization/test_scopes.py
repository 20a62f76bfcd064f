import math
from typing import Any

import pytest

from resource_server.authorization import acr, all_of, all_scopes, any_scope
from resource_server.demands import Demands
from resource_server.refusals import Kind
from tests.authorization.judging import NOW, refusal_of, verdict


@pytest.mark.parametrize(
    ("held", "met"),
    [
        pytest.param(["notes:read", "notes:write"], True, id="both"),
        pytest.param(["notes:write", "other", "notes:read"], True, id="both-and-more"),
        pytest.param(["notes:read"], False, id="one"),
        pytest.param([], False, id="none"),
        pytest.param(["Notes:Read", "notes:write"], False, id="another-case"),
        pytest.param(["notes:readwrite", "notes:write"], False, id="longer-name"),
        pytest.param(["notes", "notes:write"], False, id="shorter-name"),
        pytest.param(["notes:read notes:write"], False, id="two-in-one"),
        pytest.param(["notes:*"], False, id="star"),
    ],
)
async def test_all_scopes_are_compared_whole(held: list[str], met: bool) -> None:
    """RS-6749-3.3-a."""
    requirement = all_scopes("notes:read", "notes:write")
    assert await verdict(requirement, scopes=held) is (None if met else Kind.INSUFFICIENT_SCOPE)


@pytest.mark.parametrize(
    ("held", "met"),
    [
        pytest.param(["a"], True, id="first"),
        pytest.param(["b"], True, id="second"),
        pytest.param(["a", "b"], True, id="both"),
        pytest.param(["c"], False, id="another"),
        pytest.param([], False, id="none"),
    ],
)
async def test_one_scope_of_several_suffices(held: list[str], met: bool) -> None:
    """DESIGN §4, any_scope."""
    assert await verdict(any_scope("a", "b"), scopes=held) is (None if met else Kind.INSUFFICIENT_SCOPE)


def test_challenge_names_all_scopes_of_an_operation_once() -> None:
    """RS-6750-3.1-e, RS-MCP-step-a: the full set, in the order in which it was written; of alternatives the first."""
    requirement = all_of("c", all_scopes("a", "c"), any_scope("b", "x"), acr("urn:mfa"))
    assert requirement.demands.scopes == ("c", "a", "b")


@pytest.mark.parametrize("name", ["", "a b", " a", "a ", 'a"', "a\\", "a\n", "a\tb", "ä", "a\x7f", "\x00"])
def test_what_is_no_scope_ends_the_construction(name: str) -> None:
    """RS-6750-3-d, RS-6749-3.3-a: it would never match, or would break the challenge."""
    for make in (all_scopes, any_scope, all_of, acr):
        with pytest.raises(ValueError, match=r"is no (scope|acr value): give each|needs at least one name"):
            make(name)


@pytest.mark.parametrize("make", [all_scopes, any_scope])
def test_empty_list_of_scopes_ends_the_construction(make: Any) -> None:
    """DESIGN §3: empty options fail at construction."""
    with pytest.raises(ValueError, match="needs at least one name"):
        make()


@pytest.mark.parametrize(
    ("claims", "met"),
    [
        pytest.param({"acr": "urn:mfa"}, True, id="first-value"),
        pytest.param({"acr": "urn:hwk"}, True, id="second-value"),
        pytest.param({"acr": "urn:pwd"}, False, id="weaker"),
        pytest.param({"acr": "URN:MFA"}, False, id="another-case"),
        pytest.param({"acr": "urn:mfa urn:hwk"}, False, id="two-in-one"),
        pytest.param({"acr": ["urn:mfa"]}, False, id="array"),
        pytest.param({"acr": {"urn:mfa": 1}}, False, id="object"),
        pytest.param({"acr": None}, False, id="null"),
        pytest.param({"acr": ""}, False, id="empty"),
        pytest.param({}, False, id="missing"),
        pytest.param({"amr": ["urn:mfa"]}, False, id="in-another-claim"),
    ],
)
async def test_authentication_context_is_one_of_the_accepted(claims: dict[str, Any], met: bool) -> None:
    """RS-9470-6-a: a missing claim never satisfies."""
    requirement = acr("urn:mfa", "urn:hwk")
    assert await verdict(requirement, claims=claims) is (None if met else Kind.INSUFFICIENT_AUTHENTICATION)


@pytest.mark.parametrize(
    ("auth_time", "met"),
    [
        pytest.param(NOW, True, id="now"),
        pytest.param(NOW - 300, True, id="at-the-bound"),
        pytest.param(NOW - 301, False, id="one-second-past"),
        pytest.param(int(NOW) - 299, True, id="whole-number"),
        pytest.param(0, False, id="long-ago"),
        pytest.param(None, False, id="null"),
        pytest.param(str(NOW), False, id="text"),
        pytest.param([NOW], False, id="array"),
        pytest.param(True, False, id="true"),
        pytest.param(math.nan, False, id="not-a-number"),
        pytest.param(math.inf, False, id="infinity"),
        pytest.param(-math.inf, False, id="minus-infinity"),
        pytest.param(NOW + 1, False, id="yet-to-come"),
        pytest.param(4e9, False, id="far-ahead"),
    ],
)
async def test_login_is_not_older_than_the_maximum_age(auth_time: Any, met: bool) -> None:
    """RS-9470-3-a, RS-9068-2.2.1-a."""
    wanted = None if met else Kind.INSUFFICIENT_AUTHENTICATION
    assert await verdict(acr(max_age=300), claims={"auth_time": auth_time}) is wanted


@pytest.mark.parametrize(("ahead", "met"), [(30, True), (31, False)])
async def test_an_issuer_whose_clock_is_ahead_gets_its_leeway(ahead: int, met: bool) -> None:
    """RS-9470-3-a: a login that is yet to come would stay recent; one of this second may seem so."""
    claims = {"auth_time": NOW + ahead}
    wanted = None if met else Kind.INSUFFICIENT_AUTHENTICATION
    assert await verdict(acr(max_age=300), claims=claims, leeway=30) is wanted


async def test_time_of_issue_stands_for_no_login() -> None:
    """RS-9068-2.2.1-a: max_age uses auth_time, not iat; a missing one never satisfies."""
    assert await verdict(acr(max_age=300), claims={"iat": NOW}) is Kind.INSUFFICIENT_AUTHENTICATION


async def test_context_and_age_must_both_be_met() -> None:
    """RS-9470-3-a."""
    requirement = acr("urn:mfa", max_age=300)
    assert await verdict(requirement, claims={"acr": "urn:mfa", "auth_time": NOW}) is None
    for claims in ({"acr": "urn:mfa", "auth_time": 0}, {"acr": "x", "auth_time": NOW}, {"acr": "urn:mfa"}):
        assert await verdict(requirement, claims=claims) is Kind.INSUFFICIENT_AUTHENTICATION


async def test_age_of_zero_demands_a_login_at_this_very_second() -> None:
    """RS-9470-3-b: non-negative, so 0 is an age and not the lack of one."""
    assert await verdict(acr(max_age=0), claims={"auth_time": NOW}) is None
    assert await verdict(acr(max_age=0), claims={"auth_time": NOW - 1}) is Kind.INSUFFICIENT_AUTHENTICATION
    assert acr(max_age=0).demands == Demands(max_age=0)


def test_step_up_tells_what_it_demands() -> None:
    """RS-9470-3-b: in the order of preference."""
    assert acr("urn:b", "urn:a", max_age=60).demands == Demands(acr_values=("urn:b", "urn:a"), max_age=60)


def test_strictest_age_of_an_operation_is_told() -> None:
    """RS-9470-3-b: one max_age per challenge."""
    assert all_of(acr(max_age=60), acr("urn:a", max_age=30)).demands == Demands(acr_values=("urn:a",), max_age=30)


@pytest.mark.parametrize(
    ("values", "max_age", "problem"),
    [
        pytest.param((), None, "acr needs accepted values, a max_age, or both", id="nothing"),
        pytest.param((), -1, "acr: max_age must not be negative", id="negative-age"),
        pytest.param(("urn:mfa",), -1, "acr: max_age must not be negative", id="negative-age-beside-values"),
    ],
)
def test_step_up_that_demands_nothing_ends_the_construction(
    values: tuple[str, ...], max_age: int | None, problem: str
) -> None:
    """RS-9470-3-b, DESIGN §3."""
    with pytest.raises(ValueError, match=problem):
        acr(*values, max_age=max_age)


async def test_reason_tells_the_operator_what_is_lacking() -> None:
    """DESIGN §3: the reason is known to the operator."""
    refusal = await refusal_of(all_scopes("a", "b"), scopes=["a"])
    assert str(refusal) == "insufficient_scope: needs all of a b"
    refusal = await refusal_of(any_scope("a", "b"))
    assert str(refusal) == "insufficient_scope: needs one of a b"
