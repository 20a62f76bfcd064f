from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resource_server.authorization.hierarchy import ScopeHierarchy
from resource_server.configuration_error import ConfigurationError

INCLUDES: Mapping[str, list[str]] = {
    "notes:admin": ["notes:write", "audit"],
    "notes:write": ["notes:read"],
    "a": ["b"],
    "b": ["c", "a"],
    "self": ["self"],
}


@pytest.mark.parametrize(
    ("held", "granted"),
    [
        pytest.param({"notes:read"}, {"notes:read"}, id="includes-nothing"),
        pytest.param({"notes:write"}, {"notes:write", "notes:read"}, id="directly"),
        pytest.param({"notes:admin"}, {"notes:admin", "notes:write", "notes:read", "audit"}, id="indirectly"),
        pytest.param({"a"}, {"a", "b", "c"}, id="in-a-circle"),
        pytest.param({"b"}, {"a", "b", "c"}, id="in-a-circle-from-the-other-side"),
        pytest.param({"c"}, {"c"}, id="below-a-circle"),
        pytest.param({"self"}, {"self"}, id="itself"),
        pytest.param({"other", "notes:write"}, {"other", "notes:write", "notes:read"}, id="beside-an-undeclared-one"),
        pytest.param({"notes"}, {"notes"}, id="prefix-includes-nothing"),
        pytest.param({"Notes:Admin"}, {"Notes:Admin"}, id="another-case-includes-nothing"),
        pytest.param(set(), set(), id="none"),
    ],
)
def test_scopes_are_expanded_by_what_they_include(held: set[str], granted: set[str]) -> None:
    """RS-MCP-step-b, DESIGN §4."""
    assert ScopeHierarchy(INCLUDES).expand(frozenset(held)) == granted


@pytest.mark.parametrize("includes", [None, {}])
def test_nothing_is_included_by_default(includes: Mapping[str, list[str]] | None) -> None:
    """DESIGN §4: a hierarchy is a declared mapping; `admin` includes nothing by its name."""
    assert ScopeHierarchy(includes).expand(frozenset({"admin", "notes:*"})) == {"admin", "notes:*"}


def test_what_was_declared_can_not_be_changed_later() -> None:
    """T38: configuration is read once."""
    includes = {"a": ["b"]}
    hierarchy = ScopeHierarchy(includes)
    includes["a"].append("admin")
    includes["b"] = ["admin"]
    assert hierarchy.expand(frozenset({"a"})) == {"a", "b"}


def test_text_instead_of_a_list_ends_the_construction() -> None:
    """DESIGN §3: or else `admin` would include the scopes r, e, a and d."""
    with pytest.raises(ConfigurationError) as caught:
        ScopeHierarchy({"admin": "read"})
    assert str(caught.value) == "scope_hierarchy must give a list of the scopes that 'admin' includes: ['read']"


NAMES = st.sampled_from("abcde")


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=3), max_size=5), st.frozensets(NAMES, max_size=3))
def test_expansion_is_the_smallest_closed_set(includes: dict[str, list[str]], held: frozenset[str]) -> None:
    """RS-MCP-step-b: whatever circles there are, it ends, adds all that is included and nothing else."""
    wanted = set(held)
    for _ in range(len("abcde")):
        wanted |= {included for scope in wanted for included in includes.get(scope, [])}
    assert ScopeHierarchy(includes).expand(held) == wanted
