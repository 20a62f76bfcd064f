"""A protected API, and a client that talks HTTP to it and knows nothing else of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import httpx2
from fastapi import Body, FastAPI, Response
from fastapi.responses import JSONResponse

from resource_server import AccessToken, ResourceServer, acr, network, owner, role
from resource_server.authorization.combination import Need
from resource_server.demo.api import create_api
from resource_server.issuers.fetch import FetchError
from resource_server.issuers.issuer import Issuer
from resource_server.testing import FakeIssuer
from tests.turnable_clock import TurnableClock

ORIGIN = "https://api.example.com"
Headers = Sequence[tuple[str | bytes, str | bytes]]


@dataclass
class Probe:
    """One API. ``options`` are the resource server's; whatever differs makes another API, by :meth:`but`."""

    issuer: FakeIssuer
    time: TurnableClock
    bundled: bool = True
    trust: dict[str, Any] = field(default_factory=dict)
    """Options of the :class:`Issuer`."""
    always: Headers = ()
    """Header fields of every request."""
    options: dict[str, Any] = field(default_factory=dict)
    server: ResourceServer = field(init=False)
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        trusted = Issuer(**{"url": self.issuer.url, "audience": self.issuer.audience} | self.trust)
        defaults: dict[str, Any] = {"resource": ORIGIN, "clock": self.time.clock, "fetch": self.issuer.fetch}
        self.server = ResourceServer(trusted, **defaults | self.options)
        self.app = create_api(self.server) if self.bundled else _small_app(self.server)
        _add_routes(self.app, self.server)

    def but(self, *, trust: dict[str, Any] | None = None, **options: Any) -> "Probe":
        """The same API with other options, which has seen no token yet."""
        return replace(self, trust=self.trust | (trust or {}), options=self.options | options)

    def down(self) -> "Probe":
        """The same API, whose issuer does not answer."""
        return self.but(fetch=_unreachable)

    def token(self, **claims: Any) -> str:
        """A token that opens ``/orders``."""
        return self.issuer.token(**{"scope": "orders:read"} | claims)

    async def ask(
        self,
        path: str = "/orders",
        *,
        token: str | None = None,
        method: str = "GET",
        headers: Headers = (),
        content: bytes | None = None,
        peer: str = "203.0.113.9",
    ) -> httpx2.Response:
        """Send one request."""
        fields: Any = [*self.always, *headers]
        if token is not None:
            fields.append(("authorization", f"Bearer {token}"))
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False, client=(peer, 50000))
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.request(method, path, headers=fields, content=content)

    async def status(self, token: str, path: str = "/orders") -> int:
        """The status that a token gets."""
        return (await self.ask(path, token=token)).status_code

    async def control(self) -> "Probe":
        """The positive control: what refuses everybody proves nothing by its refusals."""
        response = await self.ask(token=self.token())
        assert (response.status_code, response.json()[0]["item"]) == (200, "lamp"), response.text
        return self


def _small_app(server: ResourceServer) -> FastAPI:
    """What a user of the library writes: some routes require, the framework's own answers stay."""
    app = FastAPI(openapi_url=None)
    server.install(app)

    @app.get("/orders", dependencies=[server.requires("orders:read")])
    async def list_orders() -> Response:
        return JSONResponse([{"item": "lamp"}])

    @app.post("/orders", dependencies=[server.requires("orders:write")])
    async def place_order(item: Annotated[str, Body(embed=True)]) -> Response:
        return JSONResponse(item)

    @app.get("/api/v1/me")
    async def read_me(token: Annotated[AccessToken, server.requires()]) -> Response:
        return JSONResponse({"sub": token.subject})

    @app.get("/admin/dashboard", dependencies=[server.requires(role("admin"))])
    async def read_dashboard() -> Response:
        return JSONResponse("three orders")

    return app


def _add_routes(app: FastAPI, server: ResourceServer) -> None:
    """What the bundled API has no route for."""

    def add(path: str, *needs: Need, methods: Sequence[str] = ("GET",)) -> None:
        async def endpoint() -> Response:
            return JSONResponse(path)

        app.add_api_route(path, endpoint, methods=[*methods], dependencies=[server.requires(*needs)])

    add("/both", "a:read", "b:write")
    add("/step-up", acr("urn:example:mfa", max_age=300))
    add("/inside", network("10.0.0.0/8"))
    add("/diaries/{of}", owner("of", hide=True), methods=("GET", "PUT", "DELETE"))
    add("/mail/{of}", owner("of"))
    add("/partner-mail/{of}", owner("of", issuer="https://partner.example.com"))


async def _unreachable(url: str) -> dict[str, Any]:
    raise FetchError(f"{url}: ConnectError at 10.1.2.3 (idp.internal)")
