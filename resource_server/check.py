"""One line of an explanation or of a diagnosis: what was found, what was expected, what to change."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """What one check has found. Its texts may quote others: whoever prints them escapes what a terminal obeys."""

    name: str
    passed: bool
    found: str = ""
    expected: str = ""
    cure: str = ""
    warning: bool = False
    """It passed, and deserves attention all the same."""
