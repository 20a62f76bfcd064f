import copy
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_server.access_token import AccessToken, freeze, seal, weight

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
CLAIMS = st.dictionaries(st.text(max_size=4), JSON, max_size=4)


def a_token(**facts: Any) -> AccessToken:
    given_facts: dict[str, Any] = {
        "issuer": "https://id.example.com",
        "subject": "alice",
        "client_id": "app",
        "audience": ("https://api.example.com",),
        "scopes": frozenset({"notes:read", "notes:write"}),
        "roles": frozenset({"editor"}),
        "groups": frozenset(),
        "entitlements": frozenset(),
        "issued_at": 1.0,
        "expires_at": 2.0,
        "confirmation": None,
        "claims": {},
    }
    return AccessToken(**given_facts | facts)


def levels(value: Any) -> Iterator[Any]:
    yield value
    for member in value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else ():
        yield from levels(member)


def thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: thawed(member) for name, member in value.items()}
    return [thawed(member) for member in value] if isinstance(value, tuple) else value


def try_to_mutate(level: Any) -> None:
    if isinstance(level, Mapping):
        name = next(iter(level), "new")
        for method in ("__setitem__", "__delitem__", "update", "setdefault", "pop", "popitem", "clear"):
            assert not hasattr(level, method)
        proxy: Any = level
        with pytest.raises(TypeError):
            proxy[name] = "x"
        with pytest.raises(TypeError):
            del proxy[name]
        with pytest.raises(TypeError):
            proxy |= {name: "x"}
    else:
        assert type(level) in (tuple, str, int, bool, type(None))


@settings(deadline=None, max_examples=60)
@given(CLAIMS)
def test_no_level_of_the_claims_can_be_changed(claims: dict[str, Any]) -> None:
    """T8: one object serves all requests that bear the token."""
    before = copy.deepcopy(claims)
    token = a_token(claims=claims, confirmation={"jkt": claims})
    for level in [*levels(token.claims), *levels(token.confirmation)]:
        try_to_mutate(level)
    assert thawed(token.claims) == before
    assert thawed(token.confirmation) == {"jkt": before}


@settings(deadline=None, max_examples=60)
@given(CLAIMS)
def test_who_kept_the_payload_changes_no_token(claims: dict[str, Any]) -> None:
    """T8: nothing of a token is shared with what it was made from."""
    before = copy.deepcopy(claims)
    token = a_token(claims=claims)
    _scramble(claims)
    assert thawed(token.claims) == before


def _scramble(value: Any) -> None:
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _scramble(member)
    if isinstance(value, dict | list):
        value.clear()


@settings(deadline=None, max_examples=60)
@given(CLAIMS)
def test_claims_that_are_kept_as_text_are_frozen_when_they_are_opened(claims: dict[str, Any]) -> None:
    """T8, T14: a remembered token is text until somebody asks for its claims."""
    text: Any = json.dumps(claims).encode()
    token = a_token(claims=text)
    for level in levels(token.claims):
        try_to_mutate(level)
    assert thawed(token.claims) == claims
    assert token == a_token(claims=claims)


def test_claims_are_no_larger_once_they_have_been_asked_for() -> None:
    """T14: what is counted when a token is remembered has to stay true."""
    text: Any = json.dumps({f"claim_{n}": [n] for n in range(200)}).encode()
    token = a_token(claims=text)
    before = weight(token)
    assert token.claims["claim_7"] == (7,)
    assert token.claims is token.claims
    assert weight(token) == before


@pytest.mark.parametrize("way", [copy.copy, dataclasses.replace], ids=["copy", "replace"])
def test_a_copy_has_the_same_claims(way: Callable[[AccessToken], AccessToken]) -> None:
    """Tests of applications vary a token by dataclasses.replace."""
    text: Any = b'{"level": [1, 2]}'
    assert way(a_token(claims=text)).claims == {"level": (1, 2)}


def a_sealed_token() -> AccessToken:
    names = [frozenset({word}) for word in ("notes:read", "editor", "staff", "export")]
    bound_to = freeze({"jkt": "x"})
    granted = (names[0], names[1], names[2], names[3])
    return seal("https://id.example.com", "alice", "app", ("a", "b"), granted, 1.0, 2.0, bound_to, b'{"level": [1, 2]}')


def test_a_token_that_is_sealed_is_the_one_that_is_constructed() -> None:
    """Design §8: what the faster way makes differs in nothing."""
    sealed = a_sealed_token()
    constructed = AccessToken(
        issuer="https://id.example.com",
        subject="alice",
        client_id="app",
        audience=("a", "b"),
        scopes=frozenset({"notes:read"}),
        roles=frozenset({"editor"}),
        groups=frozenset({"staff"}),
        entitlements=frozenset({"export"}),
        issued_at=1.0,
        expires_at=2.0,
        confirmation={"jkt": "x"},
        claims={"level": [1, 2]},
    )
    assert type(sealed) is AccessToken
    assert sealed == constructed
    assert repr(sealed) == repr(constructed)
    assert dataclasses.replace(sealed, subject="bob") == dataclasses.replace(constructed, subject="bob")
    assert copy.copy(sealed) == constructed


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(AccessToken)])
def test_no_fact_of_a_sealed_token_can_be_replaced(name: str) -> None:
    """T8: it is guarded from the moment that anybody else has it."""
    token = a_sealed_token()
    for level in [*levels(token.claims), *levels(token.confirmation)]:
        try_to_mutate(level)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(token, name, "x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(token, name)
    with pytest.raises((AttributeError, TypeError)):
        token.__class__ = type(token)
    assert not hasattr(token, "__dict__")


def test_a_handler_can_not_promote_later_requests() -> None:
    """T8, the attack itself."""
    token = a_token(claims=freeze({"roles": ["reader"], "realm_access": {"roles": ["reader"]}}))
    with pytest.raises(AttributeError):
        token.claims["roles"].append("admin")
    with pytest.raises(TypeError):
        token.claims["realm_access"]["roles"] = ("admin",)
    assert thawed(token.claims) == {"roles": ["reader"], "realm_access": {"roles": ["reader"]}}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(AccessToken)])
def test_no_fact_can_be_replaced(name: str) -> None:
    """T8."""
    token = a_token()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(token, name, "x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(token, name)


def test_no_fact_can_be_added() -> None:
    """T8: a handler can't leave notes for later requests either."""
    with pytest.raises((AttributeError, TypeError)):
        a_token().note = "x"  # type: ignore[attr-defined]
    assert not hasattr(a_token(), "__dict__")


@pytest.mark.parametrize("name", ["scopes", "roles", "groups", "entitlements"])
def test_names_are_frozen_sets(name: str) -> None:
    """T8."""
    assert type(getattr(a_token(), name)) is frozenset


def test_freezing_makes_proxies_and_tuples_of_objects_and_arrays() -> None:
    """T8."""
    frozen = freeze({"a": [1, {"b": []}], "c": None})
    assert type(frozen) is MappingProxyType
    assert frozen == {"a": (1, MappingProxyType({"b": ()})), "c": None}
    assert type(frozen["a"][1]) is MappingProxyType


def test_repr_shows_no_claims() -> None:
    """RS-6750-5.3-a, DESIGN §3."""
    token = a_token(claims={"email": "CANARY"}, confirmation={"jkt": "CANARY"})
    assert "CANARY" not in repr(token)
    assert "CANARY" not in str(token)
    assert repr(token).startswith("AccessToken(issuer='https://id.example.com', subject='alice', client_id='app'")


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        pytest.param(("notes:read",), True, id="one"),
        pytest.param(("notes:read", "notes:write"), True, id="all"),
        pytest.param((), True, id="none"),
        pytest.param(("notes:read", "notes:admin"), False, id="one-is-missing"),
        pytest.param(("notes",), False, id="prefix"),
        pytest.param(("notes:read ",), False, id="space"),
        pytest.param(("Notes:Read",), False, id="another-case"),
        pytest.param(("notes:read notes:write",), False, id="two-in-one-text"),
    ],
)
def test_scopes_are_compared_whole(scopes: tuple[str, ...], allowed: bool) -> None:
    """RS-6749-3.3-a."""
    assert a_token().allows(*scopes) is allowed


@pytest.mark.parametrize(
    ("subject", "client_id", "for_client"),
    [("alice", "app", False), ("app", "app", True), ("App", "app", False)],
)
def test_token_whose_subject_is_its_client_is_for_the_client(subject: str, client_id: str, for_client: bool) -> None:
    """RS-9068-5-a, RS-9700-4.15-a."""
    assert a_token(subject=subject, client_id=client_id).is_for_client is for_client
