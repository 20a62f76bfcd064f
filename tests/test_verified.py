import gc
import hashlib
import json
import tracemalloc
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resource_server.credentials import extract
from resource_server.validation import claims
from resource_server.validation.claims import ClaimRules
from resource_server.validation.strict_json import parse_object
from resource_server.verified import MAX_LIFE, VerifiedToken, VerifiedTokens
from tests.turnable_clock import TurnableClock

RULES = ClaimRules(issuer="https://id.example.com", audience=frozenset({"https://api.example.com"}))
LEEWAY = 30.0
MIB = 1024 * 1024


@dataclass
class Source:
    """The keys that the tokens were verified with."""

    generation: int = 0

    def is_current(self, generation: int) -> bool:
        return generation == self.generation


SOURCE = Source()


def payload(**more: Any) -> bytes:
    members = {"iss": RULES.issuer, "sub": "alice", "client_id": "app", "aud": "https://api.example.com", "iat": 0}
    return json.dumps(members | {"exp": 2_000_000_000, "jti": "1"} | more).encode()


def verified(expires_at: float, *, source: Source = SOURCE, leeway: float = LEEWAY) -> VerifiedToken:
    token = claims.read(parse_object(payload(exp=expires_at)), RULES, now=1e9)
    return VerifiedToken(token, leeway, source, source.generation, "thumbprint")


def digest(token: object) -> bytes:
    return hashlib.sha256(str(token).encode()).digest()


def test_a_remembered_token_is_recalled_by_its_digest_alone(time: TurnableClock) -> None:
    """Design §3: a dictionary, keyed by digest."""
    memory = VerifiedTokens(MIB, time.clock)
    good = verified(time.wall + 300)
    memory.put(digest("a"), good, 400)
    assert memory.get(digest("a")) is good
    assert memory.get(digest("b")) is None
    assert memory.get(digest("a")[:16]) is None
    assert len(memory) == 1


def test_the_digest_is_all_of_sha_256_over_the_exact_token() -> None:
    """T10: a shortened key invites collisions."""
    field = b"Bearer abc.def.ghi"
    credentials = extract({"headers": [(b"authorization", field)]}, (field,))
    assert credentials.digest == hashlib.sha256(b"abc.def.ghi").digest()
    assert len(credentials.digest) == 32


@pytest.mark.parametrize("left", [0.001, 1.0, 300.0, 569.0])
def test_what_is_remembered_ends_with_the_token(time: TurnableClock, left: float) -> None:
    """T12, CWE-613 (liboauth2 2.3.0): exp and leeway, to the moment, by the wall clock."""
    memory = VerifiedTokens(MIB, time.clock)
    memory.put(digest("a"), verified(time.wall - LEEWAY + left), 400)
    time.turn(left * 0.99)
    assert memory.get(digest("a")) is not None
    time.turn(left * 0.01)
    assert memory.get(digest("a")) is None
    assert (len(memory), memory.used) == (0, 0)


@pytest.mark.parametrize("ago", [0.0, 0.001, 1000.0])
def test_an_expired_token_is_never_stored(time: TurnableClock, ago: float) -> None:
    """E2: it is refused on every request; it may not push a good one out."""
    memory = VerifiedTokens(MIB, time.clock)
    memory.put(digest("a"), verified(time.wall - LEEWAY - ago), 400)
    assert (len(memory), memory.used) == (0, 0)


def test_even_a_token_of_a_year_is_verified_anew_after_ten_minutes(time: TurnableClock) -> None:
    """T7: min(exp, ttl)."""
    assert MAX_LIFE == 600
    memory = VerifiedTokens(MIB, time.clock)
    memory.put(digest("a"), verified(time.wall + 31_536_000), 400)
    time.turn(599.99)
    assert memory.get(digest("a")) is not None
    time.turn(0.01)
    assert memory.get(digest("a")) is None


def test_the_first_of_the_two_clocks_ends_what_is_remembered(time: TurnableClock) -> None:
    """T12: wall for exp, both for lives; a jump within the tolerated one here."""
    memory = VerifiedTokens(MIB, time.clock, max_jump=60)
    memory.put(digest("a"), verified(time.wall), 400)
    time.wall += 30
    assert memory.get(digest("a")) is None, "the wall clock has reached exp and leeway"
    memory.put(digest("b"), verified(time.wall), 400)
    time.monotonic += 30
    assert memory.get(digest("b")) is None, "the wall clock has stood still, the monotonic one has not"


@pytest.mark.parametrize(
    ("clock", "moved"), [("wall", 61.0), ("wall", -61.0), ("wall", 86_400.0), ("wall", -86_400.0), ("monotonic", 61.0)]
)
def test_clocks_that_move_against_each_other_empty_the_memory(time: TurnableClock, clock: str, moved: float) -> None:
    """T12: a clock that is set back would revive expired tokens; a suspended machine stops the monotonic one."""
    memory = VerifiedTokens(MIB, time.clock, max_jump=60)
    for name in "abc":
        memory.put(digest(name), verified(time.wall + 500_000), 400)
    setattr(time, clock, getattr(time, clock) + moved)
    assert memory.get(digest("a")) is None
    assert (len(memory), memory.used) == (0, 0)
    memory.put(digest("a"), verified(time.wall + 300), 400)
    assert memory.get(digest("a")) is not None, "and it goes on by the new time"


def test_a_jump_is_noticed_when_the_next_token_comes_first(time: TurnableClock) -> None:
    """T12: a put sees it as a get does, so that the old tokens don't live by the new offset."""
    memory = VerifiedTokens(MIB, time.clock, max_jump=60)
    memory.put(digest("a"), verified(time.wall + 300), 400)
    time.wall -= 3600
    memory.put(digest("b"), verified(time.wall + 300), 400)
    assert memory.get(digest("a")) is None
    assert memory.get(digest("b")) is not None


def test_a_jump_within_the_bound_empties_nothing(time: TurnableClock) -> None:
    """T12: of more than the leeway; clocks are slewed all the time."""
    memory = VerifiedTokens(MIB, time.clock, max_jump=60)
    memory.put(digest("a"), verified(time.wall + 300), 400)
    time.wall -= 60
    assert memory.get(digest("a")) is not None


def test_another_generation_of_the_keys_is_a_miss(time: TurnableClock) -> None:
    """T7: nothing has to be purged, so there is no purge to race with."""
    memory = VerifiedTokens(MIB, time.clock)
    source, other = Source(), Source()
    memory.put(digest("a"), verified(time.wall + 300, source=source), 400)
    memory.put(digest("b"), verified(time.wall + 300, source=other), 400)
    late = verified(time.wall + 300, source=source)
    source.generation += 1
    assert memory.get(digest("a")) is None
    assert memory.get(digest("b")) is not None, "the keys of another issuer are no concern of it"
    memory.put(digest("late"), late, 400)
    assert memory.get(digest("late")) is None, "a validation that finishes after the withdrawal"


def test_the_bound_is_in_bytes_and_the_oldest_go_first(time: TurnableClock) -> None:
    """T14."""
    memory = VerifiedTokens(MIB, time.clock)
    memory.put(digest(0), verified(time.wall + 300), 1000)
    each = memory.used
    fitting = MIB // each
    for number in range(1, fitting):
        memory.put(digest(number), verified(time.wall + 300), 1000)
    assert (len(memory), memory.used) == (fitting, fitting * each)
    assert memory.get(digest(0)) is not None
    memory.put(digest("one more"), verified(time.wall + 300), 1000)
    assert (len(memory), memory.used) == (fitting, fitting * each)
    assert memory.get(digest(0)) is None
    assert memory.get(digest(1)) is not None


def test_a_token_that_is_remembered_again_is_counted_once(time: TurnableClock) -> None:
    """T14: two requests that validate the same token at once both remember it."""
    memory = VerifiedTokens(MIB, time.clock)
    memory.put(digest("a"), verified(time.wall + 300), 1000)
    used = memory.used
    memory.put(digest("a"), verified(time.wall + 300), 1000)
    assert (len(memory), memory.used) == (1, used)


def test_a_size_of_0_remembers_nothing(time: TurnableClock) -> None:
    """Design §5: MEMORY; RS-7662-4-b asks that 0 be allowed."""
    memory = VerifiedTokens(0, time.clock)
    memory.put(digest("a"), verified(time.wall + 300), 1)
    assert memory.get(digest("a")) is None
    assert (len(memory), memory.used) == (0, 0)


def test_a_token_larger_than_the_memory_pushes_nothing_out(time: TurnableClock) -> None:
    """T14."""
    memory = VerifiedTokens(10_000, time.clock)
    memory.put(digest("a"), verified(time.wall + 300), 400)
    memory.put(digest("b"), verified(time.wall + 300), 16_000)
    assert memory.get(digest("a")) is not None
    assert len(memory) == 1


steps = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3000), st.floats(0, 200)), max_size=40)


@given(steps)
def test_the_memory_never_exceeds_its_bound(taken: list[tuple[int, int, float]]) -> None:
    """T14: whatever comes, in whatever order."""
    time = TurnableClock()
    memory = VerifiedTokens(20_000, time.clock)
    for name, length, pause in taken:
        if memory.get(digest(name)) is None:
            memory.put(digest(name), verified(time.wall + 300), length)
        assert memory.used <= 20_000
        assert (memory.used == 0) is (len(memory) == 0)
        time.turn(pause)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="7-claims"),
        pytest.param({"scope": "notes:read notes:write", "roles": ["editor", "viewer"]}, id="9-claims"),
        pytest.param({f"claim_{n}": f"a value of the usual length, {n}" for n in range(14)}, id="21-claims"),
        pytest.param({"note": "x" * 4000}, id="a-long-text"),
        pytest.param({"scope": " ".join(f"{n:x}" for n in range(2000))}, id="thousands-of-short-scopes"),
        pytest.param({"roles": [f"{n:x}" for n in range(240)]}, id="hundreds-of-short-roles"),
        pytest.param({"aud": ["https://api.example.com", *(f"{n:x}" for n in range(240))]}, id="many-audiences"),
        pytest.param({"client_id": "a" * 4000 + "😀"}, id="a-wide-text"),
        pytest.param({"note": [{}] * 240}, id="hundreds-of-empty-objects"),
    ],
)
def test_what_is_counted_is_what_the_memory_takes(time: TurnableClock, more: dict[str, Any]) -> None:
    """T14: an estimate below the truth would be no bound."""
    memory = VerifiedTokens(100 * MIB, time.clock)
    texts = [payload(sub=f"user-{number}", **more) for number in range(300)]
    gc.collect()
    gc.freeze()  # what is older is no concern of the test, and takes long to look through
    tracemalloc.start()
    for number, text in enumerate(texts):
        token = claims.read(parse_object(text), RULES, time.wall)
        length = len(text) * 4 // 3 + 150  # as base64url, with a header and a signature
        memory.put(digest(number), VerifiedToken(token, LEEWAY, SOURCE, 0, "thumbprint"), length)
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(memory) == 300
    assert taken <= memory.used


def test_a_repr_shows_no_claims(time: TurnableClock) -> None:
    """RS-6750-5.3-a."""
    assert "jti" not in repr(verified(time.wall + 300))
