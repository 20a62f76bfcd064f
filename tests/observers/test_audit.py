"""The audit (threats T35, T10): what is written about a refusal, what never is, and what a stuck reader may cost."""

import hashlib
import hmac
import io
import json
import threading
from typing import Any

import pytest

from resource_server.observers.audit import Audit
from resource_server.observers.bounded_writer import BoundedWriter
from resource_server.refusals import Kind, Refusal
from resource_server.testing import make_token
from tests.observers.decisions import decision

KEY = b"the key of this deployment"
DIGEST = hashlib.sha256(b"token").digest()


class Lines(io.StringIO):
    """A stream whose reader can be waited for, and can stop reading."""

    def __init__(self) -> None:
        super().__init__()
        self.read_on = threading.Event()
        self.read_on.set()
        self.reached = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.read_on.wait(10)
        return super().write(text)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def stream() -> Lines:
    return Lines()


@pytest.fixture
def audit(stream: Lines) -> Audit:
    return Audit(KEY, stream, clock=lambda: 0.0)


def test_a_refusal_is_one_line_of_json(audit: Audit, stream: Lines) -> None:
    """T35: fields of a refusal whose token was verified."""
    token = make_token(subject="alice", client_id="web", issuer="https://id.example.com")
    refusal = Refusal(Kind.INSUFFICIENT_SCOPE, "the token lacks orders:read")
    audit(decision(refusal=refusal, token=token, digest=DIGEST, client="192.0.2.7", route="/orders", method="GET"))
    audit.close()
    assert stream.getvalue().endswith("}\n")
    assert stream.lines == [
        {
            "time": "2027-01-15T08:00:00.000+00:00",
            "event": "refused",
            "status": 403,
            "kind": "insufficient_scope",
            "reason": "the token lacks orders:read",
            "method": "GET",
            "route": "/orders",
            "client": "192.0.2.7",
            "issuer": "https://id.example.com",
            "subject": "alice",
            "client_id": "web",
            "token": hmac.new(KEY, DIGEST, hashlib.sha256).hexdigest()[:16],
        }
    ]


def test_what_is_not_known_is_left_out(audit: Audit, stream: Lines) -> None:
    """T35: before the signature is verified nobody is named."""
    audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    audit.close()
    assert stream.lines == [
        {
            "time": "2027-01-15T08:00:00.000+00:00",
            "event": "refused",
            "status": 401,
            "kind": "no_credentials",
            "method": "GET",
        }
    ]


def test_a_grant_is_not_written(audit: Audit, stream: Lines) -> None:
    """The audit is of refusals."""
    audit(decision(refusal=None, token=make_token()))
    audit.close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "kind",
    [
        Kind.NO_CREDENTIALS,
        Kind.BAD_SIGNATURE,
        Kind.INSUFFICIENT_AUTHENTICATION,
        Kind.INSUFFICIENT_SCOPE,
        Kind.MISSING_ROLE,
        Kind.NETWORK,
        Kind.PLAIN_HTTP,
        Kind.RATE_LIMITED,
        Kind.ISSUER_UNAVAILABLE,
        Kind.STORE_UNAVAILABLE,
        Kind.HIDDEN,
        Kind.POLICY_ERROR,
    ],
)
def test_each_refusal_that_an_operator_has_to_know_of_is_written(audit: Audit, stream: Lines, kind: Kind) -> None:
    """401, 403, 429 and 503; a hidden resource and a requirement that failed are such refusals in disguise."""
    audit(decision(refusal=Refusal(kind, "why")))
    audit.close()
    assert [line["kind"] for line in stream.lines] == [kind.value]


def test_a_tokens_digest_is_sixteen_digits_that_another_key_changes(stream: Lines) -> None:
    """T10: nobody who reads the log can test a guess."""
    digests = []
    for key in (b"one", b"two", b"one"):
        line = Audit(key, stream).line(decision(refusal=Refusal(Kind.REVOKED), digest=DIGEST))
        digests.append(line["token"])
    assert digests[0] == digests[2] != digests[1]
    assert all(len(digest) == 16 and set(digest) <= set("0123456789abcdef") for digest in digests)
    assert DIGEST.hex()[:16] not in digests


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("\x1b[31m", r"\u001b[31m", id="a terminal's escape"),
        pytest.param("\u202e", r"\u202e", id="right to left override"),
        pytest.param("a\r\nb\u2028c", r"a\r\nb\u2028c", id="line ends"),
        pytest.param("é\U0001f600", r"\u00e9\ud83d\ude00", id="not ASCII"),
        pytest.param("\ud800", r"\ud800", id="a lone surrogate"),
        pytest.param('"}\n{"event":"x"', r"\"}\n{\"event\":\"x\"", id="JSON in JSON"),
        pytest.param("[red]", "[red]", id="markup is for renderers to escape"),
    ],
)
def test_text_is_escaped_to_ascii_on_one_line(audit: Audit, stream: Lines, text: str, written: str) -> None:
    """T35: ESC, U+202E, line ends."""
    audit(decision(refusal=Refusal(Kind.MISSING_ROLE, text), token=make_token(subject=text, client_id=text)))
    audit.close()
    raw = stream.getvalue()
    assert raw.isascii()
    assert raw.count("\n") == 1
    assert f'"subject": "{written}", "client_id": "{written}"' in raw
    assert f'"reason": "{written}"' in raw


def test_long_text_is_cut_to_256_characters(audit: Audit, stream: Lines) -> None:
    """T35, at the bound and one past it."""
    audit(decision(refusal=Refusal(Kind.MISSING_ROLE, "r" * 257), token=make_token(subject="s" * 256)))
    audit.close()
    [line] = stream.lines
    assert (line["reason"], line["subject"]) == ("r" * 256, "s" * 256)


def test_identical_refusals_of_one_address_are_written_ten_times_a_second_and_then_counted(
    audit: Audit, stream: Lines
) -> None:
    """T35: aggregated above 10/s, so that a stranger can't fill the disk."""
    for _ in range(25):
        audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS), client="192.0.2.7", route="/orders"))
    audit.close()
    assert [line["event"] for line in stream.lines] == ["refused"] * 10 + ["refused_more"]
    assert stream.lines[-1] == {
        "event": "refused_more",
        "count": 15,
        "client": "192.0.2.7",
        "kind": "no_credentials",
        "method": "GET",
        "route": "/orders",
    }


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"client": "192.0.2.8"}, id="another address"),
        pytest.param({"refusal": Refusal(Kind.EXPIRED)}, id="another kind"),
        pytest.param({"method": "POST"}, id="another method"),
        pytest.param({"route": "/users"}, id="another route"),
    ],
)
def test_other_refusals_are_not_counted_together(audit: Audit, stream: Lines, other: dict[str, Any]) -> None:
    """T35: a flood of one kind hides no other."""
    facts: dict[str, Any] = {"refusal": Refusal(Kind.NO_CREDENTIALS), "client": "192.0.2.7", "route": "/orders"}
    for _ in range(10):
        audit(decision(**facts))
    audit(decision(**facts | other))
    audit.close()
    assert [line["event"] for line in stream.lines] == ["refused"] * 11


def test_the_next_second_begins_with_a_clean_slate(stream: Lines) -> None:
    """T35: ten lines a second, not ten for ever."""
    seconds = [5.0]
    audit = Audit(KEY, stream, clock=lambda: seconds[0])
    for _ in range(12):
        audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS), client="192.0.2.7"))
    seconds[0] = 6.0
    audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS), client="192.0.2.7"))
    audit.close()
    told = [(line["event"], line.get("count")) for line in stream.lines]
    assert told == [("refused", None)] * 10 + [("refused_more", 2), ("refused", None)]


def test_a_thousand_addresses_are_told_apart_and_the_rest_are_counted_as_others(audit: Audit, stream: Lines) -> None:
    """T35: the counts themselves are bounded."""
    for number in range(1024 + 30):
        audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS), client=f"client {number}"))
    audit.close()
    assert [line["event"] for line in stream.lines] == ["refused"] * 1034 + ["refused_more"]
    assert stream.lines[-1] == {
        "event": "refused_more",
        "count": 20,
        "client": "(others)",
        "kind": "no_credentials",
    }


def test_a_reader_that_is_stuck_blocks_nobody_and_what_was_dropped_is_counted(audit: Audit, stream: Lines) -> None:
    """T35: a full pipe must not stop the requests."""
    stream.read_on.clear()
    audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS), client="first"))
    assert stream.reached.wait(10)
    for number in range(10_000 + 7):
        audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS), client=f"192.0.2.{number % 1_001}"))
    stream.read_on.set()
    audit.close()
    assert [line["event"] for line in stream.lines] == ["refused", "audit_dropped"] + ["refused"] * 10_000
    assert stream.lines[1]["count"] == 7


def test_what_is_one_too_many_is_not_even_made() -> None:
    """T17, T35: a flood of forged tokens must not be made dear by what is written about it."""
    made: list[int] = []

    def make() -> dict[str, Any]:
        made.append(1)
        return {"event": "refused"}

    writer = BoundedWriter(lambda record: None, clock=lambda: 0.0)
    for _ in range(1_000):
        writer.put(("192.0.2.7", "bad_signature", "GET", "/"), make)
    writer.close()
    assert len(made) == 10


def test_a_stream_that_is_closed_stops_nothing() -> None:
    """T35: no exception of the log reaches a request, and the thread goes on."""
    stream = Lines()
    audit = Audit(KEY, stream)
    stream.close()
    audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    audit.close()


class Broken(Lines):
    """A stream that takes nothing until it is mended."""

    is_broken = True

    def write(self, text: str) -> int:
        if self.is_broken:
            raise BrokenPipeError
        return super().write(text)


def test_what_a_broken_stream_lost_is_counted_until_it_can_be_told() -> None:
    """T35: drops and counts; the count itself is not lost with the line that would have told it."""
    stream, seconds = Broken(), [1.0]
    audit = Audit(KEY, stream, clock=lambda: seconds[0])
    for _ in range(13):
        audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    audit.close()
    stream.is_broken = False
    seconds[0] = 9.0
    audit(decision(refusal=Refusal(Kind.EXPIRED)))
    audit.close()
    assert [(line["event"], line.get("count")) for line in stream.lines] == [("audit_dropped", 13), ("refused", None)]


class Noticing(Lines):
    """A stream that says when a flood's count has been written."""

    def __init__(self) -> None:
        super().__init__()
        self.told = threading.Event()

    def write(self, text: str) -> int:
        size = super().write(text)
        if "refused_more" in text:
            self.told.set()
        return size


def test_a_flood_is_counted_when_it_is_over_though_nothing_follows_it() -> None:
    """T35: the operator does not wait for the next refusal to learn how many there were."""
    stream, seconds = Noticing(), [1.0]
    audit = Audit(KEY, stream, clock=lambda: seconds[0])
    for _ in range(12):
        audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    seconds[0] = 2.0
    assert stream.told.wait(10)
    audit.close()
    assert stream.lines[-1]["count"] == 2


def test_a_process_can_end_though_the_reader_is_stuck_and_the_queue_is_full(audit: Audit, stream: Lines) -> None:
    """T35: a full pipe holds up no shutdown."""
    stream.read_on.clear()
    for number in range(10_000 + 2):
        audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS), client=str(number % 1_001)))
    audit.close()
    assert stream.getvalue() == ""
    stream.read_on.set()


def test_standard_output_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    audit = Audit(KEY)
    audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    audit.close()
    assert json.loads(capsys.readouterr().out)["kind"] == "no_credentials"
