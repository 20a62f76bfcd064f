"""What a token costs, the first time and every other time, against the bare signature check and the peers."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.jwk import import_key
from joserfc.util import urlsafe_b64decode

from resource_server import Issuer
from resource_server.credentials import credential_fields, extract
from resource_server.fastapi import ResourceServer
from resource_server.testing import FakeIssuer
from resource_server.validation.claims import is_expired
from tests.benchmarks.measuring import Batch, Pace, Times, drive, interleave, repeat
from tests.benchmarks.section import Bar, Goal, Section

CLAIMS: Final[Mapping[str, Any]] = {
    "scope": "orders:read orders:write",
    "roles": ["editor"],
    **{f"claim_{number}": f"value of claim {number}" for number in range(11)},
}
"""On top of the seven that every access token has: twenty in all, about what identity providers put in."""

DEFAULT: Final = ("RS256", "PS256", "ES256", "EdDSA")
OPT_IN: Final = ("RS512", "PS512", "ES384", "ES512")
GOALS: Final = {"RS256": 1.5, "PS256": 1.5, "ES256": 1.25, "EdDSA": 1.12}

FLOOR: Final = "floor: the bare signature check"
FRESH: Final = "resource_server, a fresh token"
FRESH_PATH: Final = "resource_server, a fresh token, from the request's headers on"
REMEMBERED: Final = "resource_server, a remembered token: digest, lookup, expiry, revocation"
REMEMBERED_PATH: Final = "resource_server, a remembered token, from the request's headers on"


@dataclass(frozen=True, slots=True)
class Subject:
    """An issuer of one algorithm, a token of it, and a resource server that trusts it."""

    issuer: FakeIssuer
    server: ResourceServer
    token: str
    scope: dict[str, Any]

    @classmethod
    def of(cls, algorithm: str, **options: Any) -> "Subject":
        """Make one, with the keys fetched."""
        issuer = FakeIssuer(algorithm=algorithm)
        trusted = Issuer(url=issuer.url, audience=issuer.audience, algorithms=[algorithm])
        server = ResourceServer(trusted, fetch=issuer.fetch, **options)
        token = issuer.token(exp=int(issuer.mint.clock()) + 7200, **CLAIMS)
        subject = cls(issuer, server, token, scope_of(token))
        asyncio.run(server.protector.protect(subject.scope))
        return subject

    @property
    def jwks(self) -> dict[str, Any]:
        """The issuer's key set."""
        return self.issuer.mint.jwks()


def scope_of(token: str) -> dict[str, Any]:
    """An ASGI scope as a browser's request makes it."""
    fields = [
        (b"host", b"api.example.com"),
        (b"user-agent", b"benchmark/1.0"),
        (b"accept", b"application/json"),
        (b"accept-encoding", b"gzip, br"),
        (b"authorization", b"Bearer " + token.encode()),
    ]
    return {"type": "http", "method": "GET", "path": "/", "headers": fields, "query_string": b"", "scheme": "http",
            "client": ("127.0.0.1", 50000)}  # fmt: skip


def floor(algorithm: str, jwks: Mapping[str, Any], token: str) -> Callable[[], object]:
    """What nobody can do without: the one call of ``cryptography``, with everything prepared."""
    key: Any = import_key(jwks["keys"][0]).public_key
    signing_input, _, encoded = token.encode().rpartition(b".")
    signature = urlsafe_b64decode(encoded)
    if algorithm.startswith("Ed"):
        return lambda: key.verify(signature, signing_input)
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[-3:]]
    if algorithm.startswith("ES"):
        half = len(signature) // 2
        numbers = (int.from_bytes(part) for part in (signature[:half], signature[half:]))
        der, ecdsa = encode_dss_signature(*numbers), ec.ECDSA(digest)
        return lambda: key.verify(der, signing_input, ecdsa)
    pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.DIGEST_LENGTH)
    pad = padding.PKCS1v15() if algorithm.startswith("RS") else pss
    return lambda: key.verify(signature, signing_input, pad, digest)


def ours(algorithm: str) -> tuple[Subject, dict[str, Batch]]:
    """The floor and our own rows."""
    subject = Subject.of(algorithm)
    forgetful: Any = Subject.of(algorithm, memory=0)
    protector: Any = subject.server.protector
    validate = protector._validator.validate
    credentials = extract(subject.scope, credential_fields(subject.scope))
    raw = subject.token.encode()

    def recall() -> None:
        """Digest, lookup, the end of what is remembered, whether the key is still good, and expiry."""
        verified = protector._verified.get(hashlib.sha256(raw).digest())
        assert not is_expired(verified.token.expires_at, verified.leeway, time.time())

    forgetful_scope, forgetful_protector = forgetful.scope, forgetful.server.protector
    return subject, {
        FLOOR: repeat(floor(algorithm, subject.jwks, subject.token)),
        FRESH: repeat(lambda: drive(validate(credentials))),
        FRESH_PATH: repeat(lambda: drive(forgetful_protector.protect(forgetful_scope))),
        REMEMBERED: repeat(recall),
        REMEMBERED_PATH: repeat(lambda: drive(protector.protect(subject.scope))),
    }


def measure(pace: Pace, *, peers: bool = True, algorithms: tuple[str, ...] = DEFAULT + OPT_IN) -> list[Section]:
    """Measure all algorithms in the same rounds."""
    rows: dict[str, Batch] = {}
    for algorithm in algorithms:
        subject, own = ours(algorithm)
        if peers:
            from tests.benchmarks.peers import peers_of

            own |= {name: repeat(call) for name, call in peers_of(subject, algorithm).items()}
        rows |= {f"{algorithm}/{name}": batch for name, batch in own.items()}
    return [_section(interleave(rows, pace), algorithms)]


def _section(times: Times, algorithms: tuple[str, ...]) -> Section:
    names = list(dict.fromkeys(row.partition("/")[2] for row in times))
    table = [[f"{FLOOR}, µs", *(f"{times.microseconds(f'{one}/{FLOOR}'):.1f}" for one in algorithms)]]
    for name in names[1:]:
        table.append([name])
        for one in algorithms:
            row = f"{one}/{name}"
            table[-1].append(f"{times.ratio(row, f'{one}/{FLOOR}'):.2f}" if row in times else "–")
    goals = [
        Goal(f"a fresh token, {one}", times.ratio(f"{one}/{FRESH}", f"{one}/{FLOOR}"), bound)
        for one, bound in GOALS.items()
        if one in algorithms
    ]
    remembered = Goal(
        "a remembered token: digest, lookup, expiry, revocation, against the floor of RS256",
        times.ratio(f"{algorithms[0]}/{REMEMBERED}", f"{algorithms[0]}/{FLOOR}"),
        0.1,
    )
    shown = {FRESH: GOALS[algorithms[0]], REMEMBERED: 0.1}
    bars = [
        Bar(
            name.partition(": digest")[0],
            times.ratio(f"{algorithms[0]}/{name}", f"{algorithms[0]}/{FLOOR}"),
            name.startswith("resource"),
            shown.get(name),
        )
        for name in names
        if name not in (FRESH_PATH, REMEMBERED_PATH) and f"{algorithms[0]}/{name}" in times
    ]
    return Section(
        "What a token costs",
        "Twenty claims, about 900 characters. The first row is in CPU microseconds; the others say how many times as "
        "much they take. A peer that does not offer an algorithm has a dash. EdDSA is with Ed25519.",
        ["", *algorithms],
        table,
        [*goals, remembered],
        bars,
        f"one {algorithms[0]} token, × the bare signature check",
    )
