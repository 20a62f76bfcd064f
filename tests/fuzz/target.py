"""What is fuzzed: a function of bytes that raises for a finding and for nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

Check = Callable[[bytes], None]
Mutate = Callable[[bytes, int, int], bytes]


class Finding(AssertionError):  # noqa: N818 - what it is
    """The code under test did something that its contract forbids."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to fuzz."""

    check: Check
    """Every exception that leaves it is a finding: it catches those that are documented."""
    mutate: Mutate | None = None
    """Makes an input into another of at most so many bytes, for a seed; bytes are flipped where there is none."""
    max_length: int = 4096
    words: tuple[bytes, ...] = ()
    """What the fuzzer may insert."""


def demand(holds: object, what: str) -> None:
    """Raise a finding unless something holds."""
    if not holds:
        raise Finding(what)
