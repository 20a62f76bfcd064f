"""The login page: what it shows, what it allows, and whose form it takes."""

import base64
import hashlib
import re
from collections.abc import MutableMapping
from typing import Any

import httpx2
import pytest

from resource_server.development.authorization_server import MAX_BODY, create_authorization_server
from tests.development.visitor import (
    API,
    AUDIENCE,
    ISSUER,
    TurnableClock,
    Visitor,
    form_action,
    hidden_fields,
    policy,
    query,
    returned,
)


async def test_the_page_says_who_asks_for_what(visitor: Visitor) -> None:
    """RFC 6749 §10.2: the user has to know to whom he gives what."""
    page = await visitor.ask(scope="orders:read profile:write")

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for text in ("swagger-ui", f"{API}/docs/oauth2-redirect", "see orders", "change your profile"):
        assert text in page.text
    assert "asks for no scope" in (await visitor.ask(scope=None)).text


async def test_the_page_can_be_used_without_seeing_it(visitor: Visitor) -> None:
    """WCAG 2.2: 3.1.1, 1.3.1, 1.3.5 and 2.4.2."""
    page = (await visitor.ask()).text

    assert '<html lang="en">' in page
    assert "<title>Log in" in page
    assert page.count("<h1>") == page.count("<main>") == 1
    for field in re.findall(r'<input id="(\w+)"', page):
        assert f'<label for="{field}">' in page


async def test_the_page_loads_and_runs_nothing(visitor: Visitor) -> None:
    """T34 and T36: no external resource, no script, no frame; no opener policy, which would cut the popup off."""
    page = await visitor.ask()

    sources = policy(page)
    assert sources["default-src"] == sources["frame-ancestors"] == sources["base-uri"] == ["'none'"]
    assert sources["form-action"] == ["'self'", API]
    [style] = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert sources["style-src"] == [f"'sha256-{digest}'"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "cross-origin-opener-policy" not in page.headers
    assert not re.search(r"<script|<link|<img|\ssrc=|\sstyle=|\son\w+=|url\(|@import", page.text)


async def test_a_redirect_to_an_ipv6_address_is_allowed_by_its_scheme(clock: TurnableClock) -> None:
    """The CSP grammar has no IPv6 literals, so Chromium would not follow the redirect."""
    server = create_authorization_server(
        "http://[::1]:9000", AUDIENCE, api_origin="http://[::1]:8000", redirect_uris=(), now=clock
    )
    transport = httpx2.ASGITransport(server.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://[::1]:9000") as http:
        page = await http.get(f"/authorize?{query(redirect_uri=None)}")
        answer = await Visitor(server, http).submit(page)

    assert policy(page)["form-action"] == ["'self'", "http:"]
    assert answer.headers["location"].startswith("http://[::1]:8000/docs/oauth2-redirect?code=")


@pytest.mark.parametrize("attack", ['"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", "</style><b>"])
@pytest.mark.parametrize("name", ["state", "nonce", "client_id", "redirect_uri", "scope", "username"])
async def test_nothing_of_a_request_is_shown_unescaped(visitor: Visitor, name: str, attack: str) -> None:
    """T36: escaped in the query of the form's address too."""
    answers = [await visitor.http.get(f"/authorize?{query(**{name: attack})}")]
    answers.append(await visitor.http.get(f"/authorize?{query()}&x={attack}"))
    answers.append(await visitor.submit(await visitor.ask(), attack))

    for answer in answers:
        assert not re.search(r"<script|<img|<b>|</style><b", answer.text)


def http_request() -> dict[str, object]:
    return {"type": "http.request", "body": b""}


async def raw_answer(visitor: Visitor, method: str, query_string: bytes, *messages: dict[str, object]) -> bytes:
    """Speak ASGI, for what no good client would send. Gives the body of the answer."""
    incoming = list(messages)
    outgoing: list[bytes] = []
    scope = {
        "type": "http",
        "method": method,
        "path": "/authorize" if query_string else "/token",
        "query_string": query_string,
        "headers": [(b"host", b"127.0.0.1:9000"), (b"content-type", b"application/x-www-form-urlencoded")],
        "client": ("127.0.0.1", 1),
    }

    async def receive() -> dict[str, object]:
        return incoming.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        outgoing.append(message.get("body", b""))

    await visitor.server.app(scope, receive, send)
    return b"".join(outgoing)


@pytest.mark.parametrize("query_string", [query().encode(), b""], ids=["login", "token"])
async def test_a_client_that_hangs_up_causes_no_error(visitor: Visitor, query_string: bytes) -> None:
    """A half-sent form is nobody's fault but the client's."""
    started = {"type": "http.request", "body": b"username=", "more_body": True}

    assert await raw_answer(visitor, "POST", query_string, started, {"type": "http.disconnect"}) == b""


async def test_raw_quotes_in_the_query_do_not_leave_the_attribute(visitor: Visitor) -> None:
    """T36, for a client that does not encode."""
    body = await raw_answer(visitor, "GET", query().encode() + b'&x="><script>alert(1)</script>', http_request())

    assert b"<form" in body
    assert b"<script" not in body


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"password": "wrong"}, id="wrong-password"),
        pytest.param({"password": ""}, id="no-password"),
        pytest.param({"username": "nobody"}, id="unknown-user"),
        pytest.param({"username": "", "password": ""}, id="nothing"),
        pytest.param({"password": "pässwörd"}, id="not-ascii"),
    ],
)
async def test_a_wrong_password_shows_the_page_again(visitor: Visitor, changes: dict[str, str]) -> None:
    """RFC 9110 §15.5.2: not 401, which would have to name a scheme; the same words for both mistakes."""
    answer = await visitor.submit(await visitor.ask(), **changes)

    assert answer.status_code == 403
    assert "www-authenticate" not in answer.headers
    assert 'role="alert">The user name or the password is wrong.' in answer.text
    assert returned(await visitor.submit(answer))["code"]  # no lockout


async def test_cancel_tells_the_client(visitor: Visitor) -> None:
    """RFC 6749 §4.1.2.1."""
    back = returned(await visitor.submit(await visitor.ask(), username="", password="", decision="deny"))

    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "xyz", ISSUER)


async def test_a_form_is_good_once(visitor: Visitor) -> None:
    """T34: against forged and repeated forms."""
    page = await visitor.ask()
    await visitor.submit(page, password="wrong")

    answer = await visitor.submit(page)

    assert answer.status_code == 403
    assert "out of date" in answer.text


@pytest.mark.parametrize("transaction", ["", "guessed"])
async def test_a_form_that_is_not_ours_is_not_taken(visitor: Visitor, transaction: str) -> None:
    """RFC 6749 §10.12."""
    answer = await visitor.submit(await visitor.ask(), transaction=transaction)

    assert answer.status_code == 403
    assert "location" not in answer.headers


@pytest.mark.parametrize(("seconds", "status"), [(599.9, 303), (600, 403)])
async def test_a_form_lives_ten_minutes(visitor: Visitor, clock: TurnableClock, seconds: float, status: int) -> None:
    """Its bound."""
    page = await visitor.ask()

    clock.time += seconds

    assert (await visitor.submit(page)).status_code == status


async def test_a_form_is_bound_to_the_request_that_it_was_shown_for(visitor: Visitor) -> None:
    """RFC 9700 §4.7: what the user saw is what he allows."""
    page = await visitor.ask(scope="orders:read")
    fields = {"username": "alice", "password": visitor.server.credentials.passwords["alice"], **hidden_fields(page)}

    answer = await visitor.http.post(f"/authorize?{query(scope='orders:write')}", data=fields)

    assert answer.status_code == 403
    assert "location" not in answer.headers


async def test_a_tampered_address_is_checked_anew(visitor: Visitor) -> None:
    """RFC 6749 §4.1.2.1: the second look is as strict as the first."""
    page = await visitor.ask()
    fields = {"username": "alice", "password": visitor.server.credentials.passwords["alice"], **hidden_fields(page)}

    evil = await visitor.http.post(f"/authorize?{query(redirect_uri='https://evil.example/')}", data=fields)
    plain = await visitor.http.post(f"/authorize?{query(code_challenge_method='plain')}", data=fields)

    assert (evil.status_code, "location" in evil.headers) == (400, False)
    assert returned(plain)["error"] == "invalid_request"


@pytest.mark.parametrize(("site", "status"), [("same-origin", 303), ("same-site", 403), ("cross-site", 403)])
async def test_a_form_that_another_site_sends_is_refused(visitor: Visitor, site: str, status: int) -> None:
    """T36; the browser says whose form it is."""
    visitor.http.headers["Sec-Fetch-Site"] = site
    page = await visitor.ask()

    assert (await visitor.submit(page)).status_code == status


async def test_a_repeated_field_is_refused(visitor: Visitor) -> None:
    """RFC 6749 §3.1 holds for the form as well."""
    page = await visitor.ask()

    answer = await visitor.http.post(form_action(page), data={"username": ["alice", "root"]})

    assert answer.status_code == 400


async def test_a_flood_of_pages_costs_the_oldest_only(visitor: Visitor) -> None:
    """DESIGN.md: bounds are tested at the bound and one past it."""
    first = await visitor.ask()
    second = await visitor.ask()
    for _ in range(999):
        await visitor.ask()

    assert (await visitor.submit(first)).status_code == 403
    assert (await visitor.ask()).status_code == 200
    assert (await visitor.submit(second)).status_code == 403


@pytest.mark.parametrize("path", ["/token", f"/authorize?{query()}"])
async def test_a_body_is_read_up_to_its_bound(http: httpx2.AsyncClient, path: str) -> None:
    """T34, at the bound and one past it."""
    form = {"content-type": "application/x-www-form-urlencoded"}

    within = await http.post(path, content=b"a=" + b"x" * (MAX_BODY - 2), headers=form)
    beyond = await http.post(path, content=b"a=" + b"x" * (MAX_BODY - 1), headers=form)

    assert within.status_code != 413
    assert beyond.status_code == 413
    assert beyond.headers["cache-control"] == "no-store"
