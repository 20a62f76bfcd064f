"""One text where a list is meant: Python would take it for a list of its letters, so each option says so."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from resource_server import (
    ApiDocs,
    ConfigurationError,
    Grants,
    Issuer,
    ResourceServer,
    acr,
    all_of,
    all_scopes,
    any_of,
    any_role,
    any_scope,
    network,
)
from resource_server.testing import make_token


def server(**options: Any) -> ResourceServer:
    return ResourceServer("https://id.example.com", audience="https://api.example.com", **options)


@pytest.mark.parametrize(
    ("configure", "told"),
    [
        pytest.param(
            lambda: server(cors_origins="https://a.example,https://b.example"),
            "cors_origins must be a list of texts, not one text: ['https://a.example', 'https://b.example']",
            id="cors_origins",
        ),
        pytest.param(
            lambda: server(cors_origins=""), "cors_origins must be a list of texts, not one text: []", id="empty"
        ),
        pytest.param(
            lambda: server(trusted_proxies="10.0.0.0/8"),
            "trusted_proxies must be a list of texts, not one text: ['10.0.0.0/8']",
            id="trusted_proxies",
        ),
        pytest.param(
            lambda: server().install(FastAPI(), public="/"),
            "public must be a list of texts, not one text: ['/']",
            id="public",
        ),
        pytest.param(
            lambda: server(scope_hierarchy={"admin": "read"}),
            "scope_hierarchy must give a list of the scopes that 'admin' includes: ['read']",
            id="scope_hierarchy",
        ),
        pytest.param(
            lambda: Issuer(url="https://id.example.com", audience="x", algorithms="RS256"),
            "algorithms must be a list of at least one of RS256, ",
            id="algorithms",
        ),
    ],
)
def test_an_option_that_is_a_list_refuses_one_text(configure: Callable[[], object], told: str) -> None:
    """A newcomer's pain; the sentence holds the list that was meant."""
    with pytest.raises(ConfigurationError) as caught:
        configure()
    assert str(caught.value).startswith(told)


def test_an_audience_is_one_text_or_a_list_of_them() -> None:
    """The one option that takes both, and says so: a text is one audience, whatever letters are in it."""
    assert Issuer(url="https://id.example.com", audience="a b").audiences == {"a b"}
    assert Issuer(url="https://id.example.com", audience=["a", "b"]).audiences == {"a", "b"}


NO_SCOPE = "'a b' is no scope: give each scope as a text of its own, without spaces"


@pytest.mark.parametrize(
    "make", [any_scope, all_scopes, any_of, all_of, server().requires], ids=lambda make: make.__name__
)
def test_several_scopes_in_one_text_are_refused(make: Callable[..., object]) -> None:
    """RFC 6749 §3.3: a space can't be in a scope."""
    with pytest.raises(ValueError, match=NO_SCOPE):
        make("a b")


def test_several_authentication_contexts_in_one_text_are_refused() -> None:
    """RFC 9470 §3: acr_values has spaces between them. The sentence speaks of what was given."""
    with pytest.raises(ValueError, match="'a b' is no acr value: give each as a text of its own, without spaces"):
        acr("a b")


@pytest.mark.parametrize(
    ("configure", "option"),
    [
        pytest.param(lambda: server(scope_hierarchy={"a b": ["c"]}), "scope_hierarchy", id="includes"),
        pytest.param(lambda: server(scope_hierarchy={"c": ["d", "a b"]}), "scope_hierarchy", id="included"),
        pytest.param(lambda: Grants(scopes=["a b"]), "grants", id="grants"),
        pytest.param(lambda: ApiDocs(scopes=["a b"]), "docs", id="docs"),
        pytest.param(lambda: make_token(scopes=["a b"]), "scopes", id="make_token"),
    ],
)
def test_an_option_that_is_a_list_of_scopes_refuses_what_is_none(configure: Callable[[], object], option: str) -> None:
    """RFC 6749 §3.3: it would match no token's scope, and nobody would be told."""
    with pytest.raises(ConfigurationError) as caught:
        configure()
    assert str(caught.value) == f"{option} names a scope that can't be: {NO_SCOPE}"


@pytest.mark.parametrize("needs", [["a", "b"], ("a", "b"), {"a"}], ids=["list", "tuple", "set"])
@pytest.mark.parametrize("make", [any_of, all_of, server().requires], ids=lambda make: make.__name__)
def test_a_list_where_several_needs_are_meant_is_refused(make: Callable[..., object], needs: Any) -> None:
    """The trap's other side, for what takes more than texts."""
    told = f"a requirement is a scope, a requirement or a callable, not a {type(needs).__name__}: give each by itself"
    with pytest.raises(TypeError, match=told):
        make(needs)


@pytest.mark.parametrize("make", [any_scope, all_scopes, any_role, network], ids=lambda make: make.__name__)
def test_a_list_where_several_texts_are_meant_is_refused(make: Callable[..., object]) -> None:
    """The trap's other side."""
    with pytest.raises(ValueError, match=rf"{make.__name__} needs at least one name, and each as a text of its own"):
        make(["10.0.0.1", "10.0.0.2"])
