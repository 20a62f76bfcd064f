from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resource_server.access_token import AccessToken, weight
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


def a_token(**more: Any) -> AccessToken:
    payload = {"iss": RULES.issuer, "sub": "alice", "client_id": "app", "aud": ["api"], "jti": "1", "iat": 0, "exp": 9}
    return claims.read(payload | more, RULES, now=1.0)


@pytest.mark.parametrize(("number", "shared"), [(1, True), (16, True), (17, False)])
def test_the_same_few_names_are_one_object_in_all_tokens(number: int, shared: bool) -> None:
    """T14: of thousands of remembered tokens most are granted the same."""
    names = [f"name-{n}" for n in range(number)]
    one, other = (a_token(scope=" ".join(names), roles=list(names)) for _ in range(2))
    assert one.scopes == other.scopes == one.roles == set(names)
    assert (one.scopes is other.scopes, one.roles is other.roles) == (shared, shared)


@pytest.mark.parametrize("number", [1, 16, 17, 300])
def test_any_number_of_scopes_is_divided_by_spaces_alone(number: int) -> None:
    """RFC 6749 §3.3: whether they are shared or not; two spaces in a row make no empty scope."""
    names = [f"name\t{n}" for n in range(number)]
    assert a_token(scope="  ".join(names) + " ").scopes == set(names)


def test_names_that_are_the_same_in_another_order_are_the_same_names() -> None:
    """T14: what is shared is never changed."""
    assert a_token(scope="a b").scopes == a_token(scope="b a").scopes == {"a", "b"}


def test_the_text_of_the_payload_is_what_a_token_keeps() -> None:
    """T14: claims are text until somebody asks."""
    payload = {"iss": RULES.issuer, "sub": "alice", "client_id": "app", "aud": "api", "jti": "1", "iat": 0, "exp": 9}
    token = claims.read(payload, RULES, 1.0, b'{"as": "it was sent"}')
    assert token.claims == {"as": "it was sent"}


def test_claims_without_a_text_become_one_that_is_no_longer_than_it_has_to_be() -> None:
    """T14: what an issuer answers when it is asked is kept as compactly as a JWT."""
    assert a_token(note="é" * 1000).claims["note"] == "é" * 1000
    assert weight(a_token(note="é" * 1000)) - weight(a_token(note="")) <= 2100
