"""``make bench``: what a token costs, fresh and remembered, against the bare signature check and the peers.

Every row is measured in interleaved rounds, so a machine that slows down slows all of them; what counts is the ratio of
medians to the floor, which is the one ``verify`` call of ``cryptography`` that nobody can do without.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

import jwt as pyjwt
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt as jose
from joserfc.jwk import KeySet

from resource_server import Issuer
from resource_server.clock import Clock
from resource_server.credentials import Credentials, credential_fields, extract
from resource_server.fastapi import ResourceServer
from resource_server.testing import FakeIssuer

ROUNDS = 15
CALLS = 200
ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519")
CLAIMS = {f"claim_{number}": f"value of claim {number}" for number in range(13)}


def measure(rows: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Microseconds a call, by row: medians of interleaved rounds."""
    times: dict[str, list[float]] = {name: [] for name in rows}
    for call in rows.values():
        call()
    for _ in range(ROUNDS):
        for name, call in rows.items():
            began = time.perf_counter()
            for _ in range(CALLS):
                call()
            times[name].append((time.perf_counter() - began) / CALLS * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def run(work: Any) -> Any:
    """Drive a coroutine that never waits, without the cost of an event loop."""
    try:
        work.send(None)
    except StopIteration as finished:
        return finished.value
    raise RuntimeError("the work waits for something")


def rows_of(algorithm: str) -> dict[str, Callable[[], object]]:
    """What is measured for one algorithm."""
    issuer = FakeIssuer(algorithm=algorithm)
    options = Issuer(url=issuer.url, audience=issuer.audience, algorithms=[algorithm])
    server = ResourceServer(options, fetch=issuer.fetch)
    asyncio.run(server.issuers.refresh())
    token = issuer.token(scope="orders:read orders:write", **CLAIMS)
    protector: Any = server.protector
    fields = [(b"host", b"x"), (b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "GET", "headers": fields, "query_string": b""}
    credentials: Credentials = extract(scope, credential_fields(scope))
    signing_input, _, signature = token.rpartition(".")
    key: Any = next(iter(server.issuers)).known.find(issuer.mint.keys[0].kid, algorithm)  # type: ignore[union-attr]
    raw_signature = pyjwt.utils.base64url_decode(signature)
    signing = signing_input.encode()
    jwks = KeySet.import_key_set(issuer.mint.jwks())  # type: ignore[arg-type]
    rows: dict[str, Callable[[], object]] = {
        "floor: the bare signature check": lambda: key.verify(signing, raw_signature),
        "resource_server, a fresh token": lambda: run(protector._validator.validate(credentials)),
        "resource_server, a remembered token": lambda: run(protector.protect(scope)),
        "joserfc": lambda: jose.decode(token, jwks, algorithms=[algorithm]),
    }
    if algorithm != "Ed25519":  # PyJWT does not know the name
        loaded = pyjwt.PyJWK(issuer.mint.jwks()["keys"][0], algorithm)
        rows["PyJWT, with its key at hand"] = lambda: pyjwt.decode(
            token, loaded, algorithms=[algorithm], audience=issuer.audience, issuer=issuer.url
        )
    if algorithm in ("RS256", "ES256"):
        rows["Authlib"] = authlib_row(issuer, jwks, token)
    return rows


def authlib_row(issuer: FakeIssuer, jwks: KeySet, token: str) -> Callable[[], object]:
    """Authlib's validator of RFC 9068 tokens."""

    class Validator(JWTBearerTokenValidator):
        def get_jwks(self) -> KeySet:
            return jwks

    validator: Any = Validator(issuer.url, issuer.audience)
    return lambda: validator.validate_token(validator.authenticate_token(token), None, None)


def main() -> None:
    """Print a table."""
    assert Clock()  # the real ones
    for algorithm in ALGORITHMS:
        results = measure(rows_of(algorithm))
        floor = next(iter(results.values()))
        print(f"\n{algorithm:<40}{'us':>10}{'x floor':>10}")
        for name, microseconds in results.items():
            print(f"  {name:<38}{microseconds:>10.1f}{microseconds / floor:>10.2f}")


if __name__ == "__main__":
    main()
