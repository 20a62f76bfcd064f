"""What an introspection answer may leave out, where that is known of the issuer, and what stands in for it."""

from collections.abc import Callable
from typing import Any

import pytest

from resource_server import AccessToken, Kind, owner
from resource_server.development.minting import OMIT
from resource_server.issuers.introspection import OMISSIBLE
from tests.introspecting import API, GOOD, URL, Endpoint, issuer, judge, kind, refusal, server, status
from tests.turnable_clock import TurnableClock


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


STAND_INS: dict[str, Callable[[AccessToken], bool]] = {
    "iss": lambda token: token.issuer == URL,
    "sub": lambda token: token.subject == token.client_id == "shop" and token.is_for_client,
    "client_id": lambda token: token.client_id == "(not told)" and not token.is_for_client,
    "aud": lambda token: token.audience == (API,),
    "exp": lambda token: token.expires_at == 1_800_000_030.0,
    "iat": lambda token: token.issued_at == 1_800_000_000.0,
    "token_type": lambda token: token.claims["token_type"] == "Bearer",
}


@pytest.mark.parametrize("name", OMISSIBLE)
async def test_a_member_may_be_missing_only_where_that_is_known_of_the_issuer(
    time: TurnableClock, endpoint: Endpoint, name: str
) -> None:
    """RFC 7662 leaves all of them to the server; what is not checked protects nobody. Null counts as missing."""
    for value in (OMIT, None):
        endpoint.say(**{name: value})
        refused = await refusal(server(time, endpoint))
        assert refused is not None
        assert refused.kind in (Kind.INVALID_CLAIM, Kind.WRONG_AUDIENCE)
        assert name in refused.reason
        token = await judge(server(time, endpoint, issuer(may_omit=[name])), GOOD)
        assert STAND_INS[name](token)


@pytest.mark.parametrize("name", OMISSIBLE)
async def test_what_may_be_missing_is_judged_where_it_is_there(
    time: TurnableClock, endpoint: Endpoint, name: str
) -> None:
    """A setting that allows an omission allows no wrong value."""
    endpoint.say(**{name: 7.5 if name in ("exp", "iat") else ["wrong"]})
    if name == "iat":
        endpoint.say(iat=2_000_000_000)
    may_omit = [one for one in OMISSIBLE if one != ("token_type" if name == "aud" else "aud")]
    assert await kind(server(time, endpoint, issuer(may_omit=may_omit))) is not None


async def test_the_least_that_an_answer_can_say_is_that_the_token_is_active(
    time: TurnableClock, endpoint: Endpoint
) -> None:
    """RFC 7662 §2.2: nothing else is required of a server, but here its kind. No scope or name follows from it."""
    endpoint.fail(status(200, b'{"active": true, "token_use": "access"}'))
    api = server(time, endpoint, issuer(may_omit=list(OMISSIBLE), markers=[{"token_use": "access"}]))
    token = await judge(api, GOOD)
    assert (token.subject, token.client_id, token.is_for_client) == ("(not told)", "(not told)", True)
    assert not (token.scopes | token.roles | token.groups | token.entitlements)
    assert await kind(api, GOOD, "orders:read") == "insufficient_scope"


@pytest.mark.parametrize(
    ("said", "user"),
    [
        pytest.param({"sub": OMIT}, "shop", id="client"),
        pytest.param({"sub": OMIT, "client_id": "alice"}, "alice", id="client-with-a-user-s-name"),
        pytest.param({"sub": OMIT, "client_id": OMIT}, "(not told)", id="stand-in"),
        pytest.param({"sub": "(not told)", "client_id": OMIT}, "(not told)", id="told-the-stand-in"),
        pytest.param({"sub": "alice", "client_id": "alice"}, "alice", id="client-that-acts-for-itself"),
        pytest.param({"sub": OMIT, "username": "alice"}, "alice", id="username"),
    ],
)
async def test_no_stand_in_owns_anything(
    time: TurnableClock, endpoint: Endpoint, said: dict[str, Any], user: str
) -> None:
    """T1, RS-7662-2.2-c, RFC 9068 §5: a client is no user, and ``username`` is no identity."""
    endpoint.say(**said)
    api = server(time, endpoint, issuer(may_omit=["sub", "client_id"]))
    assert await kind(api, GOOD, owner("user_id"), user_id=user) == "not_owner"


async def test_a_user_owns_what_is_his(time: TurnableClock, endpoint: Endpoint) -> None:
    """The control of the one above."""
    api = server(time, endpoint)
    assert await kind(api, GOOD, owner("user_id"), user_id="alice") is None
    assert await kind(api, GOOD, owner("user_id"), user_id="bob") == "not_owner"
