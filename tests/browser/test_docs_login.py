"""The docs page: a person presses Authorize, logs in at the issuer, and tries a call (DESIGN §1, known pain 21)."""

from functools import partial
from urllib.parse import quote

from playwright.sync_api import expect

from tests.browser.below_a_prefix import Prefixed
from tests.browser.issuers import log_in_at_oidc_provider, log_in_for_development
from tests.browser.swagger import DocsPage
from tests.browser.watching import Watched
from tests.callers.development import Development
from tests.integration.identity_provider import API
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


def test_the_dialog_takes_the_focus_keeps_it_and_gives_it_back(visitor: Watched, development: Development) -> None:
    """WCAG 2.4.3: who hears the page is told of the dialog, does not leave it unawares, and ends where it began."""
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    docs.open_dialog()
    dialog = docs.page.get_by_role("dialog", name="Available authorizations")
    held = "element => element.contains(document.activeElement)"
    assert dialog.evaluate(held)
    dialog.get_by_role("button", name="Close").first.focus()
    docs.page.keyboard.press("Shift+Tab")
    assert dialog.evaluate(held)
    dialog.get_by_role("button", name="Close").last.focus()
    docs.page.keyboard.press("Tab")
    assert dialog.evaluate(held)
    docs.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(docs.page.locator(".schemes .authorize")).to_be_focused()


def test_controls_are_called_what_they_read(visitor: Watched, development: Development) -> None:
    """WCAG 2.5.3 and 4.1.2: who speaks to the page says "Authorize", and each list and text area has a name."""
    visitor.expect(401)
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    docs.try_out("orders-place_order")
    expect(docs.page.get_by_role("textbox", name="Request body")).to_be_visible()
    expect(docs.page.get_by_role("combobox", name="Server")).to_be_visible()
    expect(docs.page.get_by_role("combobox", name="Example").first).to_be_visible()
    dialog = docs.open_dialog()
    expect(dialog.get_by_role("textbox", name="Access token")).to_be_visible()
    expect(dialog.get_by_role("button", name="Authorize: Apply given OAuth2 credentials")).to_be_visible()


def test_the_resource_is_named_to_the_token_endpoint_too(visitor: Watched, served: Served) -> None:
    """RFC 8707 §2.2: where ``openid`` is asked for, this issuer's token would else be for its own userinfo."""
    asked: list[str] = []
    visitor.context.on("request", lambda one: asked.append(one.post_data or "") if one.method == "POST" else None)
    docs = DocsPage(visitor.page, f"{served.url}/docs")
    docs.log_in(partial(log_in_at_oidc_provider, name="alice"))
    expect(docs.try_out("orders-list_orders").status).to_have_text("200")
    [body] = [body for body in asked if "grant_type=authorization_code" in body]
    assert f"resource={quote(API, safe='')}" in body
