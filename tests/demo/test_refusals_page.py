"""The page of refusals: a shell that holds nothing, where the documentation is, and its files."""

import json
import re
from importlib.resources import files
from urllib.parse import urljoin

import pytest
from fastapi import FastAPI

from resource_server import ResourceServer
from resource_server.demo import refusals_page
from resource_server.demo.api import create_api
from resource_server.fastapi import ApiDocs
from resource_server.refusals import Kind
from resource_server.testing import FakeIssuer
from tests.calls import MISSING, call
from tests.demo import cures
from tests.paging import Page, check_page

STATIC = files("resource_server") / "static" / "pages"
OWN_SCRIPTS = ("dom.js", "pkce.js", "login.js", "refusals.js", "playground.js")
LOGIN = {
    "client_id": "pages",
    "scopes": ["profile:write"],
    "parameters": {"resource": "https://api.example.com"},
    "authorization_endpoint": "https://id.example.com/authorize",
    "token_endpoint": "https://id.example.com/token",
}


@pytest.fixture
def documented(server: ResourceServer) -> FastAPI:
    return create_api(server, docs=ApiDocs(**LOGIN))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", refusals_page.PUBLIC)
async def test_where_there_are_no_docs_there_is_no_page(app: FastAPI, issuer: FakeIssuer, path: str) -> None:
    """T38: what tells a stranger which software runs here is switched on by one setting, and off by default."""
    stranger = await call(app, "GET", path)
    assert (stranger.status_code, stranger.content) == (401, MISSING)
    assert (await call(app, "GET", path, token=issuer.token(roles=["admin"]))).status_code == 404


async def test_the_page_runs_its_own_files_alone_and_stands_in_no_frame(documented: FastAPI) -> None:
    """T36: nonces, nothing inline, no other host but the one that gives it its token."""
    response = await call(documented, "GET", refusals_page.PATH)
    check_page(response, connect="'self' https://id.example.com")


async def test_the_page_is_told_how_to_log_in(documented: FastAPI) -> None:
    """By authorization code and PKCE, as the docs do; a public client, so there is no secret."""
    page = check_page(await call(documented, "GET", refusals_page.PATH), connect="'self' https://id.example.com")
    assert json.loads(page.all("body")[0]["data-login"]) == {
        "issuer": "https://id.example.com",
        "authorization_endpoint": "https://id.example.com/authorize",
        "token_endpoint": "https://id.example.com/token",
        "client_id": "pages",
        "scope": "profile:write",
        "parameters": {"resource": "https://api.example.com"},
    }


@pytest.mark.parametrize("docs", [ApiDocs(), ApiDocs(client_id="pages")], ids=["no client", "no endpoints"])
async def test_without_a_client_or_its_endpoints_a_token_is_pasted(server: ResourceServer, docs: ApiDocs) -> None:
    """And the page talks to its own origin alone."""
    response = await call(create_api(server, docs=docs), "GET", refusals_page.PATH)
    assert check_page(response, connect="'self'").all("body")[0]["data-login"] == ""


async def test_no_setting_breaks_out_of_the_page(server: ResourceServer) -> None:
    """T36: an operator's text is text, too."""
    hostile = '"><img src=x onerror=alert(1)>'
    docs = ApiDocs(**LOGIN | {"client_id": hostile})  # type: ignore[arg-type]
    page = check_page(
        await call(create_api(server, docs=docs), "GET", refusals_page.PATH), connect="'self' https://id.example.com"
    )
    assert page.all("img") == []
    assert json.loads(page.all("body")[0]["data-login"])["client_id"] == hostile


async def test_two_answers_have_two_nonces(documented: FastAPI) -> None:
    """T36: one that was seen is worth nothing."""
    policies = {
        (await call(documented, "GET", refusals_page.PATH)).headers["content-security-policy"] for _ in range(3)
    }
    assert len(policies) == 3


async def test_the_page_is_the_same_for_everybody(
    server: ResourceServer, documented: FastAPI, issuer: FakeIssuer
) -> None:
    """It holds no data: those are behind the role."""
    await call(documented, "GET", "/orders", token=issuer.token(exp=1))
    texts = [
        (await call(documented, "GET", refusals_page.PATH, token=token)).text
        for token in (None, issuer.token(), issuer.token(roles=["admin"]))
    ]
    assert len({re.sub(r'nonce="[^"]+"', "", text) for text in texts}) == 1


async def test_the_login_comes_back_to_a_page_that_talks_to_nobody(documented: FastAPI) -> None:
    """The code goes to the page that asked for it, by a channel that only that one knows."""
    response = await call(documented, "GET", f"{refusals_page.LOGIN}?code=secret&state=x")
    check_page(response, connect="'none'")
    assert "secret" not in response.text


async def test_each_file_that_a_page_names_is_served(documented: FastAPI) -> None:
    """Relative, so that they are found below any prefix."""
    for path in (refusals_page.PATH, refusals_page.LOGIN):
        page = Page((await call(documented, "GET", path)).text)
        for one in page.all("script") + [link for link in page.all("link") if link["rel"] == "stylesheet"]:
            response = await call(documented, "GET", urljoin(path, one.get("src") or one["href"]))
            assert response.status_code == 200
            assert response.headers["cache-control"] == "no-store"
            assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_file_imports_only_what_is_served(documented: FastAPI) -> None:
    """A module that is missing ends the page without a word."""
    for name in ("refusals.js", "login.js", "pkce.js", "dom.js"):
        script = (await call(documented, "GET", f"{refusals_page.PATH}/{name}")).text
        for imported in re.findall(r'from "\./([^"]+)"', script):
            assert f"{refusals_page.PATH}/{imported}" in refusals_page.PUBLIC


@pytest.mark.parametrize("name", OWN_SCRIPTS)
def test_a_script_makes_no_markup_of_text(name: str) -> None:
    """T36: text by textContent; nothing is evaluated, stored, or put into a cookie or a query."""
    script = (STATIC / name).read_text("utf-8")
    forbidden = (
        "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "new Function", "DOMParser",
        "localStorage", "sessionStorage", "indexedDB", ".cookie", "EventSource", "WebSocket(", "srcdoc",
    )  # fmt: skip
    assert [word for word in forbidden if word in script] == []


def test_the_token_leaves_the_page_in_its_header_alone() -> None:
    """T36: read by fetch with the Authorization header, never by an address."""
    script = (STATIC / "refusals.js").read_text("utf-8")
    assert script.count("Bearer ${token}") == 1
    assert re.findall(r"searchParams|\?token|access_token", script) == []


def test_the_page_has_a_cure_for_each_kind_and_it_is_that_of_the_docs() -> None:
    """One text in two places: ``python -m tests.demo.cures`` makes the second of the first."""
    made = (STATIC / "cures.json").read_text("utf-8") == cures.document()
    assert made, "run python -m tests.demo.cures > resource_server/static/pages/cures.json"
    assert set(json.loads(cures.document())) == {kind.value for kind in Kind}
