"""THE PATH where nothing is to be waited for: a remembered token, scopes and roles. The same checks as ever."""

from typing import Any

import pytest

from resource_server import Kind, Refusal, acr, any_of, any_scope, group, network, owner, role
from resource_server.authorization.combination import AllOf, all_of
from resource_server.protector import ANY_TOKEN, Walk
from tests.test_protector import Bench
from tests.turnable_clock import TurnableClock

HEADERS = [(b"authorization", b"Bearer good")]
SCOPE: dict[str, Any] = {"headers": HEADERS, "client": ("192.0.2.1", 5)}


@pytest.fixture
async def bench(time: TurnableClock) -> Bench:
    """One that remembers its token."""
    bench = Bench(time)
    await bench.protect("good")
    return bench


def recalled(bench: Bench, requirement: AllOf = ANY_TOKEN, **scope: Any) -> Walk:
    walk = bench.protector.begin()
    assert bench.protector.recall({**SCOPE, **scope}, requirement, walk)
    return walk


def refused(bench: Bench, requirement: AllOf = ANY_TOKEN, **scope: Any) -> Kind:
    with pytest.raises(Refusal) as refusal:
        recalled(bench, requirement, **scope)
    return refusal.value.kind


async def test_a_remembered_token_is_recalled_at_once(bench: Bench) -> None:
    """DESIGN §3, ◆: a dictionary, synchronous."""
    walk = recalled(bench)
    assert walk.token is not None
    assert (walk.authenticated, walk.token.subject, bench.validator.asked) == (True, "alice", ["good"])


async def test_another_one_is_left_to_be_validated(bench: Bench) -> None:
    """DESIGN §3: nobody is let in by what was not found."""
    walk = bench.protector.begin()
    other = {**SCOPE, "headers": [(b"authorization", b"Bearer other")]}
    assert not bench.protector.recall(other, ANY_TOKEN, walk)
    assert (walk.authenticated, walk.token, bench.validator.asked) == (False, None, ["good"])


@pytest.mark.parametrize(
    ("scope", "requirement", "kind"),
    [
        pytest.param({"headers": HEADERS * 2}, ANY_TOKEN, Kind.REPEATED_CREDENTIALS, id="repeated"),
        pytest.param({"query_string": b"access_token=x"}, ANY_TOKEN, Kind.REPEATED_CREDENTIALS, id="in-the-query-too"),
        pytest.param(
            {"headers": [*HEADERS, (b"dpop", b"x" * 16_385)]}, ANY_TOKEN, Kind.OVERSIZED_CREDENTIALS, id="oversized"
        ),
        pytest.param(
            {"headers": [(b"authorization", b"DPoP good")]}, ANY_TOKEN, Kind.UNSUPPORTED_SCHEME, id="another-scheme"
        ),
        pytest.param({}, all_of(network("10.0.0.0/8")), Kind.NETWORK, id="network"),
    ],
)
async def test_what_comes_before_the_token_is_judged_for_a_remembered_one_too(
    bench: Bench, scope: dict[str, Any], requirement: AllOf, kind: Kind
) -> None:
    """E2 steps 3, 4 and 6."""
    assert refused(bench, requirement, **scope) is kind


async def test_expiry_and_withdrawn_keys_are_judged_at_once_too(bench: Bench, time: TurnableClock) -> None:
    """RS-7519-4.1.4-a, T7: facts are remembered, never decisions."""
    bench.validator.keys.generation += 1
    assert not bench.protector.recall(SCOPE, ANY_TOKEN, bench.protector.begin())
    bench.validator.keys.generation -= 1
    await bench.protect("good")
    time.turn(330)
    with pytest.raises(Refusal) as refusal:
        await bench.protect("good")
    assert refusal.value.kind is Kind.EXPIRED


@pytest.mark.parametrize(
    ("needs", "permitted"),
    [
        pytest.param([], True, id="nothing"),
        pytest.param(["read"], True, id="scope"),
        pytest.param(["read", "write"], False, id="one-scope-lacks"),
        pytest.param([any_scope("read", "write")], True, id="one-of-two-scopes"),
        pytest.param([any_scope("write", "delete")], False, id="none-of-two-scopes"),
        pytest.param(["read", role("editor")], True, id="role"),
        pytest.param(["read", role("admin")], False, id="role-lacks"),
        pytest.param(["write", role("editor")], False, id="scope-lacks-beside-a-role"),
        pytest.param([group("staff")], False, id="group-lacks"),
        pytest.param([any_of("read", role("editor"))], False, id="alternatives"),
        pytest.param(["read", acr(max_age=60)], False, id="step-up"),
        pytest.param([owner("user")], False, id="owner"),
        pytest.param([network("192.0.2.0/24")], False, id="network"),
        pytest.param([lambda token: True], False, id="callable"),
    ],
)
async def test_scopes_and_roles_are_granted_at_once_and_all_else_is_judged(
    bench: Bench, needs: list[Any], permitted: bool
) -> None:
    """DESIGN §3, station 4: what is not granted at once is not refused by that."""
    requirement = all_of(*needs)
    assert bench.protector.permits(requirement, recalled(bench)) is permitted


async def test_an_included_scope_is_granted_at_once(bench: Bench) -> None:
    """DESIGN §4: declared hierarchies."""
    bench.knows("admin", scopes=frozenset({"admin"}))
    await bench.protect("admin")
    walk = recalled(bench, headers=[(b"authorization", b"Bearer admin")])
    assert bench.protector.permits(all_of("read"), walk)


async def test_without_a_token_nothing_is_permitted(bench: Bench) -> None:
    """Who is not authenticated has no scopes, and not even nothing is enough."""
    assert not bench.protector.permits(ANY_TOKEN, bench.protector.begin())
