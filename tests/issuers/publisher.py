"""A scripted ``fetch``: what an issuer publishes, and how often it was asked."""

import asyncio
from typing import Any

from resource_server.development.minting import SigningKey
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.keys import IssuerKeys
from tests.turnable_clock import TurnableClock

URL = "https://id.example.com"


class Publisher:
    """Answers every request with the document, or raises it."""

    def __init__(self, *keys: SigningKey) -> None:
        self.answer: Any = None
        self.lifetime: float | None = None
        """Seconds that Cache-Control allows."""
        self.fetches = 0
        self.addresses: set[str] = set()
        """What was fetched."""
        self.open = asyncio.Event()
        """Cleared, it keeps every request waiting."""
        self.open.set()
        self.publish(*keys)

    def publish(self, *keys: SigningKey) -> None:
        """Rotate: from now on these are the issuer's keys."""
        self.answer = {"keys": [key.public_jwk for key in keys]}

    def fail(self) -> None:
        """The issuer is down."""
        self.answer = FetchError("status 500")

    async def __call__(self, url: str) -> Fetched:
        """Be fetched."""
        self.fetches += 1
        self.addresses.add(url)
        answer = self.answer
        await self.open.wait()
        if isinstance(answer, BaseException):
            raise answer
        return Fetched(answer, self.lifetime)


def issuer_keys(publisher: Publisher, time: TurnableClock, *, workers: int = 1, **options: Any) -> IssuerKeys:
    """The keys of an issuer that publishes so; nothing is fetched yet, and chance never shortens a wait."""
    issuer = Issuer(url=URL, audience="https://api.example.com", jwks_uri=URL + "/keys", **options)
    return IssuerKeys(issuer, clock=time.clock, fetch=publisher, workers=workers, chance=lambda: 0.0)


async def known_keys(publisher: Publisher, time: TurnableClock, **options: Any) -> IssuerKeys:
    """The same, fetched once."""
    keys = issuer_keys(publisher, time, **options)
    await keys.refresh()
    return keys
