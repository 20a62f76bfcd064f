"""The authorization code grant with PKCE, through the login page."""

from urllib.parse import urlencode

import httpx2
import pytest
from starlette.datastructures import Headers

from resource_server.development.accounts import ACCOUNTS, Accounts
from resource_server.development.clients import Client
from resource_server.development.grants import AuthorizationCode
from resource_server.development.minting import Mint
from resource_server.development.parameters import Parameters, Request
from resource_server.development.provider import Provider
from resource_server.development.tokens import Login
from tests.development.visitor import (
    AUDIENCE,
    CHALLENGE,
    ISSUER,
    OTHER_REDIRECT_URI,
    REDIRECT_URI,
    VERIFIER,
    TurnableClock,
    Visitor,
    claims_of,
    query,
    returned,
)


async def test_a_user_logs_in_and_the_client_gets_a_token(visitor: Visitor, clock: TurnableClock) -> None:
    """RFC 6749 §4.1, RFC 7636, RFC 9207 §2, and RFC 9068 §2.2.1 and §2.2.3.1."""
    answer = await visitor.submit(await visitor.ask(scope="orders:read orders:write"))
    back = returned(answer)
    token = await visitor.redeem(back["code"])

    assert answer.headers["location"].startswith(REDIRECT_URI + "?")
    assert answer.headers["cache-control"] == "no-store"
    assert (back["state"], back["iss"]) == ("xyz", ISSUER)
    assert token.status_code == 200
    assert token.headers["cache-control"] == "no-store"
    body = token.json()
    claims = claims_of(body.pop("access_token"))
    assert body.pop("refresh_token")
    assert body == {"token_type": "Bearer", "expires_in": 300, "scope": "orders:read orders:write"}
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "sub": "alice",
        "client_id": "swagger-ui",
        "aud": AUDIENCE,
        "iat": int(clock.time),
        "exp": int(clock.time) + 300,
        "scope": "orders:read orders:write",
        "roles": ["customer"],
        "auth_time": int(clock.time),
        "acr": "urn:example:password",
    }


async def test_a_token_says_when_its_user_has_logged_in(visitor: Visitor, clock: TurnableClock) -> None:
    """RFC 9068 §2.2.1: the time of the password, not that of the code or of the token."""
    page = await visitor.ask()
    clock.time += 30
    code = returned(await visitor.submit(page))["code"]
    logged_in = int(clock.time)
    clock.time += 30

    claims = claims_of((await visitor.redeem(code)).json()["access_token"])

    assert (claims["auth_time"], claims["iat"]) == (logged_in, logged_in + 30)


ALL = "profile:write users:read orders:read orders:write"


@pytest.mark.parametrize(
    ("user", "granted", "roles"),
    [
        pytest.param("alice", "profile:write orders:read orders:write", ["customer"], id="customer"),
        pytest.param("eve", ALL, ["editor"], id="editor"),
        pytest.param("root", ALL, ["admin"], id="admin"),
    ],
)
async def test_a_user_gives_only_what_is_his_to_give(
    visitor: Visitor, user: str, granted: str, roles: list[str]
) -> None:
    """RFC 6749 §3.3: the answer names the scope when it is less than was asked for."""
    token = (await visitor.redeem(await visitor.code(user, scope=ALL))).json()

    claims = claims_of(token["access_token"])
    assert token["scope"] == claims["scope"] == granted
    assert (claims["sub"], claims["roles"]) == (user, roles)


@pytest.mark.parametrize("scope", [pytest.param("users:read", id="not-his"), pytest.param(None, id="none-asked-for")])
async def test_a_user_who_gives_nothing_gets_a_token_without_scope(visitor: Visitor, scope: str | None) -> None:
    """RFC 6749 §3.3: the pre-defined default is nothing, so that nothing is given unasked."""
    token = (await visitor.redeem(await visitor.code("alice", scope=scope))).json()

    assert token["scope"] == ""
    assert "scope" not in claims_of(token["access_token"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"code_challenge": None, "code_challenge_method": None}, "invalid_request", id="no-challenge"),
        pytest.param({"code_challenge": None}, "invalid_request", id="method-alone"),
        pytest.param({"code_challenge_method": None}, "invalid_request", id="plain-by-default"),
        pytest.param({"code_challenge_method": "plain"}, "invalid_request", id="plain"),
        pytest.param({"code_challenge": "x" * 44}, "invalid_request", id="no-sha-256"),
        pytest.param({"code_challenge": "!" * 43}, "invalid_request", id="no-base64url"),
        pytest.param({"response_type": None}, "invalid_request", id="no-response-type"),
        pytest.param({"response_type": "token"}, "unsupported_response_type", id="implicit"),
        pytest.param({"response_type": 'x"\\\r\n'}, "unsupported_response_type", id="hostile-response-type"),
        pytest.param({"response_mode": "fragment"}, "invalid_request", id="fragment"),
        pytest.param({"scope": "nonsense"}, "invalid_scope", id="unknown-scope"),
        pytest.param({"resource": "https://other.example.com"}, "invalid_target", id="other-api"),
    ],
)
async def test_a_bad_authorization_request_is_told_to_the_client(
    visitor: Visitor, changes: dict[str, str | None], error: str
) -> None:
    """RFC 6749 §4.1.2.1, RFC 7636 §4.4.1 and RFC 8707 §2, before anybody logs in; RFC 9207 §2."""
    back = returned(await visitor.ask(**changes))

    assert (back["error"], back["state"], back["iss"]) == (error, "xyz", ISSUER)
    assert "code" not in back


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"client_id": None}, id="no-client"),
        pytest.param({"client_id": "nobody"}, id="unknown-client"),
        pytest.param({"client_id": "example-service"}, id="client-without-uris"),
        pytest.param({"redirect_uri": None}, id="no-uri-of-two"),
        pytest.param({"redirect_uri": "https://evil.example/cb"}, id="evil-uri"),
        pytest.param({"redirect_uri": 'https://evil.example/"<script>\r\n'}, id="hostile-uri"),
        pytest.param({"redirect_uri": REDIRECT_URI + "/"}, id="one-character-more"),
        pytest.param({"redirect_uri": REDIRECT_URI + "?x=1"}, id="another-query"),
        pytest.param({"redirect_uri": REDIRECT_URI.replace(":8000", ":8001")}, id="another-port"),
        pytest.param({"redirect_uri": REDIRECT_URI.upper()}, id="another-case"),
    ],
)
async def test_nobody_is_redirected_to_an_address_that_is_not_registered(
    visitor: Visitor, changes: dict[str, str | None]
) -> None:
    """RFC 6749 §4.1.2.1 and RFC 9700 §2.1: the user is told instead."""
    answer = await visitor.ask(**changes)

    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "twice",
    [
        pytest.param("scope=orders:write", id="scope"),
        pytest.param("code_challenge=x", id="challenge"),
        pytest.param("unknown=1&unknown=2", id="unknown"),
    ],
)
async def test_a_repeated_parameter_is_told_to_the_client(visitor: Visitor, twice: str) -> None:
    """RFC 6749 §3.1."""
    back = returned(await visitor.http.get(f"/authorize?{query()}&{twice}"))

    assert (back["error"], back["state"]) == ("invalid_request", "xyz")


async def test_a_repeated_state_is_not_chosen_from(visitor: Visitor) -> None:
    """RFC 6749 §3.1."""
    back = returned(await visitor.http.get(f"/authorize?{query()}&state=other"))

    assert back["error"] == "invalid_request"
    assert "state" not in back


@pytest.mark.parametrize("twice", ["client_id=swagger-ui", "redirect_uri=https://evil.example/"])
async def test_with_two_clients_or_two_addresses_nobody_is_redirected(visitor: Visitor, twice: str) -> None:
    """RFC 6749 §3.1: two readers must not see two requests."""
    answer = await visitor.http.get(f"/authorize?{query()}&{twice}")

    assert answer.status_code == 400


@pytest.mark.parametrize("raw", ["state=%ff", "state=%FF%FE&client_id=swagger-ui", "&".join("abcdefgh" * 10)])
async def test_a_query_that_can_not_be_read_is_refused(http: httpx2.AsyncClient, raw: str) -> None:
    """RFC 6749 appendix B."""
    assert (await http.get(f"/authorize?{raw}")).status_code == 400


async def test_the_registered_query_of_a_redirect_uri_is_kept(visitor: Visitor) -> None:
    """RFC 6749 §3.1.2."""
    answer = await visitor.submit(await visitor.ask(redirect_uri=OTHER_REDIRECT_URI))

    assert returned(answer).items() >= {"kept": "1", "state": "xyz", "iss": ISSUER}.items()
    redeemed = await visitor.redeem(returned(answer)["code"], redirect_uri=OTHER_REDIRECT_URI)
    assert redeemed.status_code == 200


@pytest.mark.parametrize("state", ["ünï codé", "a&b=c#d", "\r\nSet-Cookie: a=b", "x" * 4_000])
async def test_the_state_comes_back_as_it_was(visitor: Visitor, state: str) -> None:
    """RFC 6749 §4.1.2: the exact value, whatever it is."""
    answer = await visitor.submit(await visitor.ask(state=state))

    assert returned(answer)["state"] == state
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"code_verifier": "w" * 43}, "invalid_grant", id="wrong-verifier"),
        pytest.param({"code_verifier": None}, "invalid_request", id="no-verifier"),
        pytest.param({"code_verifier": "short"}, "invalid_request", id="short-verifier"),
        pytest.param({"code_verifier": "é" * 43}, "invalid_request", id="verifier-not-ascii"),
        pytest.param({"redirect_uri": OTHER_REDIRECT_URI}, "invalid_grant", id="another-redirect-uri"),
        pytest.param({"redirect_uri": None}, "invalid_grant", id="no-redirect-uri"),
        pytest.param({"code": "guessed"}, "invalid_grant", id="guessed-code"),
        pytest.param({"code": None}, "invalid_request", id="no-code"),
        pytest.param({"resource": "https://other.example.com"}, "invalid_target", id="other-api"),
        pytest.param({"client_id": None}, "invalid_client", id="no-client"),
    ],
)
async def test_a_code_is_not_redeemed_by_a_wrong_request(
    visitor: Visitor, changes: dict[str, str | None], error: str
) -> None:
    """RFC 6749 §4.1.3, RFC 7636 §4.6 and RFC 8707 §2.2."""
    code = await visitor.code()

    answer = await visitor.redeem(**{"code": code, **changes})  # type: ignore[arg-type]  # one of them leaves it out

    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.json()["error"] == error


async def test_a_code_is_good_once(visitor: Visitor) -> None:
    """RFC 6749 §4.1.2."""
    code = await visitor.code()

    answers = [await visitor.redeem(code) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[1].json()["error"] == "invalid_grant"


async def test_a_code_is_spent_by_a_wrong_try(visitor: Visitor) -> None:
    """RFC 9700 §2.1.1: no second guess at the verifier."""
    code = await visitor.code()

    answers = [await visitor.redeem(code, code_verifier=verifier) for verifier in ("w" * 43, VERIFIER)]

    assert [answer.json()["error"] for answer in answers] == ["invalid_grant", "invalid_grant"]


async def test_a_code_of_one_client_is_of_no_use_to_another_and_not_spent_by_it(visitor: Visitor) -> None:
    """RFC 6749 §4.1.3."""
    code = await visitor.code()

    stolen = await visitor.machine(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)

    assert (stolen.status_code, stolen.json()["error"]) == (400, "unauthorized_client")
    assert (await visitor.redeem(code)).status_code == 200


def test_a_code_of_another_public_client_is_left_alone(clock: TurnableClock) -> None:
    """RFC 6749 §4.1.3: the code is bound to its client, though both have the code grant."""
    mine, other = (Client(name, ("authorization_code",), (), (REDIRECT_URI,)) for name in ("mine", "other"))
    provider = Provider(Mint(ISSUER), AUDIENCE, (mine, other), Accounts(ACCOUNTS, {}), clock)
    provider.codes.put("c", AuthorizationCode("c", Login("mine", ACCOUNTS[0], "", 0), REDIRECT_URI, CHALLENGE))
    form = {"grant_type": "authorization_code", "code": "c", "code_verifier": VERIFIER, "redirect_uri": REDIRECT_URI}

    def redeem(client_id: str) -> int:
        parameters = Parameters(urlencode({**form, "client_id": client_id}).encode())
        return provider.token_response(Request("POST", f"{ISSUER}/token", Headers(), parameters)).status_code

    assert [redeem("other"), redeem("mine"), redeem("mine")] == [400, 200, 400]


@pytest.mark.parametrize(("seconds", "status"), [(59.9, 200), (60, 400)])
async def test_a_code_lives_a_minute(visitor: Visitor, clock: TurnableClock, seconds: float, status: int) -> None:
    """RFC 6749 §4.1.2, at the bound."""
    code = await visitor.code()

    clock.time += seconds

    assert (await visitor.redeem(code)).status_code == status
