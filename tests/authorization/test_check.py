"""Callables as requirements: only the literal True grants (T2)."""

import asyncio
import functools
from collections.abc import Awaitable, Generator
from dataclasses import dataclass
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from resource_server.access_token import AccessToken
from resource_server.authorization import all_of, any_of, role
from resource_server.challenge import ProtectionSpace, answer
from resource_server.refusals import Kind, Refusal
from tests.authorization.judging import refusal_of, verdict


async def grants(_token: AccessToken) -> bool:
    return True


async def refuses(_token: AccessToken) -> bool:
    return False


async def answers_nothing(_token: AccessToken) -> None:
    return None


async def answers_a_function(_token: AccessToken) -> Any:
    return grants


async def raises(_token: AccessToken) -> bool:
    raise PermissionError("CANARY")


class Later:
    """Awaitable, but no coroutine."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, object]:
        yield from asyncio.sleep(0).__await__()
        return self.value


def later(value: object) -> Any:
    def check(_token: AccessToken) -> Awaitable[object]:
        return Later(value)

    return check


@dataclass
class AtLeast:
    """A callable object, not hashable because it can be compared."""

    level: int

    def __call__(self, token: AccessToken) -> bool:
        return int(token.claims["level"]) >= self.level


def fails(_token: AccessToken) -> bool:
    raise KeyError("CANARY")


def needs_two(_token: AccessToken, _other: object) -> bool:
    return True


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(lambda token: True, id="true"),
        pytest.param(grants, id="coroutine-function"),
        pytest.param(later(True), id="awaitable-object"),
        pytest.param(AsyncMock(return_value=True), id="async-mock-of-true"),
        pytest.param(functools.partial(lambda level, token: True, 3), id="partial"),
        pytest.param(AtLeast(3), id="callable-object"),
        pytest.param(lambda token: token.subject == "alice", id="judges-the-token"),
    ],
)
async def test_true_grants(check: Any) -> None:
    """T2: an awaitable is awaited first."""
    assert await verdict(all_of(check), claims={"level": 3}) is None


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(lambda token: False, id="false"),
        pytest.param(refuses, id="coroutine-function"),
        pytest.param(later(False), id="awaitable-object"),
        pytest.param(AsyncMock(return_value=False), id="async-mock-of-false"),
        pytest.param(AtLeast(4), id="callable-object"),
    ],
)
async def test_false_refuses(check: Any) -> None:
    """T2: a coroutine that nobody awaits is true to `if`."""
    assert await verdict(all_of(check), claims={"level": 3}) is Kind.POLICY


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        pytest.param(Mock(), "Mock answered a Mock, neither True nor False", id="mock"),
        pytest.param(MagicMock(), "MagicMock answered a MagicMock, neither True nor False", id="magic-mock"),
        pytest.param(AsyncMock(return_value="no"), "AsyncMock answered a str, neither True nor False", id="async-mock"),
        pytest.param(Mock(return_value=(False, "no")), "Mock answered a tuple, neither True nor False", id="tuple"),
        pytest.param(Mock(return_value="forbidden"), "Mock answered a str, neither True nor False", id="text"),
        pytest.param(Mock(return_value=""), "Mock answered a str, neither True nor False", id="empty-text"),
        pytest.param(Mock(return_value=1), "Mock answered a int, neither True nor False", id="one"),
        pytest.param(Mock(return_value=0), "Mock answered a int, neither True nor False", id="zero"),
        pytest.param(Mock(return_value=[True]), "Mock answered a list, neither True nor False", id="list-of-true"),
        pytest.param(Mock(return_value=None), "Mock answered a NoneType, neither True nor False", id="none"),
        pytest.param(Mock(return_value=Kind.POLICY), "Mock answered a Kind, neither True nor False", id="kind"),
        pytest.param(answers_nothing, "answers_nothing answered a NoneType, neither True nor False", id="async-none"),
        pytest.param(
            answers_a_function, "answers_a_function answered a function, neither True nor False", id="async-function"
        ),
        pytest.param(AccessToken, "AccessToken raised TypeError", id="class"),
        pytest.param(fails, "fails raised KeyError", id="exception"),
        pytest.param(raises, "raises raised PermissionError", id="async-exception"),
        pytest.param(needs_two, "needs_two raised TypeError", id="wrong-signature"),
    ],
)
async def test_whatever_is_neither_true_nor_false_is_a_fault_of_ours(check: Any, reason: str) -> None:
    """T2: 500 and kind policy_error, never a grant."""
    refusal = await refusal_of(all_of(check))
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == (Kind.POLICY_ERROR, reason)
    rendered = answer(refusal, ProtectionSpace())
    assert (rendered.status, rendered.body) == (500, {"title": "Internal Server Error", "status": 500})


async def test_exception_is_chained_for_the_operator_alone() -> None:
    """T2: an alarm needs its cause; the caller gets none of it."""
    refusal = await refusal_of(all_of(fails))
    assert refusal is not None
    assert type(refusal.__cause__) is KeyError
    assert "CANARY" not in str(refusal)


async def test_refusal_that_a_check_raises_is_no_verdict() -> None:
    """T2: whatever it raises, it has not granted; nor does it choose its answer."""

    def check(_token: AccessToken) -> bool:
        raise Refusal(Kind.HIDDEN)

    assert await verdict(all_of(check)) is Kind.POLICY_ERROR


async def test_cancellation_is_not_swallowed() -> None:
    """A client that went away is no policy error."""

    async def check(_token: AccessToken) -> bool:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await verdict(all_of(check))


async def test_fault_in_an_alternative_is_told_unless_another_grants() -> None:
    """T2, T3."""
    assert await verdict(any_of(fails, role("admin"))) is Kind.POLICY_ERROR
    assert await verdict(any_of(role("admin"), fails)) is Kind.POLICY_ERROR
    assert await verdict(any_of(fails, role("admin")), roles=["admin"]) is None


async def test_check_is_not_asked_in_an_alternative_that_is_lost() -> None:
    """Part E2: the first failure wins, so a check may rely on what stands before it."""
    requirement = any_of(all_of(role("member"), fails), role("admin"))
    assert await verdict(requirement) is Kind.MISSING_ROLE
    assert await verdict(requirement, roles=["member"]) is Kind.POLICY_ERROR


async def test_check_is_asked_once_however_often_it_is_required() -> None:
    """DESIGN §3: the union of all requires() of an operation."""
    asked: list[AccessToken] = []

    def check(token: AccessToken) -> bool:
        asked.append(token)
        return True

    assert await verdict(all_of(check, all_of(check), "a"), scopes=["a"]) is None
    assert len(asked) == 1


@pytest.mark.parametrize("need", [None, True, 1, b"scope", ["scope"], ("a", "b"), {"scope"}, object()])
def test_what_is_no_requirement_ends_the_construction(need: Any) -> None:
    """DESIGN §3: a list is no alternative, and True no grant."""
    for make in (all_of, any_of):
        with pytest.raises(TypeError, match="a requirement is a scope, a requirement or a callable, not "):
            make(need)
