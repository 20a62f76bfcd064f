"""Introspection (RFC 7662): the API learns what its access tokens stand for, and nobody learns anything else."""

from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_server.development.accounts import ACCOUNTS
from resource_server.development.authorization_server import DevelopmentServer, create_authorization_server
from resource_server.development.clients import Client
from resource_server.development.minting import OMIT, Mint, SigningKey
from resource_server.development.tokens import MAX_OPAQUE, Login, Tokens
from tests.development.visitor import API, AUDIENCE, DAY, ISSUER, REDIRECT_URI, TurnableClock, Visitor, claims_of

INACTIVE = {"active": False}
NOW = int(DAY)
MINT = Mint(ISSUER)


async def service_token(visitor: Visitor, auth: tuple[str, str], scope: str = "orders:read") -> str:
    form = {"grant_type": "client_credentials", "scope": scope}
    return str((await visitor.http.post("/token", data=form, auth=auth)).json()["access_token"])


async def test_a_user_s_token_is_described(visitor: Visitor) -> None:
    """RFC 7662 §2.2, RFC 9068 §2.2.3.1 for the roles, RFC 9470 §6.2 for acr and auth_time."""
    token = (await visitor.tokens("eve", scope="orders:read users:read"))["access_token"]

    assert await visitor.introspect(token) == {
        "active": True,
        "token_type": "Bearer",
        "iss": ISSUER,
        "sub": "eve",
        "client_id": "swagger-ui",
        "aud": AUDIENCE,
        "iat": NOW,
        "exp": NOW + 300,
        "jti": claims_of(token)["jti"],
        "scope": "orders:read users:read",
        "roles": ["editor"],
        "acr": "urn:example:password",
        "auth_time": NOW,
    }


async def test_an_opaque_token_is_described_by_introspection_alone(visitor: Visitor) -> None:
    """RFC 7662 §1: it says nothing by itself."""
    token = await service_token(visitor, visitor.opaque_service)

    assert "." not in token
    members = await visitor.introspect(token)
    assert members.pop("jti")
    assert members == {
        "active": True,
        "token_type": "Bearer",
        "iss": ISSUER,
        "sub": "example-opaque-service",
        "client_id": "example-opaque-service",
        "aud": AUDIENCE,
        "iat": NOW,
        "exp": NOW + 300,
        "scope": "orders:read",
    }


async def test_all_clients_can_be_given_opaque_tokens(clock: TurnableClock) -> None:
    """RFC 7662 §1, for a user's token: the same members as those of a JWT."""
    uris = [REDIRECT_URI]
    server = create_authorization_server(ISSUER, AUDIENCE, api_origin=API, redirect_uris=uris, opaque=True, now=clock)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(server.app), base_url=ISSUER) as http:
        visitor = Visitor(server, http)
        user, service = await visitor.tokens("root"), await service_token(visitor, visitor.service)
        refreshed = (await visitor.refresh(user["refresh_token"])).json()["access_token"]
        members = [await visitor.introspect(token) for token in (user["access_token"], service, refreshed)]

    assert not [token for token in (user["access_token"], service, refreshed) if "." in token]
    assert [(one["sub"], one.get("roles")) for one in members] == [
        ("root", ["admin"]),
        ("example-service", None),
        ("root", ["admin"]),
    ]


@pytest.mark.parametrize("kind", ["service", "opaque_service"])
@pytest.mark.parametrize(("seconds", "active"), [(299.5, True), (300, False)])
async def test_a_token_is_active_until_it_ends(
    visitor: Visitor, clock: TurnableClock, kind: str, seconds: float, active: bool
) -> None:
    """RFC 7662 §2.2 and §4, at the bound."""
    token = await service_token(visitor, getattr(visitor, kind))

    clock.time += seconds

    assert (await visitor.introspect(token))["active"] is active


async def test_a_refresh_token_is_none_of_the_apis_business(visitor: Visitor) -> None:
    """RFC 7662 §2.2: not allowed to introspect this particular token."""
    token = (await visitor.tokens())["refresh_token"]

    assert await visitor.introspect(token) == INACTIVE
    assert await visitor.introspect(token, token_type_hint="refresh_token") == INACTIVE


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
async def test_a_hint_changes_nothing(visitor: Visitor, hint: str) -> None:
    """RFC 7662 §2.1."""
    token = (await visitor.tokens())["access_token"]

    assert (await visitor.introspect(token, token_type_hint=hint))["active"] is True


def minted(mint: Mint) -> dict[str, str]:
    """Tokens that are signed by the server's own key, or nearly."""
    key = mint.keys[0]
    good = mint.access_token()
    header, payload, signature = good.split(".")
    other = mint.access_token(sub="root")
    return {
        "early": mint.access_token(nbf=NOW + 1),
        "another-api": mint.access_token(aud="https://other.example.com"),
        "no-audience": mint.access_token(aud=OMIT),
        "no-expiry": mint.access_token(exp=OMIT),
        "expiry-as-text": mint.access_token(exp=str(NOW + 300)),
        "no-jti": mint.access_token(jti=OMIT),
        "jti-as-list": mint.access_token(jti=[]),
        "id-token": mint.access_token(header={"typ": "JWT"}),
        "no-typ": mint.access_token(header={"typ": OMIT}),
        "forged": mint.access_token(key=SigningKey.generate(kid=key.kid)),
        "payload-exchanged": f"{header}.{other.split('.')[1]}.{signature}",
        "signature-cut": good[:-4],
        "no-signature": f"{header}.{payload}.",
        "two-parts": f"{header}.{payload}",
        "four-parts": f"{good}.{signature}",
        "no-json": mint.sign(b"{", {"typ": "at+jwt"}),
        "a-list": mint.sign(b"[]", {"typ": "at+jwt"}),
        "header-a-list": mint.sign({}, b"[]"),
        "nothing-in-it": mint.sign({}, {"typ": "at+jwt"}),
    }


@pytest.mark.parametrize("name", minted(Mint(ISSUER)))
async def test_what_is_no_good_access_token_for_this_api_is_not_active(visitor: Visitor, name: str) -> None:
    """RFC 7662 §4: signature, times and audience are for the authorization server to judge; RFC 9068 §4 for typ."""
    assert await visitor.introspect(minted(visitor.server.mint)[name]) == INACTIVE


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "Ed25519", "EdDSA"])
async def test_tokens_that_a_test_has_minted_are_introspected_too(clock: TurnableClock, algorithm: str) -> None:
    """For scripts and tests that need a user's token and no browser; several audiences, and any key."""
    key = SigningKey.generate(algorithm)
    server = create_authorization_server(ISSUER, AUDIENCE, api_origin=API, key=key, now=clock)
    server.mint.keys.insert(0, SigningKey.generate())  # rotated
    claims: dict[str, Any] = {"sub": "root", "aud": ["https://other.example.com", AUDIENCE], "active": False}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(server.app), base_url=ISSUER) as http:
        members = await Visitor(server, http).introspect(server.mint.access_token(key=key, **claims))

    assert (members["active"], members["sub"], members["aud"]) == (True, "root", claims["aud"])


@settings(max_examples=100, deadline=None)
@given(st.text() | st.text("eyJ.-_=", max_size=60) | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_no_text_that_comes_as_a_token_is_an_error(text: str) -> None:
    """T34: nothing from outside is a 500."""
    tokens = Tokens(MINT, AUDIENCE, TurnableClock())

    assert tokens.find_access_token(text) is None
    assert tokens.find_login(text) is None


async def test_the_secret_may_come_in_the_form(visitor: Visitor, server: DevelopmentServer) -> None:
    """RFC 7662 §2.1 with RFC 6749 §2.3.1."""
    token = (await visitor.tokens())["access_token"]
    credentials = server.credentials
    form = {"client_id": credentials.api_client_id, "client_secret": credentials.api_client_secret, "token": token}

    answer = await visitor.http.post("/introspect", data=form)

    assert (answer.status_code, answer.json()["active"]) == (200, True)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("who", ["nobody", "public", "service", "wrong-secret", "no-secret", "bearer"])
async def test_nobody_but_the_api_may_ask(visitor: Visitor, server: DevelopmentServer, who: str) -> None:
    """RFC 7662 §2.1 and §2.3: against token scanning."""
    good = {"token": (await visitor.tokens())["access_token"]}
    forms = {"public": {"client_id": "swagger-ui"}, "no-secret": {"client_id": "example-api"}}
    basic = {"service": visitor.service, "wrong-secret": ("example-api", server.credentials.client_secret)}
    headers = {"Authorization": f"Bearer {good['token']}"} if who == "bearer" else {}
    auth = basic.get(who, httpx2.USE_CLIENT_DEFAULT)

    answer = await visitor.http.post("/introspect", data=good | forms.get(who, {}), auth=auth, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="development authorization server", charset="UTF-8"'
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": ["a", "b"]}], ids=["none", "empty", "two"])
async def test_a_request_without_one_token_is_refused(
    visitor: Visitor, server: DevelopmentServer, form: dict[str, str | list[str]]
) -> None:
    """RFC 7662 §2.1."""
    auth = (server.credentials.api_client_id, server.credentials.api_client_secret)

    answer = await visitor.http.post("/introspect", data=form, auth=auth)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_no_page_may_ask_and_no_uri(visitor: Visitor, server: DevelopmentServer) -> None:
    """RFC 7662 §2.1 and §4; T34."""
    auth = (server.credentials.api_client_id, server.credentials.api_client_secret)

    got = await visitor.http.get("/introspect?token=x", auth=auth)
    posted = await visitor.http.post("/introspect?token=x", data={"token": "x"}, auth=auth)
    page = await visitor.http.post("/introspect", data={"token": "x"}, auth=auth, headers={"Origin": API})

    assert (got.status_code, posted.status_code, page.status_code) == (405, 400, 200)
    assert not [name for name in page.headers if name.startswith("access-control")]


async def test_the_api_gets_no_token_itself(visitor: Visitor, server: DevelopmentServer) -> None:
    """RFC 6749 §5.2: it has no grant."""
    auth = (server.credentials.api_client_id, server.credentials.api_client_secret)

    answer = await visitor.http.post("/token", data={"grant_type": "client_credentials"}, auth=auth)

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_a_flood_of_opaque_tokens_costs_the_oldest_only(clock: TurnableClock) -> None:
    """DESIGN.md: bounds are tested at the bound and one past it."""
    tokens = Tokens(Mint(ISSUER, clock=clock), AUDIENCE, clock)
    issued = [tokens.access_token(Client("service", opaque=True), "", None) for _ in range(MAX_OPAQUE + 1)]

    assert tokens.find_access_token(issued[0]) is None
    assert tokens.find_access_token(issued[1]) is not None
    assert tokens.find_access_token(issued[-1]) is not None


def test_no_secret_of_a_login_is_in_its_repr(clock: TurnableClock) -> None:
    """T37."""
    login = Login("swagger-ui", ACCOUNTS[0], "orders:read", NOW)
    refresh_token = Tokens(Mint(ISSUER, clock=clock), AUDIENCE, clock).refresh_token(login)

    assert not [part for part in refresh_token.split(".") if part in repr(login)]
