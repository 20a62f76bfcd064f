"""The audit under load (threat T35): what a flood, or a reader that is stuck or gone, may cost."""

import hashlib
import json
import threading
from typing import Any

import pytest

from resource_server.observers.audit import Audit
from resource_server.observers.bounded_writer import BoundedWriter
from resource_server.refusals import Kind, Refusal
from tests.observers.conftest import KEY
from tests.observers.decisions import decision
from tests.observers.lines import Lines

DIGEST = hashlib.sha256(b"token").digest()


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
