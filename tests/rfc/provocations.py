"""Every way to be refused, row by row of the decision table (D01 to D33), as requests that a stranger can send."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx2

from resource_server import RateLimit
from resource_server.development.minting import OMIT, SigningKey
from tests.rfc.probe import Probe

FORGER = SigningKey.generate("ES256")


@dataclass(frozen=True)
class Provocation:
    """A request, and the status that it must get."""

    row: str
    status: int
    name: str
    send: Callable[[Probe], Awaitable[httpx2.Response]]

    async def __call__(self, api: Probe) -> httpx2.Response:
        """Provoke the refusal."""
        response = await self.send(api)
        assert response.status_code == self.status, (self.row, response.status_code, response.text)
        return response


def _authorization(*values: str | bytes) -> Callable[[Probe], Awaitable[httpx2.Response]]:
    return lambda api: api.ask(headers=[("authorization", value) for value in values])


async def guess_again(api: Probe) -> httpx2.Response:
    """Guess once more than is allowed, where failed authentications are limited."""
    limited = api.but(failed_authentications=RateLimit(1, per=60))
    first, second = [await limited.ask(token=token) for token in ("guess", "garbage")]
    assert first.status_code == 401
    return second


PROVOCATIONS = [
    Provocation("D01", 401, "nothing", lambda api: api.ask()),
    Provocation("D01", 401, "any-token-route", lambda api: api.ask("/api/v1/me")),
    Provocation("D02", 401, "basic", _authorization("Basic YWxpY2U6cGFzc3dvcmQ=")),
    Provocation("D02", 401, "unknown-scheme", _authorization("Zebra stripes")),
    Provocation("D02", 401, "dpop-is-not-offered", _authorization("DPoP abc")),
    Provocation("D03", 400, "no-token", _authorization("Bearer")),
    Provocation("D03", 400, "two-tokens", _authorization("Bearer a b")),
    Provocation("D03", 400, "hostile-text", _authorization('Bearer "\\<script>\xe9'.encode("latin-1"))),
    Provocation("D04", 400, "two-fields", _authorization("Bearer a", "Bearer b")),
    Provocation("D04", 400, "query-too", lambda api: api.ask("/orders?access_token=b", token="a")),
    Provocation("D05", 431, "too-large", lambda api: api.ask(token="a" * 32 * 1024)),
    Provocation("D06", 401, "no-jwt", lambda api: api.ask(token="garbage")),
    Provocation("D06", 401, "no-client-id", lambda api: api.ask(token=api.token(client_id=OMIT))),
    Provocation("D07", 401, "forged", lambda api: api.ask(token=api.issuer.mint.access_token(
        key=FORGER, header={"kid": api.issuer.mint.keys[0].kid}))),
    Provocation("D07", 401, "alg-none", lambda api: api.ask(token=api.token(header={"alg": "none"}))),
    Provocation("D08", 401, "unknown-kid", lambda api: api.ask(token=api.issuer.mint.access_token(key=FORGER))),
    Provocation("D09", 401, "other-issuer", lambda api: api.ask(token=api.token(iss="https://id.example.org"))),
    Provocation("D10", 401, "other-audience", lambda api: api.ask(token=api.token(aud="https://other.example.com"))),
    Provocation("D11", 401, "expired", lambda api: api.ask(token=api.token(exp=int(api.time.wall) - 3600))),
    Provocation("D12", 401, "not-yet", lambda api: api.ask(token=api.token(nbf=int(api.time.wall) + 3600))),
    Provocation("D14", 401, "id-token", lambda api: api.ask(token=api.token(header={"typ": "JWT"}))),
    Provocation("D15", 401, "bound", lambda api: api.ask(token=api.token(cnf={"jkt": "x"}))),
    Provocation("D21", 403, "scope", lambda api: api.ask("/both", token=api.token(scope="a:read"))),
    Provocation("D22", 403, "role", lambda api: api.ask("/admin/dashboard", token=api.token())),
    Provocation("D23", 403, "owner", lambda api: api.ask("/mail/bob", token=api.token())),
    Provocation("D24", 403, "network", lambda api: api.ask("/inside", token=api.token())),
    Provocation("D25", 401, "step-up", lambda api: api.ask("/step-up", token=api.token(acr="pwd"))),
    Provocation("D26", 503, "issuer-down", lambda api: api.down().ask(token=api.token())),
    Provocation("D27", 404, "hidden", lambda api: api.ask("/diaries/bob", token=api.token())),
    Provocation("D28", 429, "guesses", lambda api: guess_again(api)),
    Provocation("D30", 401, "query", lambda api: api.ask("/orders?access_token=" + api.token())),
    Provocation("D31", 403, "plain-http", lambda api: api.but(trusted_proxies=["10.0.0.1"]).ask(
        token=api.token(), headers=[("x-forwarded-proto", "http")], peer="10.0.0.1")),
    Provocation("D32", 405, "method", lambda api: api.ask(method="DELETE", token=api.token())),
    Provocation("D33", 422, "content", lambda api: api.ask(
        method="POST", token=api.token(scope="orders:write"), content=b"{bad")),
]  # fmt: skip


async def refusals(api: Probe, *rows: str, status: int | None = None) -> dict[str, httpx2.Response]:
    """The answers to some rows' provocations, to all of one status, or to all, by name."""
    assert {one.row for one in PROVOCATIONS} >= set(rows)
    chosen = [one for one in PROVOCATIONS if (not rows or one.row in rows) and status in (None, one.status)]
    return {f"{one.row} {one.name}": await one(api) for one in chosen}
