"""The docs page: a token is pasted, a call is tried, and the page shows what the API answered."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.issuers import client_credentials, mint
from tests.browser.swagger import DocsPage
from tests.browser.watching import Watched
from tests.callers.development import Development

HOUR = 3600


def test_a_good_token_opens_what_its_scope_names(visitor: Watched, development: Development) -> None:
    """The scheme bearer_token, for who has a token already."""
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    docs.paste(client_credentials(development, "orders:read"))
    answer = docs.try_out("orders-list_orders")
    expect(answer.status).to_have_text("200")
    expect(answer.curl).to_contain_text("Authorization: Bearer ")


def test_no_token_gets_a_challenge_without_an_error(visitor: Watched, development: Development) -> None:
    """RFC 6750 §3.1, D01."""
    visitor.expect(401)
    answer = DocsPage(visitor.page, f"{development.api}/docs").try_out("orders-list_orders")
    expect(answer.status).to_have_text("401")
    expect(answer.fields).to_contain_text('www-authenticate: Bearer realm="api",scope="orders:read"')
    expect(answer.fields).not_to_contain_text("error=")


@pytest.mark.parametrize(
    ("spoil", "description"),
    [
        pytest.param("expired", "The access token has expired", id="expired"),
        pytest.param("tampered", None, id="tampered signature"),
    ],
)
def test_a_token_that_is_no_good_gets_invalid_token(
    visitor: Watched, development: Development, spoil: str, description: str | None
) -> None:
    """RFC 6750 §3.1: only of a token that is good otherwise is told that it expired."""
    visitor.expect(401)
    claims = {"iat": 1, "exp": HOUR} if spoil == "expired" else {}
    token = mint(development, "alice", "swagger-ui", "orders:read", **claims)
    if spoil == "tampered":
        start, _, signature = token.rpartition(".")
        token = f"{start}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    docs.paste(token)
    answer = docs.try_out("orders-list_orders")
    expect(answer.status).to_have_text("401")
    expect(answer.fields).to_contain_text('error="invalid_token"')
    expect(answer.body).to_contain_text('"invalid_token"')
    if description is not None:
        expect(answer.body).to_contain_text(description)
    else:
        expect(answer.body).not_to_contain_text(re.compile("expired|signature"))


def test_a_missing_role_gets_403_without_a_challenge(visitor: Watched, development: Development) -> None:
    """D22: no other token of the same client would help."""
    visitor.expect(403)
    docs = DocsPage(visitor.page, f"{development.api}/docs")
    docs.paste(client_credentials(development, "orders:read"))
    answer = docs.try_out("admin-read_dashboard")
    expect(answer.status).to_have_text("403")
    expect(answer.body).to_contain_text('"access_denied"')
    expect(answer.fields).not_to_contain_text("www-authenticate")
