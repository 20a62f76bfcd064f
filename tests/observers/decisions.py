"""Decisions as observers are told of them."""

from typing import Any

from resource_server.events import Decision
from tests.turnable_clock import START


def decision(**facts: Any) -> Decision:
    """Make one about which nothing is known but what the test says."""
    known: dict[str, Any] = {"time": START, "duration": 0.001, "method": "GET"}
    return Decision(**known | dict.fromkeys(("route", "client", "token", "digest")) | facts)
