"""Real tokens for a resource server that exists already, as an application makes it when it is imported."""

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from resource_server import AccessToken, ConfigurationError, Issuer, ResourceServer
from resource_server.development.minting import SigningKey
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.testing import FakeIssuer, fake_issuer
from tests.calls import bearer, call

ISSUER, AUDIENCE = "https://id.example.com", "https://notes.example.com"


class Network:
    """The way to the issuer, which no test may go unless it says what is there."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.real = FakeIssuer(ISSUER, audience=AUDIENCE)
        self.is_up = False

    async def fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        if not self.is_up:
            raise FetchError(f"{url}: ConnectError")
        return await self.real.fetch(url)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def api(network: Network) -> ResourceServer:
    return ResourceServer(ISSUER, audience=AUDIENCE, fetch=network.fetch)


def app_of(api: ResourceServer) -> FastAPI:
    app = FastAPI()
    api.install(app)

    @app.get("/me")
    async def me(token: Annotated[AccessToken, api.requires("read")]) -> str:
        return token.subject

    return app


@pytest.fixture
def app(api: ResourceServer) -> FastAPI:
    return app_of(api)


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({"scope": "read"}, 200, id="good"),
        pytest.param({}, 403, id="no-scope"),
        pytest.param({"scope": "read", "exp": 0}, 401, id="expired"),
        pytest.param({"scope": "read", "aud": "https://other.example.com"}, 401, id="audience"),
        pytest.param({"scope": "read", "header": {"typ": "JWT"}}, 401, id="type"),
        pytest.param({"scope": "read", "key": SigningKey.generate()}, 401, id="forged"),
    ],
)
async def test_a_token_goes_the_whole_way_and_the_issuer_is_not_asked(
    api: ResourceServer, app: FastAPI, network: Network, claims: dict[str, Any], status: int
) -> None:
    """Known pain 23: tests without an identity provider, of the application as it is."""
    with fake_issuer(api) as issuer:
        response = await call(app, "GET", "/me", token=issuer.token(**claims))
    assert (response.status_code, network.asked) == (status, [])


async def test_a_fake_token_is_good_only_within_and_a_real_one_only_without(
    api: ResourceServer, app: FastAPI, network: Network
) -> None:
    """T6: nothing that a test has let in stays, remembered tokens neither."""
    network.is_up = True
    real = network.real.token(scope="read")
    assert (await call(app, "GET", "/me", token=real)).status_code == 200
    with fake_issuer(api) as issuer:
        fake = issuer.token(scope="read")
        within = [(await call(app, "GET", "/me", token=token)).status_code for token in (fake, fake, real)]
    without = [(await call(app, "GET", "/me", token=token)).status_code for token in (fake, real)]
    assert (within, without) == ([200, 200, 401], [401, 200])


async def test_a_test_that_fails_leaves_no_fake_behind(api: ResourceServer, app: FastAPI, network: Network) -> None:
    """T6."""
    network.is_up = True
    with pytest.raises(ZeroDivisionError), fake_issuer(api) as issuer:
        raise ZeroDivisionError
    assert (await call(app, "GET", "/me", token=issuer.token(scope="read"))).status_code == 401


async def test_fakes_can_be_nested_and_each_mints_for_itself(api: ResourceServer, app: FastAPI) -> None:
    """The inner one for as long as the inner block lasts."""
    with fake_issuer(api) as outer:
        token = outer.token(scope="read")
        with fake_issuer(api) as inner:
            assert (await call(app, "GET", "/me", token=token)).status_code == 401
            assert (await call(app, "GET", "/me", token=inner.token(scope="read"))).status_code == 200
        assert (await call(app, "GET", "/me", token=token)).status_code == 200


async def test_a_fake_s_keys_can_be_rotated(api: ResourceServer, app: FastAPI) -> None:
    """Known pain 2, in a test of the user's own."""
    with fake_issuer(api) as issuer:
        assert (await call(app, "GET", "/me", token=issuer.token(scope="read"))).status_code == 200
        issuer.mint.keys.insert(0, SigningKey.generate("ES256"))
        assert (await call(app, "GET", "/me", token=issuer.token(scope="read"))).status_code == 200


def test_an_application_that_starts_within_asks_nobody(api: ResourceServer, app: FastAPI, network: Network) -> None:
    """The refresh of the lifespan, too, takes the keys from the test."""
    with fake_issuer(api) as issuer, TestClient(app) as client:
        assert client.get("/me", headers=bearer(issuer.token(scope="read"))).status_code == 200
    assert network.asked == []


@pytest.mark.parametrize("is_up", [False, True])
async def test_what_a_fetch_brings_that_began_before_is_dropped(is_up: bool) -> None:
    """An application that has started before: its fetch must spoil nothing, whether it fails or not."""
    arrived, go_on = asyncio.Event(), asyncio.Event()
    network = Network()
    network.is_up = is_up

    async def slow(url: str) -> Fetched:
        arrived.set()
        await go_on.wait()
        return await network.fetch(url)

    api = ResourceServer(Issuer(url=ISSUER, audience=AUDIENCE, jwks_uri=f"{ISSUER}/jwks"), fetch=slow)
    app = app_of(api)
    refreshing = asyncio.create_task(api.issuers.refresh())
    await arrived.wait()
    with fake_issuer(api) as issuer:
        go_on.set()
        await refreshing
        assert (await call(app, "GET", "/me", token=issuer.token(scope="read"))).status_code == 200


@pytest.mark.parametrize(
    ("options", "algorithm", "audience"),
    [
        pytest.param({"audience": [AUDIENCE, "https://b.example"]}, "ES256", AUDIENCE, id="several-audiences"),
        pytest.param({"audience": AUDIENCE, "algorithms": ["Ed25519"]}, "Ed25519", AUDIENCE, id="one-algorithm"),
    ],
)
async def test_a_fake_mints_what_its_server_is_configured_for(
    options: dict[str, Any], algorithm: str, audience: str
) -> None:
    """What the user configured is not repeated in the test."""
    api = ResourceServer(Issuer(url=ISSUER, **options))
    with fake_issuer(api) as issuer:
        assert (issuer.url, issuer.audience, issuer.mint.keys[0].algorithm) == (ISSUER, audience, algorithm)
        assert (await call(app_of(api), "GET", "/me", token=issuer.token(scope="read"))).status_code == 200


async def test_one_of_several_issuers_is_named() -> None:
    """By default the first one."""
    other = "https://other.example.com"
    api = ResourceServer(
        Issuer(url=ISSUER, audience=AUDIENCE, grants="everything"),
        Issuer(url=other, audience=AUDIENCE, grants="everything"),
    )
    app = app_of(api)
    with fake_issuer(api) as first, fake_issuer(api, other) as second:
        assert (first.url, second.url) == (ISSUER, other)
        for issuer in (first, second):
            assert (await call(app, "GET", "/me", token=issuer.token(scope="read"))).status_code == 200
        crossed = first.token(iss=other, scope="read")
        assert (await call(app, "GET", "/me", token=crossed)).status_code == 401


def test_an_issuer_that_is_not_trusted_is_refused(api: ResourceServer) -> None:
    """A misspelt name would let a test pass, or fail, for the wrong reason."""
    with pytest.raises(ConfigurationError, match=r"^url names no issuer of this resource server: it trusts "):
        fake_issuer(api, f"{ISSUER}/").__enter__()
