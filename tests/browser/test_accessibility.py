"""Every page, in light and in dark, by axe-core: nobody is shut out (WCAG 2.2 AA)."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import grave
from tests.browser.conftest import Visit
from tests.browser.issuers import mint
from tests.browser.swagger import DocsPage
from tests.callers.development import Development


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_docs_page_has_none(visit: Visit, development: Development, axe: str, scheme: str) -> None:
    """Its dialog, logged out and in, then all of it with an operation tried."""
    visitor = visit(scheme=scheme, bypass_csp=True)
    visitor.expect(401)
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    docs.open_dialog()
    assert grave(docs.page, axe, ".modal-ux") == []
    docs.close_dialog()
    expect(docs.try_out("orders-place_order").status).to_have_text("401")
    assert grave(docs.page, axe) == []
    docs.paste("nothing")
    docs.open_dialog()
    assert grave(docs.page, axe, ".modal-ux") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sample_client_has_none(visit: Visit, development: Development, axe: str, scheme: str) -> None:
    """Before anything happened, and with a login that failed."""
    page = visit(scheme=scheme, bypass_csp=True).page
    page.goto(f"{development.api}/app")
    assert grave(page, axe) == []
    page.goto(f"{development.api}/app?state=another")
    expect(page.get_by_role("listitem")).to_have_count(1)
    assert grave(page, axe) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_playground_has_none(visit: Visit, development: Development, axe: str, scheme: str) -> None:
    """With a check that fails."""
    page = visit(scheme=scheme, bypass_csp=True).page
    page.goto(f"{development.api}/playground")
    expect(page.locator("#verdict")).to_have_text("200OK: granted")
    page.get_by_role("button", name="expired").click()
    expect(page.locator("#checks .failed")).to_have_count(1)
    assert grave(page, axe) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_refusals_has_none(visit: Visit, development: Development, axe: str, scheme: str) -> None:
    """Before the login, with a refusal of its reader, and with a row that is open."""
    visitor = visit(scheme=scheme, bypass_csp=True)
    visitor.expect(401)
    page = visitor.page
    page.goto(f"{development.api}/admin/refusals")
    assert grave(page, axe) == []
    page.get_by_label("Access token with the role admin").fill("nothing")
    page.get_by_role("button", name="Show refusals").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert grave(page, axe) == []
    page.get_by_label("Access token with the role admin").fill(mint(development, "root"))
    page.get_by_role("button", name="Show refusals").click()
    page.locator("#rows tr.one button").first.click()
    expect(page.locator("#rows tr.why")).to_be_visible()
    assert grave(page, axe) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_page_has_none(visit: Visit, development: Development, axe: str, scheme: str) -> None:
    """That of the development authorization server."""
    visitor = visit(scheme=scheme, bypass_csp=True)
    visitor.expect(404)  # the icon, which the page's policy forbids otherwise
    page = visitor.page
    page.goto(f"{development.api}/app")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{development.issuer}/authorize?*")
    assert grave(page, axe) == []


def test_the_docs_page_follows_the_browser_into_the_dark(visit: Visit, development: Development) -> None:
    """Swagger UI has a dark of its own and waits to be told; so it is, also while the page is open."""
    page = visit(scheme="dark").page
    page.goto(f"{development.api}/docs")
    expect(page.locator("html")).to_have_css("background-color", "rgb(28, 32, 34)")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).not_to_have_class("dark-mode")
    expect(page.locator("html")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
