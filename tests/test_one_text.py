"""One text where a list is meant: Python would take it for a list of its letters, so each option says so."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from resource_server import ConfigurationError, Issuer, ResourceServer, acr, all_scopes, any_role, any_scope, network


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


@pytest.mark.parametrize("make", [any_scope, all_scopes, acr], ids=lambda make: make.__name__)
def test_several_scopes_in_one_text_are_refused(make: Callable[..., object]) -> None:
    """RFC 6749 §3.3: a space can't be in a scope."""
    with pytest.raises(ValueError, match="'a b' is no scope: give each scope as a text of its own, without spaces"):
        make("a b")


@pytest.mark.parametrize("make", [any_scope, all_scopes, any_role, network], ids=lambda make: make.__name__)
def test_a_list_where_several_texts_are_meant_is_refused(make: Callable[..., object]) -> None:
    """The trap's other side."""
    with pytest.raises(ValueError, match=rf"{make.__name__} needs at least one name, and each as a text of its own"):
        make(["10.0.0.1", "10.0.0.2"])
