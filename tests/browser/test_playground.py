"""The playground: what is wrong with a token, check by check, and what a route answers."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.watching import Watched
from tests.callers.development import Development


@pytest.fixture
def page(visitor: Watched, development: Development) -> Page:
    """Open, with a good token of alice that has been tried at GET /orders."""
    visitor.page.goto(f"{development.api}/playground")
    expect(visitor.page.locator("#verdict")).to_have_text("200OK: granted")
    return visitor.page


@pytest.mark.parametrize(
    ("button", "check", "kind", "description"),
    [
        pytest.param("expired", "expiry", "expired", "The access token has expired", id="expired"),
        pytest.param("another audience", "audience", "wrong_audience", "", id="wrong audience"),
        pytest.param("issuer with a slash", "issuer", "wrong_issuer", "", id="wrong issuer"),
        pytest.param("Break the signature", "signature", "bad_signature", "", id="tampered signature"),
        pytest.param("an ID token", "type", "wrong_token_type", "", id="ID token"),
    ],
)
def test_a_broken_token_is_explained_at_the_check_that_fails(
    page: Page, button: str, check: str, kind: str, description: str
) -> None:
    """The operator is told why; what the caller would get tells no more than D13 to D17 let it."""
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("#verdict")).to_have_text(f"401Unauthorized: {kind}")
    expect(page.locator("#checks .failed .what")).to_have_text([check])
    expect(page.locator("#checks .failed dt").last).to_have_text("fix")
    expect(page.locator("#checks li").first.locator(".what")).to_have_text("syntax")
    expect(page.locator("#checks li").first.get_by_role("img", name="passed")).to_be_visible()
    answer = page.locator("#response")
    expect(answer).to_contain_text("HTTP/1.1 401 Unauthorized")
    expect(answer).to_contain_text('error="invalid_token"')
    expect(answer).to_contain_text(description or '"error_description":"The access token is invalid')
    expect(page.locator("#kind")).to_contain_text(f"docs/refusals.md#{kind}")


HOSTILE = '<img src="http://127.0.0.1:1/" onerror="console.error(1)"><script>console.error(2)</script>'


def test_the_text_of_a_hostile_claim_stays_text(page: Page) -> None:
    """T36: a token may say anything, and the page shows it as it stands."""
    claims = json.loads(page.locator("#claims").input_value())
    page.locator("#claims").fill(json.dumps(claims | {"aud": HOSTILE}))
    page.get_by_role("button", name="Sign again").click()
    expect(page.locator("#checks .failed")).to_contain_text("<img src=")
    expect(page.locator("#checks .failed")).to_contain_text("<script>console.error(2)</script>")
    assert page.locator("main img").count() == 0
    assert page.locator("main script").count() == 0


def test_a_route_tells_what_it_requires_and_what_the_token_lacks(page: Page) -> None:
    """D20 and D22 side by side: one more scope would help, a role can't be asked for."""
    page.get_by_label("Route").select_option("GET /api/v1/users")
    expect(page.locator("#requires")).to_have_text("Requires scope users:read.")
    expect(page.locator("#response")).to_contain_text('error="insufficient_scope"')
    page.get_by_label("Route").select_option("GET /admin/dashboard")
    expect(page.locator("#verdict")).to_have_text("403Forbidden: missing_role")
    expect(page.locator("#response")).not_to_contain_text("www-authenticate")
