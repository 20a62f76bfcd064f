"""Refresh tokens: rotated, bound, and ended with all their family where somebody has a copy."""

import pytest

from resource_server.commands.token import REDIRECT_URI
from resource_server.development.accounts import ACCOUNTS
from resource_server.development.clients import Client
from resource_server.development.minting import Mint
from resource_server.development.tokens import MAX_LOGINS, REFRESH_LIFETIME, Login, Tokens
from tests.development.visitor import AUDIENCE, ISSUER, TurnableClock, Visitor, claims_of

REFUSED = (400, "invalid_grant")


async def refused(visitor: Visitor, refresh_token: str, /, **form: str) -> tuple[int, str]:
    answer = await visitor.refresh(refresh_token, **form)
    return answer.status_code, answer.json()["error"]


async def test_a_refresh_token_gives_a_new_access_token_and_a_new_refresh_token(
    visitor: Visitor, clock: TurnableClock
) -> None:
    """RFC 6749 §6 and RFC 9700 §4.14.2; RFC 9068 §2.2.1: the user has not logged in again."""
    first = await visitor.tokens(scope="orders:read orders:write")
    clock.time += 100

    answer = await visitor.refresh(first["refresh_token"])

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    second = answer.json()
    assert second.keys() == first.keys()
    assert second["scope"] == "orders:read orders:write"
    assert second["refresh_token"] != first["refresh_token"]
    before, after = claims_of(first["access_token"]), claims_of(second["access_token"])
    assert after.pop("jti") != before.pop("jti")
    assert after == {**before, "iat": before["iat"] + 100, "exp": before["exp"] + 100}
    assert after["auth_time"] == before["iat"]


async def test_a_refresh_token_that_comes_again_ends_its_whole_family(visitor: Visitor) -> None:
    """RFC 9700 §4.14.2: nobody knows which of the two is the thief. The access tokens end as well."""
    first = await visitor.tokens()
    second = (await visitor.refresh(first["refresh_token"])).json()
    third = (await visitor.refresh(second["refresh_token"])).json()
    stranger = await visitor.tokens("eve")

    assert await refused(visitor, first["refresh_token"]) == REFUSED
    assert await refused(visitor, third["refresh_token"]) == REFUSED
    for tokens in (first, second, third):
        assert await visitor.introspect(tokens["access_token"]) == {"active": False}
    assert (await visitor.introspect(stranger["access_token"]))["active"] is True
    assert (await visitor.refresh(stranger["refresh_token"])).status_code == 200


async def test_a_code_that_comes_again_ends_what_it_was_redeemed_for(visitor: Visitor) -> None:
    """RFC 6749 §4.1.2."""
    code = await visitor.code()
    tokens = (await visitor.redeem(code)).json()

    await visitor.redeem(code, client_id="resource-server-cli")  # nothing to do with it
    before = await visitor.introspect(tokens["access_token"])
    await visitor.redeem(code)

    assert before["active"] is True
    assert await visitor.introspect(tokens["access_token"]) == {"active": False}
    assert await refused(visitor, tokens["refresh_token"]) == REFUSED


async def test_the_scope_can_be_narrowed_for_one_access_token(visitor: Visitor) -> None:
    """RFC 6749 §6: the new refresh token has the scope of the old one."""
    tokens = await visitor.tokens(scope="orders:read orders:write")

    narrow = (await visitor.refresh(tokens["refresh_token"], scope="orders:read")).json()
    wide = (await visitor.refresh(narrow["refresh_token"])).json()

    assert narrow["scope"] == claims_of(narrow["access_token"])["scope"] == "orders:read"
    assert wide["scope"] == "orders:read orders:write"


@pytest.mark.parametrize(
    ("granted", "scope"),
    [
        pytest.param("orders:read", "orders:write", id="not-granted"),
        pytest.param("orders:read", "orders:read orders:write", id="partly-not-granted"),
        pytest.param("orders:read", "nonsense", id="unknown"),
        pytest.param("orders:read", "orders:read  orders:read", id="two-spaces"),
        pytest.param(None, "orders:read", id="nothing-granted"),
    ],
)
async def test_the_scope_can_not_be_widened(visitor: Visitor, granted: str | None, scope: str) -> None:
    """RFC 6749 §6; a mistake does not spend the token."""
    tokens = await visitor.tokens(scope=granted)

    assert await refused(visitor, tokens["refresh_token"], scope=scope) == (400, "invalid_scope")
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_refresh_token_is_of_no_use_to_another_client_and_not_spent_by_it(visitor: Visitor) -> None:
    """RFC 6749 §6 and §10.4: bound to its client."""
    first = await visitor.tokens()
    second = (await visitor.refresh(first["refresh_token"])).json()

    for tokens in (first, second):
        assert await refused(visitor, tokens["refresh_token"], client_id="resource-server-cli") == REFUSED
    assert (await visitor.refresh(second["refresh_token"])).status_code == 200


@pytest.mark.parametrize("token", ["guessed", "guessed.guessed", ".", "é.é", "x" * 5_000])
async def test_a_refresh_token_that_was_never_issued_is_refused(visitor: Visitor, token: str) -> None:
    """RFC 6749 §5.2."""
    assert await refused(visitor, token) == REFUSED


async def test_an_access_token_is_no_refresh_token(visitor: Visitor) -> None:
    """RFC 6749 §5.2."""
    assert await refused(visitor, (await visitor.tokens())["access_token"]) == REFUSED


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        pytest.param({"refresh_token": ""}, 400, "invalid_request", id="no-token"),
        pytest.param({"client_id": ""}, 401, "invalid_client", id="no-client"),
        pytest.param({"client_id": "nobody"}, 401, "invalid_client", id="unknown-client"),
        pytest.param({"client_id": "example-service"}, 401, "invalid_client", id="client-without-its-secret"),
        pytest.param({"resource": "https://other.example.com"}, 400, "invalid_target", id="other-api"),
    ],
)
async def test_a_bad_refresh_request_spends_nothing(
    visitor: Visitor, form: dict[str, str], status: int, error: str
) -> None:
    """RFC 6749 §5.2 and RFC 8707 §2.2."""
    tokens = await visitor.tokens()

    assert await refused(visitor, tokens["refresh_token"], **form) == (status, error)
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_service_gets_no_refresh_token_and_may_use_none(visitor: Visitor) -> None:
    """RFC 6749 §4.4.3."""
    form = {"grant_type": "refresh_token", "refresh_token": (await visitor.tokens())["refresh_token"]}
    answer = await visitor.http.post("/token", data=form, auth=visitor.service)

    assert "refresh_token" not in (await visitor.machine()).json()
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize(("seconds", "status"), [(REFRESH_LIFETIME - 0.5, 200), (REFRESH_LIFETIME, 400)])
async def test_a_login_can_be_refreshed_for_eight_hours_however_often(
    visitor: Visitor, clock: TurnableClock, seconds: float, status: int
) -> None:
    """RFC 9700 §4.14.2, at the bound: a refresh prolongs nothing."""
    tokens = await visitor.tokens()
    clock.time += 3_600
    tokens = (await visitor.refresh(tokens["refresh_token"])).json()

    clock.time += seconds - 3_600

    assert REFRESH_LIFETIME == 8 * 3_600
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == status


def test_a_flood_of_logins_costs_the_oldest_only(clock: TurnableClock) -> None:
    """DESIGN.md: bounds are tested at the bound and one past it."""
    tokens = Tokens(Mint(ISSUER, clock=clock), AUDIENCE, clock)
    logins = [Login("swagger-ui", ACCOUNTS[0], "", int(clock.time)) for _ in range(MAX_LOGINS + 1)]
    issued = [tokens.refresh_token(login) for login in logins]

    assert [tokens.find_login(issued[place]) for place in (0, 1, -1)] == [None, logins[1], logins[-1]]


def test_a_login_remembers_only_those_access_tokens_that_still_live(clock: TurnableClock) -> None:
    """DESIGN.md: what is kept for a login of eight hours is bounded by what lives at once."""
    tokens, login = Tokens(Mint(ISSUER, clock=clock), AUDIENCE, clock), Login("c", ACCOUNTS[0], "", 0)
    for _ in range(4):
        tokens.access_token(Client("c"), "", login)
        clock.time += 150

    assert sorted(login.access_tokens.values()) == [clock.time, clock.time + 150]


async def test_the_command_line_has_a_client_of_its_own(visitor: Visitor) -> None:
    """RFC 8252 §7.3 and §8.5: public, with the redirect URI at which `resource-server token` waits."""
    changes = {"client_id": "resource-server-cli", "redirect_uri": REDIRECT_URI}
    answer = await visitor.submit(await visitor.ask(**changes))
    location = answer.headers["location"]
    code = location.partition("code=")[2].partition("&")[0]
    tokens = (await visitor.redeem(code, **changes)).json()

    assert location.startswith(f"{REDIRECT_URI}?code=")
    assert claims_of(tokens["access_token"])["client_id"] == visitor.server.credentials.cli_client_id
    assert (await visitor.refresh(tokens["refresh_token"], client_id="resource-server-cli")).status_code == 200
