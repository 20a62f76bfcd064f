"""Browsers of other origins: preflights need no token and reach nobody; refusals can be read."""

import httpx2
import pytest
from fastapi import FastAPI

from resource_server import ConfigurationError, ResourceServer
from resource_server.clock import Clock
from resource_server.cors import check_origin
from resource_server.testing import FakeIssuer

PAGE = "https://app.example.com"
ASKING = {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}


def make_client(issuer: FakeIssuer, origins: tuple[str, ...], protect: str = "routes") -> httpx2.AsyncClient:
    clock = Clock(wall=issuer.mint.clock)
    api = ResourceServer(issuer.url, audience=issuer.audience, fetch=issuer.fetch, cors_origins=origins, clock=clock)
    app = FastAPI()
    api.install(app, protect=protect)

    @app.get("/notes", dependencies=[api.requires("notes:read")])
    async def list_notes() -> list[str]:
        return ["note"]

    @app.options("/notes")
    async def reached() -> str:
        return "the application was reached"

    @app.get("/broken", dependencies=[api.requires()])
    async def broken() -> None:
        raise RuntimeError("boom")

    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="https://api.example.com")


@pytest.mark.parametrize("protect", ["routes", "all"])
async def test_a_preflight_is_answered_without_a_token_and_reaches_nobody(issuer: FakeIssuer, protect: str) -> None:
    """RS-FETCH-cors-a, RS-FETCH-cors-c, T27."""
    async with make_client(issuer, (PAGE,), protect) as client:
        response = await client.options("/notes", headers=ASKING)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["access-control-allow-origin"] == PAGE
    assert response.headers["vary"] == "Origin"
    allowed = response.headers["access-control-allow-headers"].lower()
    assert {"authorization", "dpop"} <= set(allowed.split(", "))
    assert "POST" in response.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "null", "https://app.example.com.evil.com", "HTTPS://APP.EXAMPLE.COM"]
)
async def test_another_origin_is_told_nothing(issuer: FakeIssuer, origin: str) -> None:
    """T27: exact origins, null never."""
    async with make_client(issuer, (PAGE,)) as client:
        preflight = await client.options("/notes", headers={**ASKING, "origin": origin})
        refused = await client.get("/notes", headers={"origin": origin})
    for response in (preflight, refused):
        assert not [name for name in response.headers if name.startswith("access-control")]
        assert response.headers["vary"] == "Origin"
    assert (preflight.status_code, refused.status_code) == (204, 401)


async def test_every_answer_can_be_read_by_the_page(issuer: FakeIssuer) -> None:
    """RS-FETCH-cors-b: also refusals, and even the answer to a failure of the application."""
    token = issuer.token()
    async with make_client(issuer, (PAGE,)) as client:
        answers = [
            await client.get("/notes", headers={"origin": PAGE}),
            await client.get("/notes", headers={"origin": PAGE, "authorization": f"Bearer {token}"}),
            await client.get("/broken", headers={"origin": PAGE, "authorization": f"Bearer {token}"}),
        ]
    assert [answer.status_code for answer in answers] == [401, 403, 500]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.headers["access-control-expose-headers"] == "WWW-Authenticate, DPoP-Nonce, Retry-After"


async def test_options_without_the_questions_of_a_browser_is_an_ordinary_request(issuer: FakeIssuer) -> None:
    """RS-FETCH-cors-a, ruling 39: no other OPTIONS is exempt."""
    async with make_client(issuer, (PAGE,), "all") as client:
        plain = await client.options("/notes")
        half = await client.options("/notes", headers={"origin": PAGE})
    assert (plain.status_code, half.status_code) == (401, 401)


async def test_a_preflight_needs_no_token_even_where_no_origin_is_configured(issuer: FakeIssuer) -> None:
    """RS-FETCH-cors-a: with everything protected, the gate answers it, and allows nothing."""
    async with make_client(issuer, (), "all") as client:
        response = await client.options("/notes", headers=ASKING)
    assert response.status_code == 204
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "origin", ["*", "null", "https://*.example.com", "https://app.example.com/", "app.example.com", ""]
)
def test_an_inexact_origin_ends_the_start(origin: str) -> None:
    """T27."""
    with pytest.raises(ConfigurationError, match=r"^cors_origins must hold exact origins"):
        check_origin(origin)
