"""The device authorization grant (RFC 8628): codes, the user's page, and the device that asks again and again."""

import json
import re
from urllib.parse import urlencode

import httpx2
import pytest
from starlette.datastructures import Headers

from resource_server.development.accounts import ACCOUNTS, Accounts
from resource_server.development.clients import Client
from resource_server.development.device import MAX_DEVICES
from resource_server.development.minting import Mint
from resource_server.development.parameters import Parameters, Request
from resource_server.development.provider import Provider
from tests.development.visitor import (
    AUDIENCE,
    DEVICE_GRANT,
    ISSUER,
    TurnableClock,
    Visitor,
    claims_of,
    hidden_fields,
    policy,
)


async def error(visitor: Visitor, codes: dict[str, str], **form: str) -> str:
    answer = await visitor.poll(codes, **form)
    assert answer.status_code == 400
    return str(answer.json()["error"])


async def test_a_device_gets_its_codes(visitor: Visitor) -> None:
    """RFC 8628 §3.2 and §6.1."""
    answer = await visitor.http.post("/device_authorization", data={"client_id": "resource-server-cli"})

    assert answer.headers["cache-control"] == "no-store"
    codes = answer.json()
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    assert len(codes.pop("device_code")) == 42
    assert codes == {
        "user_code": codes["user_code"],
        "verification_uri": f"{ISSUER}/device",
        "verification_uri_complete": f"{ISSUER}/device?user_code={codes['user_code']}",
        "expires_in": 600,
        "interval": 5,
    }


async def test_a_user_allows_and_the_device_gets_its_token(visitor: Visitor, clock: TurnableClock) -> None:
    """RFC 8628 §3.3 to §3.5; the token is the user's, with what is his to give, and no refresh token beside it."""
    codes = await visitor.connect(scope="orders:read users:read", resource=AUDIENCE)
    waiting = await error(visitor, codes)
    clock.time += 60
    page = await visitor.http.get(codes["verification_uri_complete"])
    done = await visitor.submit(page, "alice")
    clock.time += 60
    answer = await visitor.poll(codes)

    assert waiting == "authorization_pending"
    assert done.status_code == 200
    assert "The device is connected" in done.text
    token = answer.json()
    claims = claims_of(token.pop("access_token"))
    assert token == {"token_type": "Bearer", "expires_in": 300, "scope": "orders:read"}
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("alice", "resource-server-cli", "orders:read")
    assert (claims["roles"], claims["acr"]) == (["customer"], "urn:example:password")
    assert (claims["auth_time"], claims["iat"]) == (int(clock.time) - 60, int(clock.time))


async def test_a_device_code_is_good_once(visitor: Visitor) -> None:
    """RFC 8628 §3.4: like any code, so that a copy is worth nothing."""
    codes = await visitor.connect()
    await visitor.submit(await visitor.http.get(codes["verification_uri_complete"]))

    assert (await visitor.poll(codes)).status_code == 200
    assert await error(visitor, codes) == "invalid_grant"


async def test_a_user_refuses_and_the_device_is_told(visitor: Visitor) -> None:
    """RFC 8628 §3.5."""
    codes = await visitor.connect()
    page = await visitor.http.get(codes["verification_uri_complete"])
    done = await visitor.submit(page, username="", password="", decision="deny")

    assert done.status_code == 200
    assert "The device was refused" in done.text
    assert await error(visitor, codes) == "access_denied"
    assert await error(visitor, codes) == "invalid_grant"


async def test_a_device_that_asks_too_often_has_to_slow_down(visitor: Visitor, clock: TurnableClock) -> None:
    """RFC 8628 §3.5: five seconds, then ten, and an answer all the same once there is one."""
    codes = await visitor.connect()
    told = [await error(visitor, codes)]
    for seconds in (5, 4.9, 9.9, 15, 15):
        clock.time += seconds
        told.append(await error(visitor, codes))
    await visitor.submit(await visitor.http.get(codes["verification_uri_complete"]))

    pending, slow_down = "authorization_pending", "slow_down"
    assert told == [pending, pending, slow_down, slow_down, pending, pending]
    assert (await visitor.poll(codes)).status_code == 200


@pytest.mark.parametrize(
    ("seconds", "expected", "status"),
    [(599.5, "authorization_pending", 200), (600, "expired_token", 404), (1_200, "invalid_grant", 404)],
)
async def test_the_codes_live_ten_minutes(
    visitor: Visitor, clock: TurnableClock, seconds: float, expected: str, status: int
) -> None:
    """RFC 8628 §3.2 and §3.5, at the bound, on the page too; after as long again nobody remembers them."""
    codes = await visitor.connect()

    clock.time += seconds

    assert await error(visitor, codes) == expected
    assert (await visitor.http.get(codes["verification_uri_complete"])).status_code == status


@pytest.mark.parametrize(
    ("form", "status", "expected"),
    [
        pytest.param({"client_id": ""}, 401, "invalid_client", id="no-client"),
        pytest.param({"client_id": "nobody"}, 401, "invalid_client", id="unknown-client"),
        pytest.param({"client_id": "example-service"}, 401, "invalid_client", id="no-secret"),
        pytest.param({"client_id": "swagger-ui"}, 400, "unauthorized_client", id="client-with-a-browser"),
        pytest.param({"scope": "nonsense"}, 400, "invalid_scope", id="unknown-scope"),
        pytest.param({"scope": "orders:read  users:read"}, 400, "invalid_scope", id="two-spaces"),
        pytest.param({"resource": "https://other.example.com"}, 400, "invalid_target", id="other-api"),
    ],
)
async def test_a_bad_device_authorization_request_is_refused(
    visitor: Visitor, form: dict[str, str], status: int, expected: str
) -> None:
    """RFC 8628 §3.1, RFC 6749 §5.2 and RFC 8707 §2."""
    answer = await visitor.http.post("/device_authorization", data={"client_id": "resource-server-cli", **form})

    assert (answer.status_code, answer.json()["error"]) == (status, expected)


@pytest.mark.parametrize(
    ("form", "status", "expected"),
    [
        pytest.param({"device_code": "guessed"}, 400, "invalid_grant", id="guessed"),
        pytest.param({"device_code": ""}, 400, "invalid_request", id="no-code"),
        pytest.param({"client_id": ""}, 401, "invalid_client", id="no-client"),
        pytest.param({"client_id": "swagger-ui"}, 400, "unauthorized_client", id="client-with-a-browser"),
        pytest.param({"resource": "https://other.example.com"}, 400, "invalid_target", id="other-api"),
    ],
)
async def test_a_bad_device_token_request_spends_nothing(
    visitor: Visitor, form: dict[str, str], status: int, expected: str
) -> None:
    """RFC 8628 §3.4 and RFC 6749 §5.2."""
    codes = await visitor.connect()
    await visitor.submit(await visitor.http.get(codes["verification_uri_complete"]))

    answer = await visitor.poll(codes, **form)

    assert (answer.status_code, answer.json()["error"]) == (status, expected)
    assert (await visitor.poll(codes)).status_code == 200


@pytest.mark.parametrize("typed", ["{}", " {} ", "lower {}", "without-dash {}", "%00{}"])
async def test_a_user_code_is_read_with_forgiveness(visitor: Visitor, typed: str) -> None:
    """RFC 8628 §6.1: case and punctuation do not matter."""
    code = (await visitor.connect())["user_code"]
    shown = {"lower {}": code.lower(), "without-dash {}": code.replace("-", "")}.get(typed, typed.format(code))

    page = await visitor.http.get(f"/device?user_code={shown}")

    assert page.status_code == 200
    assert hidden_fields(page)["user_code"] == code


async def test_the_page_asks_for_the_code_first(visitor: Visitor) -> None:
    """RFC 8628 §3.3; WCAG 2.2: 1.3.1."""
    page = await visitor.http.get("/device")

    assert page.status_code == 200
    assert '<form method="get" action="/device">' in page.text
    assert '<label for="user_code">' in page.text
    assert policy(page)["form-action"] == ["'self'"]
    assert policy(page)["default-src"] == policy(page)["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("code", ["BCDF-GHJK", "x", "0", "é", '"><script>alert(1)</script>'])
async def test_an_unknown_code_is_asked_for_again(visitor: Visitor, code: str) -> None:
    """RFC 8628 §5.1; T36: nothing of it is shown."""
    page = await visitor.http.get("/device", params={"user_code": code})

    assert page.status_code == 404
    assert 'role="alert">No device waits with this code' in page.text
    assert "<script" not in page.text


async def test_the_login_page_says_who_asks_for_what_and_shows_the_code(visitor: Visitor) -> None:
    """RFC 8628 §3.3.1 and §5.4: against a link that somebody else has sent."""
    codes = await visitor.connect(scope="orders:read")
    page = await visitor.http.get(codes["verification_uri_complete"])

    for text in ("resource-server-cli", f"<code>{codes['user_code']}</code>", "see orders", "only if you have started"):
        assert text in page.text
    assert policy(page)["form-action"] == ["'self'"]
    assert page.headers["cache-control"] == "no-store"


async def test_a_wrong_password_shows_the_page_again(visitor: Visitor) -> None:
    """RFC 9110 §15.5.2; nothing is decided by it."""
    codes = await visitor.connect()
    answer = await visitor.submit(await visitor.http.get(codes["verification_uri_complete"]), password="wrong")

    assert answer.status_code == 403
    assert "The user name or the password is wrong." in answer.text
    assert await error(visitor, codes) == "authorization_pending"
    assert "The device is connected" in (await visitor.submit(answer)).text


async def test_a_form_is_good_once_and_for_its_device_only(visitor: Visitor) -> None:
    """T34: against forged and repeated forms, as at the authorization endpoint."""
    mine, other = await visitor.connect(), await visitor.connect()
    page = await visitor.http.get(mine["verification_uri_complete"])

    exchanged = await visitor.submit(page, user_code=other["user_code"])
    repeated = await visitor.submit(page)
    forged = await visitor.submit(page, transaction="guessed")

    for answer in (exchanged, repeated, forged):
        assert answer.status_code == 403
        assert "out of date" in answer.text
    for codes in (mine, other):
        assert await error(visitor, codes) == "authorization_pending"


async def test_a_decision_is_made_once(visitor: Visitor) -> None:
    """RFC 8628 §3.3: the code on the page is spent with it."""
    codes = await visitor.connect()
    pages = [await visitor.http.get(codes["verification_uri_complete"]) for _ in range(2)]

    answers = [await visitor.submit(pages[0], "alice"), await visitor.submit(pages[1], "root")]

    assert [answer.status_code for answer in answers] == [200, 404]
    assert claims_of((await visitor.poll(codes)).json()["access_token"])["sub"] == "alice"


async def test_a_form_that_another_site_sends_decides_nothing(visitor: Visitor) -> None:
    """T36; the browser says whose form it is."""
    codes = await visitor.connect()
    page = await visitor.http.get(codes["verification_uri_complete"])
    visitor.http.headers["Sec-Fetch-Site"] = "cross-site"

    assert (await visitor.submit(page)).status_code == 403
    assert await error(visitor, codes) == "authorization_pending"


async def test_a_flood_of_devices_costs_the_oldest_only(visitor: Visitor) -> None:
    """DESIGN.md: bounds are tested at the bound and one past it."""
    first, second = [await visitor.connect() for _ in range(2)]
    for _ in range(MAX_DEVICES - 1):
        latest = await visitor.connect()

    assert await error(visitor, first) == "invalid_grant"
    assert (await visitor.http.get(first["verification_uri_complete"])).status_code == 404
    for codes in (second, latest):
        assert await error(visitor, codes) == "authorization_pending"


async def test_no_page_of_another_origin_can_begin_as_a_device(http: httpx2.AsyncClient) -> None:
    """T34: a device is no browser."""
    form = {"client_id": "resource-server-cli"}
    answer = await http.post("/device_authorization", data=form, headers={"Origin": "http://127.0.0.1:8000"})

    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert (await http.post("/device_authorization?client_id=resource-server-cli", data=form)).status_code == 400
    assert (await http.get("/device_authorization")).status_code == 405


def test_a_device_code_is_bound_to_its_client(clock: TurnableClock) -> None:
    """RFC 8628 §3.4 and RFC 6749 §5.2: another client is not even told that there is one."""
    mine, other = (Client(name, (DEVICE_GRANT,)) for name in ("mine", "other"))
    provider = Provider(Mint(ISSUER), AUDIENCE, (mine, other), Accounts(ACCOUNTS, {}), clock)
    provider.devices.add(mine, "", "d", "BCDF-GHJK")

    def poll(client_id: str) -> object:
        form = {"grant_type": DEVICE_GRANT, "device_code": "d", "client_id": client_id}
        parameters = Parameters(urlencode(form).encode())
        answer = provider.token_response(Request("POST", f"{ISSUER}/token", Headers(), parameters))
        return json.loads(bytes(answer.body))["error"]

    assert [poll("other"), poll("mine")] == ["invalid_grant", "authorization_pending"]
