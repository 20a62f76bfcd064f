"""The dearest work that a stranger can cause with one request: forged tokens, a different one each time (T17)."""

import asyncio
import contextlib
import itertools
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from resource_server import Issuer
from resource_server.development.minting import Mint, SigningKey
from resource_server.fastapi import ResourceServer
from resource_server.issuers.algorithms import DEFAULT
from resource_server.issuers.fetch import Fetched
from resource_server.refusals import Refusal
from tests.benchmarks.measuring import Batch, Pace, interleave, repeat, repeat_async
from tests.benchmarks.section import Goal, Section
from tests.benchmarks.tokens import CLAIMS, floor, scope_of

URL, AUDIENCE = "https://id.example.com", "https://api.example.com"
MARK = "1234567890"
"""Stands in the middle of a signature, where a counter takes its place."""

PAYLOADS = {
    "twenty claims": CLAIMS,
    "15 KiB of text": {"note": "x" * 10_500},
    "250 members and numbers": {f"member_{number}": number + 0.5 for number in range(240)},
    "depth 25, escapes and commas": {"note": 'é, "[{' * 600, "deep": json.loads("[" * 25 + "]" * 25)},
}


def forged(token: str) -> Iterator[dict[str, Any]]:
    """Scopes with that token, the signature of each another one, and none of them good."""
    head, _, signature = token.rpartition(".")
    at = len(signature) // 2
    before, after = f"{head}.{signature[:at]}", signature[at + len(MARK) :]
    for number in itertools.count(secrets.randbelow(10**6)):
        yield scope_of(f"{before}{number:010d}{after}")


def refuse(server: ResourceServer, token: str) -> Callable[[], Awaitable[object]]:
    """Let a server refuse a new forgery each time. What makes it is a part of what is measured: about 1 µs."""
    scopes, protect = forged(token), server.protector.protect

    async def call() -> None:
        with contextlib.suppress(Refusal):
            await protect(next(scopes))
            raise AssertionError("a forgery was accepted")

    return call


def measure(pace: Pace) -> list[Section]:
    """Measure forgeries of each algorithm that is allowed by default, with payloads of several kinds."""
    mint = Mint(URL, [SigningKey.generate(name) for name in DEFAULT], audience=AUDIENCE)

    async def fetch(url: str) -> Fetched:
        return Fetched(mint.jwks())

    trusted = Issuer(url=URL, audience=AUDIENCE, jwks_uri=f"{URL}/jwks")
    server = ResourceServer(trusted, fetch=fetch)
    loop = asyncio.new_event_loop()  # a token with an unknown kid may cause a fetch
    loop.run_until_complete(server.protector.protect(scope_of(mint.access_token())))
    rows: dict[str, Batch] = {}
    for key in mint.keys:
        jwks = {"keys": [key.public_jwk]}
        rows[f"floor/{key.algorithm}"] = repeat(floor(key.algorithm, jwks, mint.access_token(key=key, **CLAIMS)))
        for name, claims in PAYLOADS.items():
            token = mint.access_token(key=key, **claims)
            rows[f"{key.algorithm}/{name}"] = repeat_async(loop, refuse(server, token))
    stranger = SigningKey.generate("EdDSA", kid="unknown")
    rows["unknown kid/twenty claims"] = repeat_async(loop, refuse(server, mint.access_token(key=stranger, **CLAIMS)))
    times = interleave(rows, pace)
    loop.close()
    dearest = max((row for row in times if row.startswith("floor/")), key=times.microseconds)
    ratios = {row: times.ratio(row, dearest) for row in times if not row.startswith("floor/")}
    worst = max(ratios, key=lambda row: ratios[row])
    goal = Goal(f"the dearest forged token ({worst.replace('/', ', ')}), against the dearest floor", ratios[worst], 1.5)
    sources = list(dict.fromkeys(row.partition("/")[0] for row in ratios))
    table = [
        [one, *(f"{ratios[f'{one}/{name}']:.2f}" if f"{one}/{name}" in ratios else "–" for name in PAYLOADS)]
        for one in sources
    ]
    note = (
        "Each request bears a forgery of its own, and is refused from its headers on. The figures are multiples of the "
        f"dearest signature check that is allowed by default, {dearest.partition('/')[2]}: "
        f"{times.microseconds(dearest):.0f} µs."
    )
    return [Section("What a forged token costs", note, ["forged", *PAYLOADS], table, [goal])]
