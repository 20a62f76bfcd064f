"""The sample client at /app: what it does about each refusal (docs/clients.md)."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.issuers import log_in_for_development
from tests.browser.watching import Watched
from tests.callers.development import Development


class SampleClient:
    """Its page, in the hands of one user."""

    def __init__(self, watched: Watched, server: Development, user: str) -> None:
        self.page: Page = watched.page
        self.server, self.user, self._watched = server, user, watched
        self.log = self.page.get_by_role("log")
        self.answer = self.page.locator("#answer")
        self.who = self.page.locator("#who")
        self.page.goto(f"{server.api}/app")

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button).click()

    def log_in(self) -> None:
        """At the issuer, to which the page has gone."""
        self.page.wait_for_url(f"{self.server.issuer}/authorize?*")
        log_in_for_development(self.page, self.user, self.server.passwords[self.user])
        self.page.wait_for_url(f"{self.server.api}/app")
        expect(self.log).to_contain_text("The user has logged in.")

    @property
    def logins(self) -> int:
        """How often the browser was sent to the issuer."""
        return self._watched.navigations.count(f"{self.server.issuer}/authorize")


@pytest.fixture
def alice(visitor: Watched, development: Development) -> SampleClient:
    """A customer."""
    return SampleClient(visitor, development, "alice")


@pytest.fixture
def logged_in(alice: SampleClient, visitor: Watched) -> SampleClient:
    """Alice, with orders:read."""
    visitor.expect(401)
    alice.press("List orders")
    alice.log_in()
    expect(alice.log).to_contain_text("GET /orders: 200")
    return alice


def test_without_a_token_the_user_logs_in_and_the_call_is_made_again(alice: SampleClient, visitor: Watched) -> None:
    """401 without an error: log in, for the scope of the challenge."""
    visitor.expect(401)
    alice.press("List orders")
    alice.log_in()
    expect(alice.log).to_contain_text("GET /orders: 200")
    expect(alice.answer).to_contain_text('"lamp"')
    expect(alice.who).to_have_text("logged in, with orders:read")
    assert alice.page.url == f"{alice.server.api}/app", "the code stays in the address"
    assert visitor.context.cookies(alice.server.api) == []
    assert visitor.context.storage_state()["origins"] == []


def test_a_refused_token_is_renewed_once_and_nobody_is_asked(logged_in: SampleClient, visitor: Watched) -> None:
    """401 invalid_token: renew, call again."""
    visitor.expect(401)
    logged_in.press("Spoil the token")
    logged_in.press("List orders")
    expect(logged_in.log.get_by_role("listitem").last).to_have_text("GET /orders: 200")
    expect(logged_in.log).to_contain_text("so it was renewed")
    assert logged_in.logins == 1


def test_where_renewing_is_no_use_the_user_logs_in_once_and_no_more(logged_in: SampleClient, visitor: Watched) -> None:
    """401 again after a new login: stop, or it is a loop."""
    visitor.expect(400, 401)
    page = logged_in.page
    page.route("**/token", lambda route: _refuse_to_renew(route))
    page.route("**/orders", lambda route: route.fulfill(status=401, headers={"www-authenticate": "Bearer"}, body="{}"))
    logged_in.press("List orders")
    logged_in.log_in()
    expect(logged_in.log).to_contain_text("Even a new token is refused: logging in once more would not help.")
    expect(logged_in.log.get_by_role("listitem").last).to_have_text("GET /orders: 401")
    assert logged_in.logins == 2


def _refuse_to_renew(route: Route) -> None:
    if "grant_type=refresh_token" in (route.request.post_data or ""):
        origin = {"access-control-allow-origin": "*"}
        route.fulfill(status=400, headers=origin, json={"error": "invalid_grant"})
    else:
        route.continue_()


def test_a_missing_scope_is_asked_for_and_the_call_made_again(logged_in: SampleClient, visitor: Watched) -> None:
    """403 insufficient_scope: the scopes of the challenge and those that one has."""
    visitor.expect(403)
    logged_in.press("Place an order")
    logged_in.page.wait_for_url(f"{logged_in.server.issuer}/authorize?*")
    assert parse_qs(urlsplit(logged_in.page.url).query)["scope"] == ["orders:read orders:write"]
    logged_in.log_in()
    expect(logged_in.log).to_contain_text("POST /orders: 201")
    expect(logged_in.who).to_have_text("logged in, with orders:read orders:write")
    assert logged_in.logins == 2


@pytest.mark.parametrize("before", ["nothing", "orders:read"])
def test_a_scope_that_the_user_may_not_have_is_asked_for_once(
    alice: SampleClient, visitor: Watched, before: str
) -> None:
    """The issuer grants less than was asked for; asking again would go round in circles."""
    visitor.expect(401, 403)
    if before == "orders:read":
        alice.press("List orders")
        alice.log_in()
        expect(alice.log).to_contain_text("GET /orders: 200")
    logins = alice.logins
    alice.press("List users")
    alice.log_in()
    expect(alice.log).to_contain_text("The user may not have this scope.")
    expect(alice.log.get_by_role("listitem").last).to_have_text("GET /api/v1/users: 403")
    assert alice.logins == logins + 1


def test_a_user_who_may_not_is_told_and_not_sent_away(logged_in: SampleClient, visitor: Watched) -> None:
    """403 without a challenge: never log in because of it."""
    visitor.expect(403)
    navigations = list(visitor.navigations)
    logged_in.press("Open the dashboard")
    expect(logged_in.log.get_by_role("listitem").last).to_have_text("GET /admin/dashboard: 403")
    expect(logged_in.log).to_contain_text("The user is not allowed to do this. No other token would help.")
    expect(logged_in.answer).to_contain_text('"access_denied"')
    expect(logged_in.who).to_have_text("logged in, with orders:read")
    assert visitor.navigations == navigations


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [
        pytest.param(503, "7", 7, id="an outage"),
        pytest.param(503, "86400", 60, id="an outage of a day"),
        pytest.param(503, "Wed, 21 Oct 2026 07:28:00 GMT", 1, id="an outage until a date"),
        pytest.param(429, "6", 6, id="a limit"),
    ],
)
def test_an_outage_or_a_limit_is_waited_for_with_the_token_kept(
    logged_in: SampleClient, visitor: Watched, status: int, retry_after: str, seconds: int
) -> None:
    """503, 429: as many seconds as Retry-After says, sixty at most, and not one call before."""
    visitor.expect(status)
    page = logged_in.page
    calls: list[str] = []

    def answer(route: Route) -> None:
        calls.append(route.request.headers["authorization"])
        if len(calls) == 1:
            route.fulfill(status=status, headers={"retry-after": retry_after}, json={"error": "try_again"})
        else:
            route.continue_()

    page.route("**/orders", answer)
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    logged_in.press("List orders")
    expect(logged_in.log.get_by_role("listitem").last).to_have_text(f"The API asks for {seconds} s of patience.")
    page.clock.run_for(seconds * 1000 - 1)
    assert len(calls) == 1
    page.clock.run_for(1)
    expect(logged_in.log.get_by_role("listitem").last).to_have_text("GET /orders: 200")
    assert len(calls) == 2
    assert len(set(calls)) == 1
    assert logged_in.logins == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param({"state": "another"}, "This answer belongs to another login.", id="state"),
        pytest.param({"iss": "http://127.0.0.1:1"}, "This answer comes from another issuer.", id="iss"),
    ],
)
def test_an_answer_to_another_login_gets_no_token(
    alice: SampleClient, visitor: Watched, answer: dict[str, str], said: str
) -> None:
    """RFC 6749 §10.12, RFC 9207: a code that somebody slips in is not redeemed."""
    redeemed: list[str] = []
    visitor.context.on("request", lambda request: redeemed.append(request.url) if "/token" in request.url else None)
    alice.press("Log in")
    alice.page.wait_for_url(f"{alice.server.issuer}/authorize?*")
    [state] = parse_qs(urlsplit(alice.page.url).query)["state"]
    query = {"code": "stolen", "state": state, "iss": alice.server.issuer} | answer
    alice.page.goto(f"{alice.server.api}/app?" + "&".join(f"{name}={value}" for name, value in query.items()))
    expect(alice.log).to_contain_text(f"The login failed: {said}")
    expect(alice.who).to_have_text("nobody is logged in")
    assert redeemed == []
    assert "code" not in alice.page.url
