"""The playground's page, and who may ask it: its own page, in JSON, and not too much."""

import json
from typing import Any

import pytest

from resource_server import ResourceServer
from resource_server.demo.api import create_api
from resource_server.fastapi import ApiDocs
from resource_server.playground import PATH, Playground
from resource_server.playground.posts import MAX_BODY
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.paging import check_page, policy
from tests.playground.conftest import FROM_THE_PAGE, send

POSTS = ("mint", "sign", "explain")


async def test_the_page_runs_its_own_files_alone_and_stands_in_no_frame(playground: Playground) -> None:
    """T36: nonces, nothing inline, no other host, no frame."""
    check_page(await call(playground, "GET", PATH), connect="'self'")


async def test_the_page_offers_the_accounts_and_the_protected_routes(playground: Playground) -> None:
    """DESIGN §6: every route that needs a token, with an example to fill in."""
    page = check_page(await call(playground, "GET", PATH), connect="'self'")
    choices = json.loads(page.all("body")[0]["data-choices"])
    assert [one["name"] for one in choices["holders"]] == ["alice", "eve", "root", "example-service"]
    routes = {one["name"]: one for one in choices["routes"]}
    assert routes["PUT /api/v1/users/{user_id}/profile"]["parameters"] == {"user_id": "alice"}
    assert json.loads(routes["POST /orders"]["content"]) == {"item": "lamp", "quantity": 2}
    assert not {"GET /healthz", "GET /readyz", "WEBSOCKET /orders/socket"} & routes.keys()


@pytest.mark.parametrize("name", ["page.css", "dom.js", "playground.js", "cures.json"])
async def test_its_files_are_not_kept(playground: Playground, name: str) -> None:
    """T36: no-store, and no guessing of types."""
    response = await call(playground, "GET", f"{PATH}/{name}")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/playground/refusals.js"),
        ("GET", "/playground/../page.py"),
        ("GET", "/playground/%2e%2e/cures.json"),
        ("GET", "/playground/mint"),
        ("GET", "/playground/"),
        ("POST", "/playground"),
        ("PUT", "/playground/mint"),
        ("POST", "/playground/unknown"),
    ],
)
async def test_there_is_nothing_else(playground: Playground, method: str, path: str) -> None:
    """A path names one of a few things, and no file besides."""
    response = await call(playground, method, path, headers=FROM_THE_PAGE)
    assert (response.status_code, response.json()) == (404, {"problem": "there is nothing here"})


@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "none", "Same-Origin", "same-origin, same-origin"])
async def test_another_site_gets_no_token(playground: Playground, site: str | None) -> None:
    """T36: a browser says whose page asks; what says nothing is refused too."""
    headers = {"content-type": "application/json"} | ({"sec-fetch-site": site} if site else {})
    for name in POSTS:
        response = await send(playground, name, headers=headers, content="{}")
        assert (response.status_code, response.json()) == (403, {"problem": "only the playground's own page may ask"})


async def test_a_second_field_does_not_make_it_same_origin(playground: Playground) -> None:
    """T36: one field, or none that counts."""
    headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-origin"),
    ]
    assert (await send(playground, "mint", headers=headers, content="{}")).status_code == 403


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
async def test_what_a_form_could_send_is_refused(playground: Playground, kind: str | None) -> None:
    """T36: JSON only, which no form of another page can send without asking first."""
    headers = {"sec-fetch-site": "same-origin"} | ({"content-type": kind} if kind else {})
    for name in POSTS:
        assert (await send(playground, name, headers=headers, content="{}")).status_code == 415


@pytest.mark.parametrize(("more", "status"), [(0, 400), (1, 413)])
async def test_content_is_bounded(playground: Playground, more: int, status: int) -> None:
    """At the bound, and one past it; the former has too long a member that is not asked for."""
    content = '{"a":"' + "x" * (MAX_BODY - 8 + more) + '"}'
    assert len(content) == MAX_BODY + more
    assert (await send(playground, "mint", content=content)).status_code == status


BROKEN = (b"", b"[]", b"{", b"null", b"\xff", b"[" * 9999, b"{}", b'{"token": "\\udcff"}', b'{"a": 1, "a": 2}')
MISFITS = (
    ("mint", b'{"account": "alice", "client": "swagger-ui", "scopes": "all"}'),
    ("mint", b'{"account": "mallory", "client": "swagger-ui", "scopes": []}'),
    ("mint", b'{"account": "alice", "client": "example-service", "scopes": []}'),
    ("mint", b'{"account": 1, "client": "swagger-ui", "scopes": []}'),
    ("sign", b'{"header": {}, "claims": "{}"}'),
    ("explain", b'{"token": "x", "route": "GET /nothing", "parameters": {}, "content": ""}'),
    ("explain", b'{"token": "x", "route": "GET /orders", "parameters": [], "content": ""}'),
    ("explain", b'{"token": 1, "route": "GET /orders", "parameters": {}, "content": ""}'),
)


async def test_what_is_not_understood_is_400(playground: Playground) -> None:
    """Nothing from outside may cause a 500."""
    for name, content in [*((name, content) for name in POSTS for content in BROKEN), *MISFITS]:
        response = await send(playground, name, content=content)
        assert response.status_code == 400, (name, content)
        assert set(response.json()) == {"problem"}


async def test_an_answer_is_not_kept_and_runs_nothing(playground: Playground) -> None:
    """T36: it may hold a token."""
    response = await send(playground, "mint", content='{"account": "alice", "client": "swagger-ui", "scopes": []}')
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert policy(response)["default-src"] == "'none'"
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("docs", [None, ApiDocs()], ids=["docs off", "docs on"])
async def test_serve_has_no_playground(issuer: FakeIssuer, server: ResourceServer, docs: Any) -> None:
    """T34, T36: what mints is in no API that others can reach."""
    app = create_api(server, docs=docs)
    for path in (PATH, f"{PATH}/mint"):
        for method in ("GET", "POST"):
            assert (await call(app, method, path, headers=FROM_THE_PAGE, content="{}")).status_code == 401
            response = await call(app, method, path, headers=FROM_THE_PAGE, content="{}", token=issuer.token())
            assert response.status_code == 404
