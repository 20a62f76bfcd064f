"""The pictures in the documentation, each of a page at work: `make screenshots`. No test, so it runs by name alone."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit, wait_for_metadata
from tests.browser.issuers import log_in_for_development, mint
from tests.browser.swagger import DocsPage
from tests.browser.test_refusals_page import refuse
from tests.browser.test_sample_client import SampleClient
from tests.callers.development import Development, running
from tests.integration.serving import ROOT

FOLDER = ROOT / "docs/images"
PHONE = 390
SCROLL = "element => element.scrollIntoView()"

Take = Callable[[Page, str, int], None]


@pytest.fixture(scope="module")
def development(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    """On the ports that a reader's own will have."""
    with running(tmp_path_factory.mktemp("development"), 8000, 9000) as servers:
        wait_for_metadata(servers.api)
        yield servers


@pytest.fixture
def take() -> Take:
    def take(page: Page, name: str, height: int) -> None:
        FOLDER.mkdir(exist_ok=True)
        assert page.viewport_size is not None
        page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
        page.mouse.move(0, 0)
        page.screenshot(path=Path(FOLDER, f"{name}.png"), animations="disabled")

    return take


def test_docs(visit: Visit, development: Development, take: Take) -> None:
    visitor = visit(scheme="dark")
    visitor.expect(403)
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    log_in = partial(log_in_for_development, name="alice", password=development.passwords["alice"])
    docs.log_in(log_in, scopes=["orders:read"])
    answer = docs.try_out("orders-place_order")
    expect(answer.status).to_have_text("403")
    answer.url.evaluate(SCROLL)
    take(docs.page, "docs-dark", 520)


def test_docs_login(visit: Visit, development: Development, take: Take) -> None:
    docs = DocsPage(visit().page, f"{development.api}/docs")
    docs.open_dialog().locator(".scopes").get_by_text("orders:read", exact=True).click()
    docs.page.locator(".scope-def").evaluate(SCROLL)
    take(docs.page, "docs-login", 800)


def test_sample_client(visit: Visit, development: Development, take: Take) -> None:
    visitor = visit()
    visitor.expect(401, 403)
    client = SampleClient(visitor, development, "alice")
    client.press("List orders")
    client.log_in()
    expect(client.log).to_contain_text("GET /orders: 200")
    client.press("Spoil the token")
    client.press("List orders")
    expect(client.log.get_by_text("GET /orders: 200")).to_have_count(2)
    client.press("Open the dashboard")
    expect(client.log).to_contain_text("GET /admin/dashboard: 403")
    take(client.page, "sample-client", 860)


@pytest.mark.parametrize(("width", "name"), [(1200, "playground"), (PHONE, "playground-phone")])
def test_playground(visit: Visit, development: Development, take: Take, width: int, name: str) -> None:
    page = visit(width=width, scheme="dark" if width == PHONE else "light").page
    page.goto(f"{development.api}/playground")
    expect(page.locator("#verdict")).to_have_text("200OK: granted")
    page.get_by_role("button", name="another audience").click()
    expect(page.locator("#verdict")).to_contain_text("wrong_audience")
    page.locator("#result" if width == PHONE else "main").evaluate(SCROLL)
    take(page, name, 844 if width == PHONE else 1340)


def test_refusals(visit: Visit, development: Development, take: Take) -> None:
    visitor = visit()
    refuse(development, 2)
    page = visitor.page
    page.goto(f"{development.api}/admin/refusals")
    page.get_by_label("Access token with the role admin").fill(mint(development, "root"))
    page.get_by_role("button", name="Show refusals").click()
    page.locator("#rows tr.one button").first.click()
    expect(page.locator("#rows tr.why")).to_be_visible()
    take(page, "refusals", 1130)
