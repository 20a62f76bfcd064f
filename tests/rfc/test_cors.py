"""The CORS protocol of the Fetch standard: what a browser lets a page's script ask and read."""

import httpx2
import pytest

from tests.rfc.challenges import challenges
from tests.rfc.checklist import requirement
from tests.rfc.probe import Probe
from tests.rfc.provocations import refusals

ORIGIN = ("origin", "https://app.example.com")
EXPOSED = {"www-authenticate", "dpop-nonce", "retry-after"}


@pytest.fixture
async def cross(api: Probe) -> Probe:
    """An API that pages of one origin may call."""
    return await api.but(cors_origins=["https://app.example.com"]).control()


async def preflight(api: Probe, path: str, method: str = "GET", headers: str = "authorization") -> httpx2.Response:
    asked = [("access-control-request-method", method), ("access-control-request-headers", headers)]
    return await api.ask(path, method="OPTIONS", headers=[ORIGIN, *asked])


def members(value: str) -> set[str]:
    return {member.strip().lower() for member in value.split(",")}


@requirement("RS-FETCH-cors-a")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/orders", "/admin/dashboard", "/diaries/bob", "/no/such/path"])
async def test_rs_fetch_cors_a_a_preflight_needs_no_credentials(cross: Probe, path: str, method: str) -> None:
    """Fetch, CORS-preflight fetch: the browser sends none."""
    response = await preflight(cross, path, method)
    assert response.status_code in (200, 204)
    assert response.headers["access-control-allow-origin"] == ORIGIN[1]
    assert method.lower() in members(response.headers["access-control-allow-methods"])
    assert "access-control-allow-credentials" not in response.headers
    assert response.content == b""


@requirement("RS-FETCH-cors-a")
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="plain-options"),
        pytest.param([ORIGIN], id="origin-alone"),
        pytest.param([("access-control-request-method", "GET")], id="no-origin"),
    ],
)
async def test_rs_fetch_cors_a_no_other_options_request_is_let_in(cross: Probe, headers: list[tuple[str, str]]) -> None:
    """Ruling 39: OPTIONS is a method like any other."""
    response = await cross.ask(method="OPTIONS", headers=headers)
    assert response.status_code == (401 if cross.bundled else 405)
    assert "lamp" not in response.text


@requirement("RS-FETCH-cors-a")
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "null",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://APP.example.com",
    ],
)
async def test_rs_fetch_cors_a_pages_of_other_origins_are_told_nothing(cross: Probe, origin: str) -> None:
    """T27: exact origins, never null."""
    asked = [("origin", origin), ("access-control-request-method", "GET")]
    for response in (
        await cross.ask(method="OPTIONS", headers=asked),
        await cross.ask(headers=asked[:1], token=cross.token()),
    ):
        assert [name for name in response.headers if name.startswith("access-control-")] == []


@requirement("RS-FETCH-cors-b")
async def test_rs_fetch_cors_b_a_script_may_read_why_it_was_refused(cross: Probe) -> None:
    """RFC 9449 §7.1: the fields of a refusal are exposed on every actual response."""
    cross.always = [ORIGIN]
    answers = await refusals(cross) | {"granted": await cross.ask(token=cross.token())}
    for name, response in answers.items():
        assert response.headers.get_list("access-control-allow-origin") == [ORIGIN[1]], name
        assert members(response.headers["access-control-expose-headers"]) >= EXPOSED, name
    assert challenges(answers["D01 nothing"])


@requirement("RS-FETCH-cors-b")
async def test_rs_fetch_cors_b_even_a_failure_can_be_read(cross: Probe) -> None:
    """Starlette's own middleware puts no CORS fields on a 500."""

    @cross.app.get("/boom", dependencies=[cross.server.requires()])
    async def boom() -> None:
        raise RuntimeError("a fault of the application")

    response = await cross.ask("/boom", token=cross.token(), headers=[ORIGIN])
    assert response.status_code == 500
    assert response.headers["access-control-allow-origin"] == ORIGIN[1]
    assert members(response.headers["access-control-expose-headers"]) >= EXPOSED


@requirement("RS-FETCH-cors-b")
async def test_rs_fetch_cors_b_a_preflight_exposes_nothing(cross: Probe) -> None:
    """Fetch: the field belongs to the actual response."""
    assert "access-control-expose-headers" not in (await preflight(cross, "/orders")).headers


@requirement("RS-FETCH-cors-c")
async def test_rs_fetch_cors_c_authorization_and_dpop_are_allowed_by_name(cross: Probe) -> None:
    """Fetch: the wildcard does not cover Authorization."""
    response = await preflight(cross, "/orders", headers="authorization, dpop")
    allowed = members(response.headers["access-control-allow-headers"])
    assert {"authorization", "dpop"} <= allowed
    assert "*" not in allowed
