"""For how long an introspection answer is believed, and what is judged on every request all the same."""

import json
import tracemalloc

import pytest

from resource_server import Kind, ResourceServer, owner, role
from resource_server.development.minting import OMIT
from resource_server.issuers.introspection import MAX_TTL, TTL
from resource_server.validation.introspection import INACTIVE_LIFE, MAX_INACTIVE, MAX_TOKEN
from tests.introspecting import GOOD, Endpoint, active, issuer, judge, kind, members, refusal, server, status
from tests.turnable_clock import TurnableClock


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


@pytest.fixture
def api(time: TurnableClock, endpoint: Endpoint) -> ResourceServer:
    return server(time, endpoint)


@pytest.mark.parametrize("ttl", [0.5, 30.0, 600.0])
async def test_an_answer_is_remembered_for_its_ttl_and_not_a_moment_longer(
    time: TurnableClock, endpoint: Endpoint, ttl: float
) -> None:
    """RS-7662-4-a, pain 17: this is how long a revoked token lives on."""
    endpoint.say(exp=time.wall + 3600)
    api = server(time, endpoint, issuer(ttl=ttl))
    assert await kind(api) is None
    endpoint.say(active=False)
    time.turn(ttl - 0.25)
    assert await kind(api) is None
    time.turn(0.25)
    assert await kind(api) == "revoked"
    assert len(endpoint.questions) == 2


def test_the_ttl_is_30_seconds_unless_another_is_set() -> None:
    """DESIGN §5; at most ten minutes."""
    assert (TTL, MAX_TTL) == (30.0, 600.0)


async def test_of_a_ttl_of_0_each_request_is_a_question(time: TurnableClock, endpoint: Endpoint) -> None:
    """RS-7662-4-b: no revoked token lives on at all."""
    api = server(time, endpoint, issuer(ttl=0))
    assert [await kind(api) for _ in range(3)] == [None] * 3
    assert len(endpoint.questions) == 3
    endpoint.say(active=False)
    assert await kind(api) == "revoked"


async def test_nothing_is_remembered_beyond_the_expiry_of_the_token(time: TurnableClock, endpoint: Endpoint) -> None:
    """RS-7662-4-a, liboauth2 (CWE-613): exp in 5 s, ttl of 300: refused at exp plus leeway, remembered or not."""
    endpoint.say(exp=time.wall + 5)
    api = server(time, endpoint, issuer(ttl=300, leeway=1.0))
    assert await kind(api) is None
    time.turn(5.99)
    assert await kind(api) is None
    assert len(endpoint.questions) == 1
    time.turn(0.01)
    assert await kind(api) == "expired"


async def test_what_an_answer_does_not_tell_of_its_end_ends_with_the_ttl(
    time: TurnableClock, endpoint: Endpoint
) -> None:
    """RFC 7662 §2.2: exp is optional."""
    endpoint.say(exp=OMIT)
    api = server(time, endpoint, issuer(ttl=30, may_omit=["exp"]))
    assert await kind(api) is None
    time.turn(29.99)
    assert await kind(api) is None
    assert len(endpoint.questions) == 1
    time.turn(0.01)
    assert await kind(api) is None
    assert len(endpoint.questions) == 2


async def test_the_life_of_an_answer_begins_with_the_question(time: TurnableClock, endpoint: Endpoint) -> None:
    """RS-7662-4-a: what was true when the server was asked may have changed while it was slow to say so."""

    def late(question: object) -> object:
        time.turn(4)
        return active(time)

    endpoint.answer = late  # type: ignore[assignment]
    api = server(time, endpoint, issuer(ttl=30))
    assert await kind(api) is None
    endpoint.say(active=False)
    time.turn(25.99)
    assert await kind(api) is None
    time.turn(0.01)
    assert await kind(api) == "revoked"


async def test_scope_role_and_owner_are_judged_on_every_hit(api: ResourceServer, endpoint: Endpoint) -> None:
    """CVE-2021-32701, dadrus/heimdall#3452: a remembered token skipped what the route demands."""
    endpoint.say(roles=["editor"])
    for _ in range(2):
        assert await kind(api, GOOD, "orders:read", role("editor"), owner("user_id"), user_id="alice") is None
        assert await kind(api, GOOD, "orders:write") == "insufficient_scope"
        assert await kind(api, GOOD, role("admin")) == "missing_role"
        assert await kind(api, GOOD, owner("user_id"), user_id="bob") == "not_owner"
    assert len(endpoint.questions) == 1


async def test_an_inactive_token_is_remembered_for_five_seconds(
    api: ResourceServer, time: TurnableClock, endpoint: Endpoint
) -> None:
    """T11: and asked about again at their end, so that a mistake is not frozen."""
    assert INACTIVE_LIFE == 5.0
    endpoint.say(active=False)
    assert await kind(api) == "revoked"
    endpoint.say()
    time.turn(4.99)
    refused = await refusal(api)
    assert refused is not None
    assert refused.reason == "the issuer said a moment ago that the token is not active"
    assert len(endpoint.questions) == 1
    time.turn(0.01)
    assert await kind(api) is None
    assert len(endpoint.questions) == 2


async def test_a_token_of_an_unsupported_type_is_inactive_for_five_seconds(
    api: ResourceServer, time: TurnableClock, endpoint: Endpoint
) -> None:
    """T24: RFC 7009's code for a token that the server knows nothing of."""
    endpoint.fail(status(400, b'{"error": "unsupported_token_type"}'))
    assert [await kind(api) for _ in range(3)] == ["revoked"] * 3
    assert len(endpoint.questions) == 1
    time.turn(5)
    endpoint.say()
    assert await kind(api) is None


NEVER_REMEMBERED = [
    pytest.param(status(500), "issuer_unavailable", id="500"),
    pytest.param(status(401), "issuer_unavailable", id="401"),
    pytest.param(status(400, b'{"error": "invalid_request"}'), "issuer_unavailable", id="400"),
    pytest.param(status(403, b'{"active": false}'), "issuer_unavailable", id="403-that-says-inactive"),
    pytest.param(status(404, b'{"active": false}'), "issuer_unavailable", id="404-that-says-inactive"),
    pytest.param(status(201, b'{"active": false}'), "issuer_unavailable", id="201-that-says-inactive"),
    pytest.param(status(429), "issuer_unavailable", id="429"),
    pytest.param(status(200, b"{}"), "issuer_unavailable", id="no-judgement"),
    pytest.param(status(200, b'{"active": "false"}'), "issuer_unavailable", id="a-text"),
    pytest.param(OSError("ConnectError"), "issuer_unavailable", id="nobody"),
    pytest.param({"aud": "other"}, "wrong_audience", id="audience"),
    pytest.param({"token_type": "mac"}, "wrong_token_type", id="type"),
    pytest.param({"nbf": 2_000_000_000}, "not_yet_valid", id="not-yet"),
    pytest.param({"sub": 5}, "invalid_claim", id="claim"),
]


@pytest.mark.parametrize(("answer", "expected"), NEVER_REMEMBERED)
async def test_no_other_refusal_is_remembered(
    api: ResourceServer, endpoint: Endpoint, answer: object, expected: str
) -> None:
    """T11: an error, or a mistake in the server's configuration, is over as soon as it is mended."""
    if isinstance(answer, dict):
        endpoint.say(**answer)
    else:
        endpoint.fail(answer)  # type: ignore[arg-type]
    assert await kind(api) == expected
    endpoint.say()
    assert await kind(api) is None
    assert len(endpoint.questions) == 2


async def test_inactive_tokens_fill_a_bounded_memory_of_their_own(api: ResourceServer, endpoint: Endpoint) -> None:
    """T11: a stranger's ten thousand tokens forget each other, and no good one."""
    assert MAX_INACTIVE == 10_000
    assert await kind(api) is None
    endpoint.fail(status(200, b'{"active": false}'))
    for number in range(MAX_INACTIVE):
        assert await kind(api, f"t{number}") == "revoked"
    asked = len(endpoint.questions)
    assert await kind(api, "t0") == "revoked"
    assert len(endpoint.questions) == asked
    assert await kind(api, "one-too-many") == "revoked"
    assert await kind(api, "t1") == "revoked"
    assert len(endpoint.questions) == asked + 1
    assert await kind(api, "t0") == "revoked"
    assert len(endpoint.questions) == asked + 2
    assert await kind(api) is None


async def test_a_token_of_8_kib_is_asked_about_and_a_longer_one_is_not(api: ResourceServer, endpoint: Endpoint) -> None:
    """RS-7662-4-c: the issuer's work is bounded; at the bound and one past it."""
    assert MAX_TOKEN == 8192
    assert await kind(api, "a" * MAX_TOKEN) is None
    assert await kind(api, "a" * (MAX_TOKEN + 1)) == "malformed_token"
    assert len(endpoint.questions) == 1


@pytest.mark.parametrize("token", ["", "a b", "a,b", "a=b", "=", '"a"', "a\tb", "ä", "%61", "a;b", "a:b"], ids=repr)
async def test_what_is_no_token68_is_asked_about_nowhere(api: ResourceServer, endpoint: Endpoint, token: str) -> None:
    """RS-7662-4-c, RFC 6750 §2.1: the cheap checks come first."""
    assert await kind(api, token) == "malformed_credentials"
    assert endpoint.questions == []


async def test_a_clock_that_jumps_ends_what_is_remembered(
    api: ResourceServer, time: TurnableClock, endpoint: Endpoint
) -> None:
    """T12: set back, it would revive what has ended; a suspended machine has lost count."""
    for jump in (-3600.0, -31.0, 31.0, 3600.0):
        endpoint.say(exp=time.wall + 100_000, iat=time.wall - 10_000)
        assert await kind(api) is None
        time.wall += jump
        endpoint.say(active=False)
        assert await kind(api) == "revoked"
        time.turn(5)


async def test_a_short_token_with_a_long_answer_takes_as_much_room_as_it_needs(
    time: TurnableClock, endpoint: Endpoint
) -> None:
    """T14: the bound of the memory is in bytes, and an opaque token's text says nothing of its answer's."""
    endpoint.say(groups=[f"group-of-some-length-{number}" for number in range(200)])
    size = len(json.dumps(members(time, **endpoint.said)))
    api = server(time, endpoint, issuer(ttl=600), memory=10 * 6 * size)
    tokens = [f"t{number}" for number in range(20)]
    tracemalloc.start()
    for token in tokens:
        await judge(api, token)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    asked = len(endpoint.questions)
    for token in tokens[-3:]:
        await judge(api, token)
    assert len(endpoint.questions) == asked
    await judge(api, tokens[0])
    assert len(endpoint.questions) == asked + 1
    assert taken < 20 * 6 * size


async def test_a_refusal_of_an_unavailable_issuer_says_when_to_come_again(
    api: ResourceServer, endpoint: Endpoint
) -> None:
    """D26: seconds, at least one."""
    endpoint.fail(OSError("ConnectError"))
    refused = await refusal(api)
    assert refused is not None
    assert (refused.kind, refused.retry_after) == (Kind.ISSUER_UNAVAILABLE, 1)
