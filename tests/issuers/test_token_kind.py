"""What lets a token without ``typ: at+jwt`` in, and what keeps ID tokens out (T18)."""

from typing import Any

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.grants import Grants
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.token_kind import bears, spellings


def issuer(**options: Any) -> Issuer:
    return Issuer(url="https://id.example.com", audience="https://api.example.com", **options)


def test_at_jwt_alone_is_accepted_unless_something_else_is_said() -> None:
    """RS-9068-4-a."""
    assert issuer().accept_typ == ("at+jwt",)
    assert spellings(issuer().accept_typ) == {"at+jwt", "application/at+jwt"}


@pytest.mark.parametrize("accepted", [["JWT"], ["missing"], ["at+jwt", "JWT"]], ids=str)
def test_a_loosened_typ_needs_a_positive_marker(accepted: list[str]) -> None:
    """T18: negative evidence does not separate."""
    with pytest.raises(ConfigurationError, match="accept_typ lets ID tokens in unless something tells them apart"):
        issuer(accept_typ=accepted)
    with pytest.raises(ConfigurationError, match="accept_typ"):
        issuer(accept_typ=accepted, foreign_markers={"token_use": "id"})
    assert issuer(accept_typ=accepted, markers=[{"token_use": "access"}]).accept_typ == tuple(accepted)
    assert issuer(accept_typ=accepted, audience_is_no_client_id=True).accept_typ == tuple(accepted)


@pytest.mark.parametrize(
    "accepted",
    [[], "JWT", ["logout+jwt"], ["dpop+jwt"], ["secevent+jwt"], ["id_token+jwt"], ["*"], [""], ["jwt"], ["JWT", "x"]],
    ids=str,
)
def test_the_list_of_types_is_closed(accepted: Any) -> None:
    """T18: the other JWTs of an issuer stay refused in every configuration."""
    with pytest.raises(ConfigurationError) as caught:
        issuer(accept_typ=accepted, markers=[{"a": "b"}])
    assert str(caught.value) == "accept_typ must be a list of at least one of at+jwt, JWT, missing"


@pytest.mark.parametrize(
    "markers", [[{}], [{"": "x"}], [{"a": ""}], [{"a": []}], [{"a": [""]}], [{"a": "b"}, {}], [{"a": [1]}]], ids=str
)
def test_a_marker_that_marks_nothing_is_refused(markers: Any) -> None:
    """T18: an empty alternative would be met by every token."""
    with pytest.raises(ConfigurationError) as caught:
        issuer(markers=markers)
    empty = "must not hold an empty alternative, which every token meets"
    assert caught.value.option == "markers"
    assert caught.value.problem == (
        empty if {} in markers else 'must name claims and their values, as in {"token_use": "access"}'
    )


def test_a_marker_may_have_several_values() -> None:
    """T18: one of them is to be met."""
    [marker] = issuer(markers=[{"typ": ["Bearer", "DPoP"], "token_use": "access"}]).markers
    assert marker == {"typ": ("Bearer", "DPoP"), "token_use": ("access",)}


def test_all_types_of_the_list_may_be_accepted_at_once() -> None:
    """T18: each once."""
    accepted = issuer(accept_typ=["missing", "JWT", "at+jwt", "JWT"], markers=[{"a": "b"}]).accept_typ
    assert accepted == ("missing", "JWT", "at+jwt")


@pytest.mark.parametrize(
    ("value", "any_value", "access"),
    [
        ("access", True, True), ("id", True, False), ("", False, False), ("Access", True, False),
        (["access"], True, False), ([], False, False), (None, False, False),
        (True, False, False), (1, False, False), ({"a": 1}, False, False),
    ],
    ids=str,
)  # fmt: skip
def test_a_marker_is_a_text_of_the_list_or_with_a_star_any(value: Any, any_value: bool, access: bool) -> None:
    """T18: compared to the letter; what is no text marks nothing."""
    assert bears({"token_use": value}, "token_use", ("*",)) is any_value
    assert bears({"token_use": value}, "token_use", ("access",)) is access
    assert not bears({}, "token_use", ("*",))


@pytest.mark.parametrize("grants", [["read"], "all", {"scopes": ["a"]}, True, ()], ids=repr)
def test_grants_are_an_object_or_the_loud_word(grants: Any) -> None:
    """T1."""
    with pytest.raises(ConfigurationError, match=r'grants must name .* or say "everything"'):
        issuer(grants=grants)


@pytest.mark.parametrize("names", ["read", [""], [None], [1]], ids=repr)
def test_grants_are_lists_of_names(names: Any) -> None:
    """A text would be taken for its letters."""
    with pytest.raises(ConfigurationError) as caught:
        Grants(roles=names)
    assert str(caught.value) == "grants must give its roles as a list of names"
