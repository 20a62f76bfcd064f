"""The page of refusals: for admins, live, and of no use to anybody else."""

import httpx2
from playwright.sync_api import Page, expect

from tests.browser.issuers import log_in_for_development, mint
from tests.browser.watching import Watched
from tests.callers.development import Development


def refuse(server: Development, times: int) -> None:
    """Send two Authorization fields, which no other test of this folder does."""
    with httpx2.Client(trust_env=False) as http:
        for _ in range(times):
            fields = [("authorization", "Bearer a"), ("authorization", "Bearer b")]
            assert http.get(f"{server.api}/orders", headers=fields).status_code == 400


def log_in(page: Page, server: Development, user: str) -> None:
    """In the window that the page opens for it."""
    page.goto(f"{server.api}/admin/refusals")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Log in …").click()
    with opened.value.expect_event("close"):
        log_in_for_development(opened.value, user, server.passwords[user])


def test_an_admin_sees_each_refusal_and_the_next_one_as_it_happens(visitor: Watched, development: Development) -> None:
    """D11, seen from within: how often, and for each one why and what to do."""
    refuse(development, 2)
    page = visitor.page
    log_in(page, development, "root")
    expect(page.get_by_role("status").first).to_have_text("live")
    bar = page.locator("#bars [data-kind=repeated_credentials]")
    expect(bar.locator(".count")).to_have_text("2")
    refuse(development, 1)
    expect(bar.locator(".count")).to_have_text("3")
    bar.click()
    rows = page.locator("#rows tr.one")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("GET /orders")
    expect(rows.first.locator(".status")).to_have_text("400")
    rows.first.get_by_role("button").click()
    expect(page.locator("#rows tr.why")).to_contain_text("Send the token once.")
    refuse(development, 1)
    expect(rows).to_have_count(4)
    expect(page.locator("#rows tr.why")).to_have_count(1)


def test_the_token_is_forgotten_when_the_admin_says_so(visitor: Watched, development: Development) -> None:
    """It stays in the page's memory alone: neither a storage nor a cookie has it, and a reload begins anew."""
    page = visitor.page
    page.goto(f"{development.api}/admin/refusals")
    page.get_by_label("Access token with the role admin").fill(mint(development, "root"))
    page.get_by_role("button", name="Show refusals").click()
    expect(page.get_by_role("status").first).to_have_text("live")
    assert visitor.context.storage_state() == {"cookies": [], "origins": []}
    page.get_by_role("button", name="Forget the token").click()
    expect(page.locator("#shown")).to_be_hidden()
    expect(page.get_by_role("status").first).to_have_text("not connected")
    assert page.locator("#rows tr").count() == 0


def test_who_lacks_the_role_is_told_and_sees_nothing(visitor: Watched, development: Development) -> None:
    """D22: alice's token is good, and shows her nothing."""
    visitor.expect(403)
    log_in(visitor.page, development, "alice")
    expect(visitor.page.get_by_role("alert")).to_have_text("This token is valid, but its owner lacks the role admin.")
    expect(visitor.page.locator("#shown")).to_be_hidden()
    assert visitor.page.locator("#rows tr").count() == 0
