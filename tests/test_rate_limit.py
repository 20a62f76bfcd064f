"""How much each caller may do: never more than the limit in any window, and again when it was said."""

import tracemalloc
from bisect import bisect_left

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resource_server import ConfigurationError, RateLimit
from resource_server.rate_limit import LONGEST, MAX_CALLERS, MOST, Counts
from tests.turnable_clock import TurnableClock

ALICE, BOB = 1, 2
MINUTE = RateLimit(20, per=60)
rates = st.builds(RateLimit, st.integers(1, 12), per=st.integers(1, 90))
# Times in parts of a second that a float holds exactly, so that a test is not about the rounding of its own sums.
pauses = st.integers(0, 64 * 1024).map(lambda parts: parts / 1024)


def admitted(counts: Counts, caller: int = ALICE) -> bool:
    """One attempt, which counts where it is allowed."""
    if counts.wait(caller):
        return False
    counts.add(caller)
    return True


@settings(deadline=None, max_examples=300)
@given(rates, st.lists(st.tuples(pauses, st.integers(1, 15)), max_size=40))
@example(RateLimit(1, per=1), [(0.0, 2), (1.0, 2), (64.0, 2)])
@example(MINUTE, [(0.0, 20), *[(6.0, 2)] * 20, (64.0, 20)])
def test_within_any_window_there_are_no_more_than_the_limit(rate: RateLimit, bursts: list[tuple[float, int]]) -> None:
    """T33: whichever window one looks at, also one that begins before an end and ends after it."""
    time = TurnableClock()
    counts, at = Counts(rate, time.clock), []
    for seconds, attempts in bursts:
        time.turn(seconds)
        at += [time.monotonic for _ in range(attempts) if admitted(counts)]
    for number, began in enumerate(at):
        assert bisect_left(at, began + rate.per) - number <= rate.limit


@settings(deadline=None)
@given(rates, st.lists(pauses, max_size=60))
def test_it_is_allowed_again_at_the_second_that_was_told_and_not_before(rate: RateLimit, waits: list[float]) -> None:
    """RS-9110-10.2.3-a: rounded up to whole seconds, so a second earlier is too early."""
    time = TurnableClock()
    counts = Counts(rate, time.clock)
    for seconds in waits:
        time.turn(seconds / 8)
        admitted(counts)
    while admitted(counts):
        pass
    wait = counts.wait(ALICE)
    assert 1 <= wait <= rate.longest_wait
    time.turn(wait - 1)
    assert not admitted(counts) or wait == 1
    time.turn(1)
    assert admitted(counts) or wait == 1


@given(rates)
def test_after_a_silence_all_is_as_in_the_beginning(rate: RateLimit) -> None:
    """T33: what strangers have used up comes back by itself."""
    time = TurnableClock()
    counts = Counts(rate, time.clock)
    for _ in range(3):
        assert counts.left(ALICE) == rate.at_once
        assert sum(admitted(counts) for _ in range(2 * rate.limit)) == rate.at_once
        assert counts.left(ALICE) == 0
        time.turn(10 * rate.per)


def test_twenty_a_minute_are_eleven_at_once_and_one_each_six_seconds(time: TurnableClock) -> None:
    """The example of docs/settings.md."""
    counts = Counts(MINUTE, time.clock)
    assert [admitted(counts) for _ in range(12)] == [True] * 11 + [False]
    waits = []
    for _ in range(9):
        waits.append(counts.wait(ALICE))
        time.turn(6)
        assert [admitted(counts) for _ in range(2)] == [True, False]
    assert waits == [6] * 9


def test_who_asks_all_the_time_is_told_a_time_that_comes_nearer(time: TurnableClock) -> None:
    """Being refused is not counted: an impatient client is not shut out for ever."""
    counts = Counts(MINUTE, time.clock)
    while admitted(counts):
        pass
    told = []
    for _ in range(6):
        told.append(counts.wait(ALICE))
        time.turn(1)
    assert told == [6, 5, 4, 3, 2, 1]
    assert admitted(counts)


def test_nothing_drifts(time: TurnableClock) -> None:
    """Seven a minute are one each 15 seconds, and three in a thousand seconds one each 500: whole ticks of each."""
    for rate, spacing in ((RateLimit(7, per=60), 15), (RateLimit(3, per=1000), 500), (RateLimit(5, per=7), 7 / 3)):
        counts, start = Counts(rate, time.clock), time.monotonic
        while admitted(counts):
            pass
        for number in range(1, 2000):
            time.monotonic = start + number * spacing + 1e-6
            assert admitted(counts)
            assert not admitted(counts)


def test_callers_are_counted_apart(time: TurnableClock) -> None:
    """T33: never another address."""
    counts = Counts(RateLimit(1, per=60), time.clock)
    assert admitted(counts, ALICE)
    assert not admitted(counts, ALICE)
    assert admitted(counts, BOB)
    assert (counts.wait(ALICE), counts.wait(BOB), counts.wait(3)) == (60, 60, 0)


def test_so_many_callers_are_counted_at_a_time_and_no_more(time: TurnableClock) -> None:
    """T33: at the bound and one past it; a flood from millions of networks changes nothing."""
    assert MAX_CALLERS == 16_384
    counts = Counts(MINUTE, time.clock)
    tracemalloc.start()
    try:
        for caller in range(MAX_CALLERS):
            counts.add((1 << 64) + (caller << 20))
        assert len(counts) == MAX_CALLERS
        for caller in range(MAX_CALLERS, 3 * MAX_CALLERS):
            counts.add((1 << 64) + (caller << 20))
            assert len(counts) == MAX_CALLERS
        assert tracemalloc.get_traced_memory()[0] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_strangers_free_nobody_before_as_many_have_used_up_their_limits(time: TurnableClock) -> None:
    """T33: who would be forgotten first makes room; whoever has so many addresses has as many limits anyhow."""
    counts = Counts(MINUTE, time.clock, max_callers=100)
    while admitted(counts, ALICE):
        pass
    for stranger in range(1000, 20_000):
        counts.add(stranger)
    assert (len(counts), counts.left(ALICE)) == (100, 0)
    time.turn(1)
    for stranger in range(1000, 1099):
        while admitted(counts, stranger):
            pass
    assert (len(counts), counts.left(ALICE)) == (100, 0)
    counts.add(1099)
    assert (len(counts), counts.left(ALICE), counts.left(1000)) == (100, MINUTE.at_once, 0)


def test_a_newcomer_is_counted_where_all_others_have_done_more(time: TurnableClock) -> None:
    """Or a full memory would be no limit at all for whoever comes then."""
    counts = Counts(MINUTE, time.clock, max_callers=100)
    for _ in range(3):
        for stranger in range(1000, 1100):
            counts.add(stranger)
    assert sum(admitted(counts, ALICE) for _ in range(20)) == MINUTE.at_once


def test_who_has_stopped_makes_room_for_two(time: TurnableClock) -> None:
    """What a flood has left is taken away by those who come after it."""
    counts = Counts(MINUTE, time.clock)
    for caller in range(1000):
        counts.add(caller)
    time.turn(60)
    for caller in range(1000, 1500):
        counts.add(caller)
    assert len(counts) == 500


def test_one_that_was_counted_often_is_forgotten_when_the_last_is_given_back(time: TurnableClock) -> None:
    """And not when the first is."""
    counts = Counts(RateLimit(3, per=60), time.clock)
    counts.add(ALICE)
    time.turn(29)
    counts.add(ALICE)
    time.turn(30)
    counts.add(BOB)
    assert (len(counts), counts.left(ALICE)) == (2, 1)
    time.turn(1)
    counts.add(3)
    assert (len(counts), counts.left(ALICE)) == (2, 2)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        pytest.param("20/60s", MINUTE, id="seconds"),
        pytest.param("20/1m", MINUTE, id="minutes"),
        pytest.param("100/1h", RateLimit(100, per=3600), id="hours"),
        pytest.param("1/1s", RateLimit(1, per=1), id="the least"),
        pytest.param("1000000/24h", RateLimit(MOST, per=LONGEST), id="the most"),
        pytest.param("0020/060s", MINUTE, id="zeros in front"),
    ],
)
def test_a_rate_is_written_as_a_number_and_a_time(text: str, rate: RateLimit) -> None:
    """docs/settings.md."""
    assert RateLimit.parse(text) == rate


FORM = "RateLimit must be written as 20/60s, 20/1m or 100/1h"
BOUNDS = {name: f"RateLimit needs a whole number from 1 to {most} as {name}" for name, most in
          (("limit", 1_000_000), ("per", 86_400))}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        *(
            pytest.param(text, FORM, id=repr(text))
            for text in (
                "", "20", "20/60", "20/s", "20/m", "/60s", "20/60s ", " 20/60s", "20 / 60 s", "20/60S", "20/60s\n",
                "-20/60s", "+20/60s", "2e1/60s", "20.0/60s", "20/0.5m", "20/1d", "20:60s", "٢٠/٦٠s", "10000000/1s",
                "1/100000s", "20/60s,20/60s", "true", "off",
            )
        ),
        pytest.param("0/60s", BOUNDS["limit"], id="none"),
        pytest.param("1000001/60s", BOUNDS["limit"], id="one past the most"),
        pytest.param("20/0s", BOUNDS["per"], id="at no time"),
        pytest.param("20/25h", BOUNDS["per"], id="longer than a day"),
    ],
)  # fmt: skip
def test_what_is_written_otherwise_ends_the_start_and_is_not_quoted(text: str, sentence: str) -> None:
    """DESIGN §5: one sentence, and the cure; there is no number that means no limit."""
    with pytest.raises(ConfigurationError) as caught:
        RateLimit.parse(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("limit", "per", "name"),
    [(0, 60, "limit"), (True, 60, "limit"), (20.0, 60, "limit"), (20, 0, "per"), (20, 0.5, "per"), (20, "60", "per")],
    ids=str,
)
def test_a_rate_of_no_whole_numbers_is_none(limit: object, per: object, name: str) -> None:
    """In a program, too."""
    with pytest.raises(ConfigurationError) as caught:
        RateLimit(limit, per=per)  # type: ignore[arg-type]
    assert str(caught.value) == BOUNDS[name]


@settings(deadline=None, max_examples=500)
@given(st.one_of(st.text(max_size=12), st.text("0123456789/smh", max_size=12)))
def test_a_text_is_a_rate_or_ends_the_start(text: str) -> None:
    """Whatever an environment holds: no other exception, and what is read is written alike."""
    try:
        rate = RateLimit.parse(text)
    except ConfigurationError:
        return
    assert 1 <= rate.limit <= MOST
    assert 1 <= rate.per <= LONGEST
    assert RateLimit.parse(str(rate)) == rate


@given(rates)
def test_a_rate_can_be_read_again(rate: RateLimit) -> None:
    """`config show` prints what can be set."""
    assert RateLimit.parse(str(rate)) == rate
    assert rate.at_once + rate.steps - 1 == rate.limit
