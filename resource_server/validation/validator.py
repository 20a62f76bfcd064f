"""The one method of station 2: how a token becomes verified facts, whatever its format."""

from typing import Protocol

from resource_server.credentials import Credentials
from resource_server.verified import VerifiedToken


class TokenValidator(Protocol):
    """Verifies an access token."""

    async def validate(self, credentials: Credentials, client: str | None = None) -> VerifiedToken:
        """Answer the facts, or raise :class:`~resource_server.refusals.Refusal`. ``client`` is the caller's address."""
        ...
