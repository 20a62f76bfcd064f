from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from resource_server.validation import claims
from resource_server.validation.claims import ClaimRules

RULES = ClaimRules(issuer="https://id.example.com", audience=frozenset({"api"}))
IMMUTABLE = (MappingProxyType, tuple, frozenset, str, int, float, bool, type(None))

leaves = st.sampled_from([None, True, 1, 1.5, "", "a"])
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)


def levels(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, Mapping | tuple | frozenset):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from levels(member)


@given(json_values)
def test_every_level_of_what_was_read_is_immutable(value: Any) -> None:
    """T8: a handler that appends to a claim would promote every later request."""
    payload = {"iss": RULES.issuer, "sub": "alice", "client_id": "app", "aud": ["api"], "jti": "1", "iat": 0, "exp": 9}
    token = claims.read(payload | {"roles": ["editor"], "cnf": value, "extra": value}, RULES, now=1.0)
    for fact in (token.claims, token.confirmation, token.audience, token.scopes, token.roles, token.groups):
        assert {type(level) for level in levels(fact)} <= set(IMMUTABLE)
