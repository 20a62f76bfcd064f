"""The observer behind the page of refusals: what it keeps, counts and leaves out, and that it stays small."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from resource_server import Kind, Refusal
from resource_server.observers.recent import MAX_REFUSALS, SLICE, RecentRefusals
from resource_server.testing import make_token
from tests.observers.decisions import decision
from tests.turnable_clock import START, TurnableClock

KEY = b"k" * 32


@pytest.fixture
def recent(time: TurnableClock) -> RecentRefusals:
    return RecentRefusals(KEY, clock=time.clock)


def refuse(recent: RecentRefusals, kind: Kind, at: float = START, **facts: Any) -> None:
    recent(decision(time=at, refusal=Refusal(kind, facts.pop("reason", "")), **facts))


def test_a_refusal_is_kept_with_what_an_operator_asks_for(recent: RecentRefusals) -> None:
    """DESIGN §1: why does my partner get 401? T10: 16 hexadecimal digits of a keyed digest."""
    token = make_token(issuer="https://id.example.com", subject="alice", client_id="partner")
    facts: dict[str, Any] = {"route": "/orders/{id}", "client": "192.0.2.7", "token": token, "digest": b"d" * 32}
    refuse(recent, Kind.EXPIRED, reason="since 40 s", **facts)
    assert recent.since() == [
        {
            "number": 1,
            "time": "2027-01-15T08:00:00.000+00:00",
            "status": 401,
            "kind": "expired",
            "reason": "since 40 s",
            "method": "GET",
            "route": "/orders/{id}",
            "client": "192.0.2.7",
            "issuer": "https://id.example.com",
            "client_id": "partner",
            "token": hmac.new(KEY, b"d" * 32, hashlib.sha256).hexdigest()[:16],
        }
    ]


def test_no_user_s_name_is_kept(recent: RecentRefusals) -> None:
    """T35, T36: who a client is, is told; whom it acts for, is not."""
    refuse(recent, Kind.MISSING_ROLE, token=make_token(subject="alice"))
    assert "alice" not in json.dumps(recent.since())


def test_a_grant_is_counted_and_not_listed(recent: RecentRefusals) -> None:
    """What went well is nobody's business but a number's."""
    recent(decision(route="/orders", token=make_token()))
    assert recent.since() == []
    assert recent.counts() == [{"minutes": minutes, "granted": 1, "refused": {}} for minutes in (1, 15, 60)]


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "a\nb", "\u200bx", "\udcff"])
def test_what_a_reader_would_not_see_is_escaped(recent: RecentRefusals, text: str) -> None:
    """T35: ESC, U+202E and their like, wherever a claim may carry them."""
    token = make_token(client_id=text, issuer=text)
    refuse(recent, Kind.EXPIRED, reason=text, method=text, client=text, token=token)
    [kept] = recent.since()
    for name in ("reason", "method", "client", "client_id", "issuer"):
        assert kept[name].isprintable()
        assert kept[name] == text.encode("unicode_escape").decode() or "\\u" in kept[name] or "\\x" in kept[name]


def test_markup_is_kept_as_the_text_it_is(recent: RecentRefusals) -> None:
    """T36: the page sets it as text; escaping here would show the wrong letters there."""
    refuse(recent, Kind.WRONG_AUDIENCE, reason="aud is <img src=x onerror=alert(1)>")
    assert recent.since()[0]["reason"] == "aud is <img src=x onerror=alert(1)>"


def test_long_text_is_cut(recent: RecentRefusals) -> None:
    """T35: 256 characters of a stranger's text, and no more."""
    refuse(recent, Kind.WRONG_AUDIENCE, reason="x" * 100_000)
    assert len(recent.since()[0]["reason"]) == 256


def test_the_last_five_hundred_are_kept_newest_first(recent: RecentRefusals) -> None:
    """A flood takes no memory; the bound, and one past it."""
    for _ in range(MAX_REFUSALS):
        refuse(recent, Kind.NO_CREDENTIALS)
    assert [recent.since()[place]["number"] for place in (0, -1)] == [MAX_REFUSALS, 1]
    refuse(recent, Kind.NO_CREDENTIALS)
    assert (len(recent.since()), recent.since()[-1]["number"]) == (MAX_REFUSALS, 2)


def test_those_after_one_are_found(recent: RecentRefusals) -> None:
    """What a stream has to send."""
    for _ in range(3):
        refuse(recent, Kind.NO_CREDENTIALS)
    assert [one["number"] for one in recent.since(1)] == [3, 2]
    assert recent.since(3) == []


@pytest.mark.parametrize(
    ("age", "counted"),
    [
        pytest.param(0, [1, 1, 1], id="now"),
        pytest.param(60, [1, 1, 1], id="a-minute"),
        pytest.param(60 + SLICE, [0, 1, 1], id="more-than-a-minute"),
        pytest.param(900 + SLICE, [0, 0, 1], id="more-than-a-quarter"),
        pytest.param(3600, [0, 0, 1], id="an-hour"),
        pytest.param(3600 + SLICE, [0, 0, 0], id="more-than-an-hour"),
    ],
)
def test_a_decision_is_counted_for_so_many_minutes(
    recent: RecentRefusals, time: TurnableClock, age: float, counted: list[int]
) -> None:
    """The windows of the page, each to its slice."""
    refuse(recent, Kind.EXPIRED, time.wall)
    time.turn(age)
    assert [one["refused"].get("expired", 0) for one in recent.counts()] == counted


def test_the_most_frequent_kind_comes_first(recent: RecentRefusals) -> None:
    """What the chart shows at the top."""
    for kind in (Kind.EXPIRED, Kind.NO_CREDENTIALS, Kind.NO_CREDENTIALS):
        refuse(recent, kind)
    assert list(recent.counts()[0]["refused"].items()) == [("no_credentials", 2), ("expired", 1)]


def test_counting_every_kind_for_a_day_takes_no_more_than_an_hour_of_it(
    recent: RecentRefusals, time: TurnableClock
) -> None:
    """A flood of distinct kinds: there are as many numbers as kinds for each slice of an hour, and no more."""
    slices = timedelta(hours=3) // timedelta(seconds=SLICE)
    for _ in range(slices):
        for kind in Kind:
            refuse(recent, kind, time.wall)
        time.turn(SLICE)
    assert sum(len(counted) for _, counted in recent._slices) <= (3600 // SLICE + 1) * len(Kind)
    assert len(recent._slices) == 3600 // SLICE + 1


def test_a_clock_that_is_set_back_loses_nothing_and_adds_no_slices(recent: RecentRefusals) -> None:
    """T12: an administrator's hand; what comes then is counted in the newest slice."""
    for at in (START, START - 10_000, START - 20_000):
        refuse(recent, Kind.EXPIRED, at)
    assert (len(recent._slices), recent.counts()[0]["refused"]) == (1, {"expired": 3})


def test_a_random_key_is_taken_where_none_is_given() -> None:
    """T10: two processes' digests of one token can't be compared unless somebody meant them to be."""
    digests = []
    for recent in (RecentRefusals(), RecentRefusals()):
        refuse(recent, Kind.EXPIRED, digest=b"d" * 32)
        digests.append(recent.since()[0]["token"])
    assert digests[0] != digests[1]
