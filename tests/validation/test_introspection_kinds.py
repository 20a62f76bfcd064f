"""A refresh token is active, too: something in the answer has to say that a token is for using an API (T18, T20)."""

from collections.abc import Sequence
from typing import Any

import pytest

from resource_server import ConfigurationError
from resource_server.development.minting import OMIT
from resource_server.issuers.token_kind import Markers
from tests.introspecting import Endpoint, issuer, kind, server
from tests.turnable_clock import TurnableClock

BOTH = ["aud", "token_type"]


@pytest.mark.parametrize("may_omit", [BOTH, [*reversed(BOTH), "sub"]], ids="-".join)
@pytest.mark.parametrize(
    "markers",
    [
        pytest.param([], id="none"),
        pytest.param([{"client_id": "*"}], id="of-any-value"),
        pytest.param([{"token_use": "access"}, {"client_id": "*"}], id="an-alternative-of-any-value"),
    ],
)
def test_an_issuer_whose_answers_may_lack_both_needs_a_marker_with_values(
    may_omit: list[str], markers: Sequence[Markers]
) -> None:
    """A client is named of refresh tokens, too: that a claim is there says nothing of what the token is for."""
    with pytest.raises(ConfigurationError) as caught:
        issuer(may_omit=may_omit, markers=markers)
    assert caught.value.option == "introspection_may_omit"
    assert "refresh tokens would pass" in caught.value.problem


@pytest.mark.parametrize("may_omit", [["aud"], ["token_type"], []], ids=lambda names: "-".join(names) or "none")
def test_one_of_the_two_is_enough(may_omit: list[str]) -> None:
    """The control of the one above."""
    issuer(may_omit=may_omit)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({"token_use": "access"}, None, id="access"),
        pytest.param({"token_use": ["access"]}, "wrong_token_type", id="array"),
        pytest.param({"token_use": "refresh"}, "wrong_token_type", id="refresh"),
        pytest.param({"token_use": None}, "wrong_token_type", id="null"),
        pytest.param({}, "wrong_token_type", id="missing"),
        pytest.param({"token_use": "access", "token_type": "refresh_token"}, "wrong_token_type", id="both-speak"),
    ],
)
async def test_the_marker_is_then_demanded_of_every_answer(
    time: TurnableClock, said: dict[str, Any], expected: str | None
) -> None:
    """T18: a positive marker, and nothing that only speaks against it."""
    endpoint = Endpoint(time)
    endpoint.say(**{"aud": OMIT, "token_type": OMIT} | said)
    api = server(time, endpoint, issuer(may_omit=BOTH, markers=[{"token_use": "access"}]))
    assert await kind(api) == expected


async def test_what_stands_in_for_a_missing_member_marks_nothing(time: TurnableClock) -> None:
    """A marker is met by what the issuer has said, and not by what is filled in for it."""
    endpoint = Endpoint(time)
    api = server(time, endpoint, issuer(may_omit=BOTH, markers=[{"token_type": "Bearer"}]))
    assert await kind(api) is None
    endpoint.say(token_type=OMIT)
    assert await kind(server(time, endpoint, issuer(may_omit=BOTH, markers=[{"token_type": "Bearer"}]))) is not None


async def test_where_the_answer_tells_the_kind_markers_are_of_jwts_alone(time: TurnableClock) -> None:
    """A preset's markers are claims of its JWTs, which its answers need not have."""
    assert await kind(server(time, Endpoint(time), issuer(markers=[{"token_use": "access"}]))) is None
