"""What has been found about one issuer, check by check."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from resource_server.check import Check

LONGEST_QUOTE: Final = 200
"""Characters of another's text; more are cut."""


class Outcome(StrEnum):
    """The worst that was found, the worst last."""

    FINE = "fine"
    WARNING = "warning"
    UNREACHABLE = "unreachable"
    """The issuer could not be asked, and nothing else is wrong; it may be fine in a minute."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All checks of one issuer, in the order of the walk."""

    issuer: str
    outcome: Outcome
    checks: tuple[Check, ...]

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


@dataclass(slots=True)
class Findings:
    """Where a diagnosis is written down. What others said is quoted as it is, but never at any length."""

    checks: list[Check] = field(default_factory=list)
    _wrong: bool = False
    _unreachable: bool = False

    def fine(self, name: str, found: str) -> None:
        """Something is as it should be, or is only told."""
        self.checks.append(Check(name, passed=True, found=found))

    def warn(self, name: str, found: str, *, expected: str = "", cure: str) -> None:
        """Something works, and deserves attention."""
        self.checks.append(Check(name, passed=True, found=found, expected=expected, cure=cure, warning=True))

    def wrong(self, name: str, found: str, *, expected: str = "", cure: str, unreachable: bool = False) -> None:
        """Something keeps good tokens out, or lets bad ones in; ``unreachable``: the issuer could not be asked."""
        self.checks.append(Check(name, passed=False, found=found, expected=expected, cure=cure))
        self._wrong |= not unreachable
        self._unreachable |= unreachable

    def of(self, issuer: str) -> Diagnosis:
        """The diagnosis."""
        outcome = Outcome.WARNING if any(check.warning for check in self.checks) else Outcome.FINE
        outcome = Outcome.UNREACHABLE if self._unreachable else outcome
        return Diagnosis(issuer, Outcome.WRONG if self._wrong else outcome, tuple(self.checks))


def quoted(value: object) -> str:
    """Another's text, cut; of what is no text, its JSON type's name at most."""
    if not isinstance(value, str):
        return "(none)" if value is None else "(no text)"
    if not value.strip():
        return "(empty)"
    return value if len(value) <= LONGEST_QUOTE else f"{value[:LONGEST_QUOTE]}…"
