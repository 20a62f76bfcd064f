"""A requirement in words, for operators: the inventory of routes and `explain` print them."""

from typing import Any

import pytest

from resource_server.access_token import AccessToken
from resource_server.authorization import (
    acr,
    all_of,
    all_scopes,
    any_of,
    any_role,
    any_scope,
    claim,
    entitlement,
    group,
    network,
    owner,
    role,
)


def is_paying(token: AccessToken) -> bool:
    return "paid" in token.claims


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        pytest.param(all_of(), "any valid token", id="nothing"),
        pytest.param(all_of("a"), "scope a", id="scope"),
        pytest.param(all_scopes("a", "b"), "all scopes a b", id="all-scopes"),
        pytest.param(any_scope("a", "b"), "one scope of a b", id="any-scope"),
        pytest.param(acr("mfa", "hwk", max_age=300), "login by mfa or hwk, login within 300 s", id="step-up"),
        pytest.param(acr(max_age=0), "login within 0 s", id="age-alone"),
        pytest.param(role("admin"), "role admin", id="role"),
        pytest.param(any_role("b", "a"), "role a or b", id="roles"),
        pytest.param(group("staff"), "group staff", id="group"),
        pytest.param(entitlement("gold"), "entitlement gold", id="entitlement"),
        pytest.param(claim("tenant", "acme", 1), "tenant 'acme' or 1", id="claim"),
        pytest.param(owner("id"), "the user that {id} names", id="owner"),
        pytest.param(owner("id", hide=True), "the user that {id} names, else hidden", id="hidden-owner"),
        pytest.param(network("10.0.0.0/8", "::1"), "from 10.0.0.0/8 or ::1/128", id="network"),
        pytest.param(all_of(is_paying), "is_paying()", id="check"),
        pytest.param(
            all_of(any_of(all_of("a", owner("id")), role("admin")), network("::1")),
            "from ::1/128 and ((scope a and the user that {id} names) or role admin)",
            id="combination",
        ),
    ],
)
def test_requirement_is_said_in_words(requirement: Any, words: str) -> None:
    """DESIGN §6: `routes` and `explain`."""
    assert str(requirement) == words
