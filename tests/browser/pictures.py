"""The pictures in the documentation, each of a page at work: `make screenshots`. No test, so it runs by name alone."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.issuers import log_in_for_development, mint
from tests.browser.swagger import DocsPage
from tests.browser.test_refusals_page import refuse
from tests.browser.test_sample_client import SampleClient
from tests.browser.watching import Scheme
from tests.callers.development import Development
from tests.integration.serving import ROOT

FOLDER = ROOT / "docs/images"
PHONE = 390
SCROLL = "element => element.scrollIntoView()"

Take = Callable[..., None]


@pytest.fixture
def take() -> Take:
    def take(page: Page, name: str, height: int = 0, **options: object) -> None:
        FOLDER.mkdir(exist_ok=True)
        width = page.evaluate("innerWidth")
        if height:
            page.set_viewport_size({"width": width, "height": height})
        page.mouse.move(0, 0)
        page.screenshot(path=Path(FOLDER, f"{name}.png"), animations="disabled", full_page=not height)

    return take


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_docs(visit: Visit, development: Development, take: Take, scheme: Scheme) -> None:
    visitor = visit(scheme=scheme)
    visitor.expect(403)
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    log_in = partial(log_in_for_development, name="alice", password=development.passwords["alice"])
    docs.log_in(log_in, scopes=["orders:read"])
    expect(docs.try_out("orders-place_order").status).to_have_text("403")
    docs.page.locator("#operations-orders-place_order .responses-wrapper").evaluate(
        "element => element.scrollIntoView()"
    )
    take(docs.page, f"docs-{scheme}", height=640)


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
    take(client.page, "sample-client", height=680)


@pytest.mark.parametrize(("width", "name"), [(1200, "playground"), (PHONE, "playground-phone")])
def test_playground(visit: Visit, development: Development, take: Take, width: int, name: str) -> None:
    page = visit(width=width, scheme="dark" if width == PHONE else "light").page
    page.goto(f"{development.api}/playground")
    expect(page.locator("#verdict")).to_have_text("200OK: granted")
    page.get_by_role("button", name="another audience").click()
    expect(page.locator("#verdict")).to_contain_text("wrong_audience")
    if width == PHONE:
        page.locator("#result").evaluate(SCROLL)
    take(page, name, height=844 if width == PHONE else 0)


def test_refusals(visit: Visit, development: Development, take: Take) -> None:
    visitor = visit()
    refuse(development, 2)
    page = visitor.page
    page.goto(f"{development.api}/admin/refusals")
    page.get_by_label("Access token with the role admin").fill(mint(development, "root"))
    page.get_by_role("button", name="Show refusals").click()
    page.locator("#rows tr.one button").first.click()
    expect(page.locator("#rows tr.why")).to_be_visible()
    take(page, "refusals", height=900)
