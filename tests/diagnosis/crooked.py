"""An issuer on a loopback socket that does one thing wrong, path by path and byte by byte."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from resource_server.diagnosis import Diagnosis, Outcome, diagnose
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.keys import IssuerKeys
from tests.issuers.key_kinds import signing_key
from tests.issuers.loopback import Script, answers, serve
from tests.turnable_clock import TurnableClock

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"
KEYS = "/keys"
KEY = signing_key("ES256", 0)

Routes = Callable[[str], Mapping[str, Script]]
"""What is answered at a path, by the server's origin; it stands before what a good issuer answers."""


def document(value: Any, *, headers: str = "", **options: Any) -> Script:
    """Answer JSON."""
    return answers(json.dumps(value).encode(), headers=headers, **options)


def metadata(origin: str, **members: Any) -> Script:
    """Answer good metadata, but for some members; None leaves one out."""
    said = {"issuer": origin, "jwks_uri": origin + KEYS} | members
    return document({name: value for name, value in said.items() if value is not None})


def keys(*jwks: Any, headers: str = "") -> Script:
    """Answer a key set."""
    return document({"keys": list(jwks)}, headers=headers)


@asynccontextmanager
async def crooked(routes: Routes = lambda origin: {}, **options: Any) -> AsyncIterator[str]:
    """Serve, and give the origin, which is the issuer's name."""

    async def script(writer: Any) -> None:
        path = served.requests[-1].split()[1].decode()
        good = {OPENID: metadata(origin), KEYS: keys(KEY.public_jwk)}
        await (good | dict(routes(origin))).get(path, answers(b"", status="404 Not Found"))(writer)

    async with serve(script, **options) as served:
        origin = served.url.removesuffix("/doc")
        yield origin


def at(origin: str, **options: Any) -> Issuer:
    """The issuer as it is configured."""
    return Issuer(url=origin, audience="https://api.example.com", **options)


def marks(diagnosis: Diagnosis) -> dict[str, str]:
    """The checks that don't simply pass, each with its mark."""
    return {check.name: "!" if check.passed else "✘" for check in diagnosis.checks if not check.passed or check.warning}


def told(diagnosis: Diagnosis, name: str) -> tuple[str, str, str]:
    """What was found, expected and advised by the check of that name that stands out, or by the first."""
    named = [check for check in diagnosis.checks if check.name == name]
    check = next((one for one in named if not one.passed or one.warning), named[0])
    return check.found, check.expected, check.cure


async def assert_shut(routes: Routes, time: TurnableClock, name: str, expected: tuple[str, str, str]) -> None:
    """The check of that name says so, and the server itself gets no keys from such an issuer."""
    async with crooked(routes) as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
        served = IssuerKeys(at(origin), clock=time.clock)
        await served.refresh()
    assert served.known is None or not served.known.identity
    assert diagnosis.outcome is Outcome.WRONG
    assert marks(diagnosis)[name] == "✘"
    for said, fragment in zip(told(diagnosis, name), expected, strict=True):
        assert fragment.format(origin=origin) in said
