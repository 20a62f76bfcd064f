"""What observers are told: one decision a request, without a byte of a token."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from resource_server.access_token import AccessToken
from resource_server.refusals import TABLE, Kind, Refusal


@dataclass(frozen=True, slots=True)
class Decision:
    """The end of the path for one request: granted, or refused with a kind."""

    time: float
    """Seconds since the epoch."""
    duration: float
    """Seconds that the decision took."""
    method: str
    route: str | None
    """The route's template, never its path; None where no route was matched."""
    client: str | None
    """The caller's address, seen through trusted proxies only."""
    token: AccessToken | None
    """Only where it was verified; an unverified token says nothing worth writing down."""
    digest: bytes | None = field(repr=False)
    """SHA-256 of the token: to be keyed before it leaves the process."""
    refusal: Refusal | None = None

    @property
    def kind(self) -> Kind | None:
        """Why it was refused; None where it was granted."""
        return self.refusal.kind if self.refusal else None

    @property
    def status(self) -> int | None:
        """The status of the refusal."""
        return TABLE[self.refusal.kind].status if self.refusal else None


class Observer(Protocol):
    """Is told of every decision, once. Never asked, so it can't change one.

    One whose attribute ``refusals_only`` is true is told of refusals alone, and costs a granted request nothing.
    """

    def __call__(self, decision: Decision, /) -> Any:
        """Take note. Must not block; what it raises is logged and goes no further."""
        ...
