"""The docs page: a person presses Authorize, logs in at the issuer, and tries a call (DESIGN §1, known pain 21)."""

from functools import partial

from playwright.sync_api import expect

from tests.browser.below_a_prefix import Prefixed
from tests.browser.issuers import log_in_at_oidc_provider, log_in_for_development
from tests.browser.swagger import DocsPage
from tests.browser.watching import Watched
from tests.callers.development import Development
from tests.integration.serving import Served


def test_a_person_logs_in_at_the_development_server_and_lists_the_orders(
    visitor: Watched, development: Development
) -> None:
    """RFC 7636: by code and PKCE; the token is sent by the page, and is nowhere else."""
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    answer_login = partial(log_in_for_development, name="alice", password=development.passwords["alice"])
    docs.log_in(answer_login, scopes=["orders:read"])
    answer = docs.try_out("orders-list_orders")
    expect(answer.status).to_have_text("200")
    expect(answer.body).to_contain_text('"lamp"')
    assert visitor.page.url.partition("#")[0] == f"{development.api}/docs"
    assert visitor.context.cookies() == []
    assert visitor.context.storage_state()["origins"] == []


def test_a_person_logs_in_at_an_issuer_of_another_origin(visitor: Watched, served: Served) -> None:
    """npm's oidc-provider, as ``serve`` is told of it: its page, its code, its token endpoint by CORS."""
    docs = DocsPage(visitor.page, f"{served.url}/docs")
    asked: list[str] = []
    visitor.context.on("requestfinished", lambda one: asked.append(one.url) if one.method == "POST" else None)
    docs.log_in(partial(log_in_at_oidc_provider, name="alice"))
    answer = docs.try_out("orders-list_orders")
    expect(answer.status).to_have_text("200")
    expect(answer.fields).to_contain_text("content-type: application/json")
    assert [url for url in asked if url.endswith("/token")] != []
    assert [url for url in asked if "?" in url] == []


def test_what_was_not_asked_for_is_refused_and_the_page_shows_the_challenge(visitor: Watched, served: Served) -> None:
    """D20: the token of DOCS_SCOPES reads orders and places none."""
    visitor.expect(403)
    docs = DocsPage(visitor.page, f"{served.url}/docs")
    docs.log_in(partial(log_in_at_oidc_provider, name="alice"))
    answer = docs.try_out("orders-place_order")
    expect(answer.status).to_have_text("403")
    expect(answer.body).to_contain_text('"insufficient_scope"')
    expect(answer.fields).to_contain_text('error="insufficient_scope",')
    expect(answer.fields).to_contain_text('scope="orders:write"')


def test_a_login_that_the_person_declines_grants_nothing(visitor: Watched, development: Development) -> None:
    """RFC 6749 §4.1.2.1: the page says what the issuer answered."""
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    dialog = docs.open_dialog()
    with visitor.page.expect_popup() as opened:
        dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
    with opened.value.expect_event("close"):
        opened.value.get_by_role("button", name="Cancel").click()
    expect(visitor.page.locator(".errors-wrapper").first).to_contain_text("access_denied")
    expect(dialog.get_by_role("button", name="Remove authorization")).to_have_count(0)


def test_all_of_it_works_below_a_path_prefix(visitor: Watched, prefixed: Prefixed) -> None:
    """Known pain 21: behind a proxy the page finds its files, its redirect, its document and the API."""
    docs = DocsPage(visitor.page, f"{prefixed.url}/docs")
    log_in = partial(log_in_for_development, name="alice", password=prefixed.passwords["alice"])
    docs.log_in(log_in, scopes=["orders:read"])
    answer = docs.try_out("orders-list_orders")
    expect(answer.status).to_have_text("200")
    expect(answer.url).to_have_text(f"{prefixed.url}/orders")


def test_the_keyboard_reaches_authorize_and_the_login(visitor: Watched, development: Development) -> None:
    """WCAG 2.1.1: nothing here needs a mouse."""
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    button = docs.page.locator(".schemes .authorize")
    for _ in range(10):
        docs.page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            break
    expect(button).to_be_focused()
    docs.page.keyboard.press("Enter")
    login = docs.page.get_by_role("button", name="Apply given OAuth2 credentials")
    expect(login).to_be_visible()
    for _ in range(30):
        docs.page.keyboard.press("Tab")
        if login.evaluate("element => element === document.activeElement"):
            break
    expect(login).to_be_focused()
