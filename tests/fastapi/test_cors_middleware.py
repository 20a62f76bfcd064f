"""Starlette's CORSMiddleware beside the gate, on either side; ``cors_origins`` needs none."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from resource_server import ConfigurationError, ResourceServer
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.fastapi.test_start import start
from tests.fastapi.ways import ok

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "GET",
    "access-control-request-headers": "authorization",
}


def app_of(api: ResourceServer, *, protect: str, inside: bool) -> FastAPI:
    app = FastAPI()
    cors: Any = {"allow_origins": [ORIGIN], "allow_headers": ["*"], "expose_headers": ["WWW-Authenticate"]}
    if inside:
        app.add_middleware(CORSMiddleware, **cors)
    api.install(app, protect=protect)
    if not inside:
        app.add_middleware(CORSMiddleware, **cors)
    app.get("/notes", dependencies=[api.requires()])(ok)
    return app


@pytest.mark.parametrize(("protect", "inside"), [("routes", True), ("routes", False), ("all", False)])
async def test_a_page_may_ask_and_read_a_refusal(
    api: ResourceServer, issuer: FakeIssuer, protect: str, inside: bool
) -> None:
    """RS-FETCH-cors-a, RS-FETCH-cors-b: whoever answers for origins, refusals go through his hands."""
    app = app_of(api, protect=protect, inside=inside)
    preflight = await call(app, "OPTIONS", "/notes", headers=PREFLIGHT)
    assert (preflight.status_code, preflight.headers["access-control-allow-headers"]) == (200, "authorization")
    for token, status in ((None, 401), ("x", 401), (issuer.token(), 200)):
        response = await call(app, "GET", "/notes", token=token, headers={"origin": ORIGIN})
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (status, ORIGIN)
        assert response.headers["access-control-expose-headers"] == "WWW-Authenticate"


def test_inside_of_a_gate_that_protects_everything_it_ends_the_start(api: ResourceServer) -> None:
    """A newcomer's pain: the gate answers preflights and refuses in front of it, so no page could read anything."""
    with pytest.raises(ConfigurationError) as caught:
        start(app_of(api, protect="all", inside=True))
    assert str(caught.value) == (
        'CORSMiddleware was added before install(protect="all"), which answers preflights and refuses in front of it: '
        "add it after, or give its origins as cors_origins in its place"
    )


async def test_without_a_lifespan_it_ends_the_first_request(api: ResourceServer) -> None:
    """As all that would have ended the start."""
    with pytest.raises(ConfigurationError, match=r"^CORSMiddleware was added before install"):
        await call(app_of(api, protect="all", inside=True), "GET", "/notes", raise_failures=True)
