"""What an opaque token costs once it is remembered, and how many questions a crowd of callers causes."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from resource_server import Issuer
from resource_server.fastapi import ResourceServer
from resource_server.issuers.client_authentication import SecretBasic
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.introspection_endpoint import Answered
from resource_server.testing import FakeIssuer
from tests.benchmarks.measuring import Pace, drive, interleave, repeat
from tests.benchmarks.section import Goal, Section
from tests.benchmarks.tokens import CLAIMS, scope_of

CALLERS: Final = 1000
MANY: Final = 100
ROUND_TRIP: Final = 0.005
"""Seconds that the endpoint takes: long enough for all callers to come meanwhile."""

JWT: Final = "a remembered JWT"
OPAQUE: Final = "a remembered opaque token"


class Endpoint:
    """Says the same of every token, and counts the questions."""

    def __init__(self, issuer: FakeIssuer, seconds: float = 0.0) -> None:
        self._content = json.dumps({"active": True, "token_type": "Bearer", **_claims(issuer)}).encode()
        self._seconds = seconds
        self.questions = 0

    async def __call__(self, url: str, form: dict[str, str], headers: dict[str, str]) -> Answered:
        """Answer after a while."""
        self.questions += 1
        if self._seconds:
            await asyncio.sleep(self._seconds)
        return Answered(200, "application/json", self._content)

    async def aclose(self) -> None:
        """Nothing is kept."""


def _claims(issuer: FakeIssuer) -> dict[str, Any]:
    return issuer.mint.claims(exp=int(issuer.mint.clock()) + 7200, **CLAIMS)


def asking(issuer: FakeIssuer, endpoint: Endpoint) -> ResourceServer:
    """A resource server for tokens of both formats, which remembers answers for as long as may be."""
    asked = Introspection(endpoint=f"{issuer.url}/introspect", client=SecretBasic("api", "secret"), ttl=600)
    trusted = Issuer(url=issuer.url, audience=issuer.audience, introspection=asked)
    return ResourceServer(trusted, fetch=issuer.fetch, post=endpoint, observers=())


def questions(different: int) -> int:
    """How often the endpoint is asked when all callers come at once, with so many different tokens."""
    issuer = FakeIssuer()
    endpoint = Endpoint(issuer, ROUND_TRIP)
    server = asking(issuer, endpoint)
    scopes = [scope_of(f"opaque-token-{number % different}") for number in range(CALLERS)]

    async def come() -> None:
        for number, scope in enumerate(scopes):  # 128 questions of one address are the bound
            scope["client"] = (f"192.0.2.{number % 250}", 50000)
        await asyncio.gather(*(server.protector.protect(scope) for scope in scopes))

    asyncio.run(come())
    return endpoint.questions


def _recall(protect: Any, scope: dict[str, Any]) -> None:
    drive(protect(scope))


def measure(pace: Pace, counts: Sequence[int] = (1, MANY)) -> list[Section]:
    """Measure both formats in the same rounds, with one server; then count."""
    issuer = FakeIssuer(algorithm="RS256")
    server = asking(issuer, Endpoint(issuer))
    protect: Any = server.protector.protect
    scopes = {JWT: scope_of(issuer.mint.access_token(**_claims(issuer))), OPAQUE: scope_of("o" * 43)}
    for scope in scopes.values():
        asyncio.run(protect(scope))
    times = interleave({name: repeat(partial(_recall, protect, scope)) for name, scope in scopes.items()}, pace)
    share = times.ratio(JWT, OPAQUE)
    asked = {different: questions(different) for different in counts}
    table = [[JWT, f"{times.microseconds(JWT):.1f} µs"], [OPAQUE, f"{times.microseconds(OPAQUE):.1f} µs"]]
    goals = [Goal(f"{OPAQUE}, against a remembered JWT", share, 0.95, at_most=False)]
    for different, count in asked.items():
        tokens = "one token" if different == 1 else f"{different} tokens"
        what = f"questions that {CALLERS:,} callers at once cause with {tokens}"
        table.append([what, str(count)])
        goals.append(Goal(f"introspection: {what}", count, different, unit=""))
    note = (
        "In process, from the request's headers on, by one resource server that takes both formats; CPU time. The "
        "questions are those to an endpoint that takes 5 ms, while nothing is remembered yet."
    )
    return [Section("Opaque tokens", note, ["", "measured"], table, goals)]
