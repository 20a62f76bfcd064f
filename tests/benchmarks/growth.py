"""What grows with what: time and memory for many keys, many issuers and many remembered tokens."""

import asyncio
import gc
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from resource_server import Issuer
from resource_server.clock import Clock
from resource_server.credentials import Credentials, credential_fields, extract
from resource_server.development.minting import Mint, SigningKey
from resource_server.fastapi import ResourceServer
from resource_server.issuers.fetch import Fetched
from resource_server.validation import claims
from resource_server.validation.claims import ClaimRules
from resource_server.validation.strict_json import parse_object
from resource_server.verified import VerifiedToken, VerifiedTokens
from tests.benchmarks.measuring import ROOT, Batch, Pace, Times, drive, interleave, repeat
from tests.benchmarks.section import Goal, Section
from tests.benchmarks.tokens import CLAIMS, scope_of

URL, AUDIENCE = "https://id.example.com", "https://api.example.com"
REMEMBERED: Final = (10, 1_000, 100_000, 1_000_000)
MANY: Final = 1000
PROBES: Final = 1009
"""Tokens that are asked for in turn; a prime, so that they lie apart."""


def measure(pace: Pace, remembered: tuple[int, ...] = REMEMBERED, many: int = MANY) -> list[Section]:
    """Measure keys in this process, and remembered tokens in one that ends afterwards and gives the memory back."""
    keys = _section_of_keys(_keys(pace, many), many)
    command = [sys.executable, "-m", "tests.benchmarks.growth", str(pace.rounds), str(pace.seconds)]
    done = subprocess.run([*command, *map(str, remembered)], stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return [keys, _section_of_tokens(json.loads(done.stdout))]


def _keys(pace: Pace, many: int) -> Times:
    """One issuer with many keys, and many issuers with one."""
    keys = [SigningKey.generate("ES256") for _ in range(many)]
    mints = [Mint(URL, keys[:1], audience=AUDIENCE), Mint(URL, keys, audience=AUDIENCE)]
    rows = {f"{len(mint.keys):,} keys": _row([mint]) for mint in mints}
    other = [Mint(f"https://id{number}.example.com", [keys[number]], audience=AUDIENCE) for number in range(many)]
    rows |= {f"{len(some):,} issuers": _row(some) for some in (other[:1], other)}
    return interleave(rows, pace)


def _row(mints: Sequence[Mint]) -> Batch:
    """Validate a token of the issuer and the key that are in the middle."""
    by_uri = {f"{mint.issuer}/jwks": mint for mint in mints}

    async def fetch(url: str) -> Fetched:
        return Fetched(by_uri[url].jwks())

    issuers = [
        Issuer(url=mint.issuer, audience=AUDIENCE, jwks_uri=uri, grants="everything") for uri, mint in by_uri.items()
    ]
    server = ResourceServer(*issuers, fetch=fetch)
    mint = mints[len(mints) // 2]
    scope = scope_of(mint.access_token(key=mint.keys[len(mint.keys) // 2], **CLAIMS))
    asyncio.run(server.protector.protect(scope))
    return repeat(partial(_validate, server.protector, extract(scope, credential_fields(scope))))


def _validate(protector: Any, credentials: Credentials) -> None:
    drive(protector._validator.validate(credentials))


def _section_of_keys(times: Times, many: int) -> Section:
    names = list(times)
    pairs = [(names[0], names[0]), (names[1], names[0]), (names[2], names[2]), (names[3], names[2])]
    rows = [[row, f"{times.microseconds(row):.1f}", f"{times.ratio(row, one):.2f}"] for row, one in pairs]
    note = "A fresh token of ES256: its issuer is found by name and its key by kid, however many there are."
    goals = [
        Goal(f"growth: a fresh token with {many:,} {what}, against one", times.ratio(row, one), 1.05)
        for what, (row, one) in (("keys", pairs[1]), ("issuers", pairs[3]))
    ]
    return Section("Growth: keys and issuers", note, ["", "µs", "× one"], rows, goals)


def _tokens(pace: Pace, counts: tuple[int, ...]) -> dict[str, Any]:
    """Fill memories of several sizes; to be run in a process of its own."""
    gc.disable()
    clock = Clock()
    source = _Source()
    rules = ClaimRules(issuer=URL, audience=frozenset({AUDIENCE}))
    signer = Mint(URL, audience=AUDIENCE, lifetime=7200)
    now = clock.wall()
    base = signer.claims(**CLAIMS)
    length = len(signer.sign(base))
    memories = {count: VerifiedTokens(counts[-1] * 32_768, clock) for count in counts}
    largest = memories[counts[-1]]
    before = _resident()
    for number in range(counts[-1]):
        payload = json.dumps({**base, "sub": f"user-{number}", "jti": f"token-{number}"}).encode()
        token = claims.read(parse_object(payload), rules, now, payload)
        digest = hashlib.sha256(str(number).encode()).digest()
        largest.put(digest, VerifiedToken(token, 30.0, source, 0, "thumbprint"), length)
    taken = (_resident() - before) / counts[-1]
    for count in counts[:-1]:
        for number in range(count):
            digest = hashlib.sha256(str(number).encode()).digest()
            found = largest.get(digest)
            assert found is not None
            memories[count].put(digest, found, length)
    gc.freeze()
    rows = {str(count): _hit(memory, count) for count, memory in memories.items()}
    times = interleave(rows, pace)
    return {
        "bytes": taken,
        "bound": largest.used / counts[-1],
        "length": length,
        "times": {row: [times.microseconds(row), times.ratio(row, str(counts[0]))] for row in rows},
    }


def _hit(memory: VerifiedTokens, count: int) -> Batch:
    """Ask for known tokens in turn."""
    digests = [hashlib.sha256(str(number * 997 % count).encode()).digest() for number in range(PROBES)]

    def batch(times: int) -> None:
        for number in range(times):
            assert memory.get(digests[number % PROBES]) is not None

    return batch


class _Source:
    def is_current(self, generation: int) -> bool:
        return True


def _section_of_tokens(found: dict[str, Any]) -> Section:
    rows = [[f"{int(row):,}", f"{hit:.2f}", f"{ratio:.2f}"] for row, (hit, ratio) in found["times"].items()]
    largest = rows[-1][0]
    note = (
        f"A look-up among so many remembered tokens of {found['length']} characters and twenty claims. The largest "
        f"memory took {found['bytes']:,.0f} bytes of the process a token; its bound counts {found['bound']:,.0f}."
    )
    last = list(found["times"].values())[-1]
    goals = [
        Goal(f"growth: memory a token, of {largest}", found["bytes"] / 1024, 2.0, unit="KiB"),
        Goal(f"growth: a hit among {largest} remembered tokens, against 10", last[1], 2.0),
    ]
    return Section("Growth: remembered tokens", note, ["remembered", "µs a hit", "× ten"], rows, goals)


def _resident() -> int:
    """Bytes of this process in memory."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024


if __name__ == "__main__":
    rounds, seconds, *sizes = sys.argv[1:]
    print(json.dumps(_tokens(Pace(int(rounds), float(seconds)), tuple(map(int, sizes)))))
