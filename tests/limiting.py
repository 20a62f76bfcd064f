"""A limit of failed authentications in front of a scripted validator, and requests to it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

from resource_server import Kind, RateLimit, Refusal
from resource_server.credentials import Credentials
from resource_server.failed_authentications import FailedAuthentications
from resource_server.testing import make_token
from resource_server.verified import ALWAYS_CURRENT, VerifiedToken
from tests.turnable_clock import TurnableClock

RATE = RateLimit(20, per=60)
STRANGER, NEIGHBOUR = "198.51.100.7", "198.51.100.8"
PROXY = "10.0.0.1"


class Judge:
    """A validator that knows which tokens are good, keeps what it was asked, and may be kept waiting."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.outcome: Callable[[str], Kind | Exception | None] = lambda token: (
            None if token.startswith("good") else Kind.BAD_SIGNATURE
        )
        self.open = asyncio.Event()
        self.open.set()

    async def validate(self, credentials: Credentials, client: str | None = None) -> VerifiedToken:
        self.asked.append(credentials.token)
        await self.open.wait()
        outcome = self.outcome(credentials.token)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None:
            raise Refusal(outcome)
        token = replace(make_token(), claims={"jti": credentials.token})
        return VerifiedToken(token, 30.0, ALWAYS_CURRENT, 0, "")


class Limited:
    """A limit in front of a judge, and requests to it."""

    def __init__(self, time: TurnableClock, rate: RateLimit = RATE, *, proxy: str | None = None) -> None:
        self.judge = Judge()
        self.time = time
        is_proxy = None if proxy is None else (lambda address: address == ip_address(proxy))
        self.limit = FailedAuthentications(self.judge, rate, time.clock, is_proxy=is_proxy)

    async def refusal(self, token: str, client: str | None = STRANGER) -> Refusal | None:
        try:
            verified = await self.limit.validate(Credentials("Bearer", token, token.encode()), client)
        except Refusal as refused:
            return refused
        assert verified.token.claims["jti"] == token
        return None

    async def kind(self, token: str, client: str | None = STRANGER) -> Kind | None:
        refused = await self.refusal(token, client)
        return refused.kind if refused is not None else None

    async def flood(self, requests: int, client: str | None = STRANGER) -> list[Kind | None]:
        """Guesses, one after the other, each another one."""
        return [await self.kind(f"guess-{len(self.judge.asked)}-{number}", client) for number in range(requests)]

    def come(self, *tokens: str, client: str = STRANGER) -> "list[asyncio.Task[Kind | None]]":
        """Requests at one time."""
        return [asyncio.create_task(self.kind(token, client)) for token in tokens]


async def settle() -> None:
    """Until all that can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)
