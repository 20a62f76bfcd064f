"""What users get for their own tests."""

from types import MappingProxyType
from typing import Annotated, Any

import pytest
from fastapi import FastAPI

from resource_server import AccessToken, ConfigurationError, ResourceServer, owner
from resource_server.development.minting import SigningKey
from resource_server.testing import OMIT, FakeIssuer, acting_as, make_token, overrides_allowed
from tests.calls import call


def app_of(server: ResourceServer) -> FastAPI:
    app = FastAPI()
    server.install(app)

    @app.get("/me")
    async def me(token: Annotated[AccessToken, server.requires("read")]) -> str:
        return token.subject

    app.get("/users/{user}", dependencies=[server.requires(owner("user"))])(me)
    return app


def server_of(issuer: FakeIssuer) -> ResourceServer:
    return ResourceServer(issuer.url, audience=issuer.audience, fetch=issuer.fetch)


async def test_a_fake_issuer_s_token_goes_the_whole_way_by_the_real_clock() -> None:
    """Known pain 23: tests without an identity provider."""
    issuer = FakeIssuer()
    app = app_of(server_of(issuer))
    response = await call(app, "GET", "/me", token=issuer.token(sub="carol", scope="read"))
    assert (response.status_code, response.json()) == (200, "carol")
    assert issuer.requests == [f"{issuer.url}/.well-known/openid-configuration", f"{issuer.url}/jwks"]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({"scope": "read"}, 200, id="good"),
        pytest.param({}, 403, id="no-scope"),
        pytest.param({"scope": "read", "exp": 0}, 401, id="expired"),
        pytest.param({"scope": "read", "aud": "https://other.example.com"}, 401, id="audience"),
        pytest.param({"scope": "read", "jti": OMIT}, 401, id="omitted"),
        pytest.param({"scope": "read", "header": {"typ": "JWT"}}, 401, id="type"),
    ],
)
async def test_claims_override_the_defaults_and_can_be_left_out(claims: dict[str, Any], status: int) -> None:
    """FakeIssuer.token: what a user writes is what is minted."""
    issuer = FakeIssuer("https://login.example.com/tenant", audience="https://notes.example.com")
    response = await call(app_of(server_of(issuer)), "GET", "/me", token=issuer.token(**claims))
    assert response.status_code == status


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "Ed25519"])
async def test_a_fake_issuer_signs_by_any_default_algorithm(algorithm: str) -> None:
    """DESIGN §5: the allowed algorithms."""
    issuer = FakeIssuer(algorithm=algorithm)
    response = await call(app_of(server_of(issuer)), "GET", "/me", token=issuer.token(scope="read"))
    assert response.status_code == 200


async def test_one_fake_issuer_s_token_is_not_another_s() -> None:
    """Each has keys of its own, though they go by one name."""
    first, second = FakeIssuer(), FakeIssuer()
    response = await call(app_of(server_of(first)), "GET", "/me", token=second.token(scope="read"))
    assert response.status_code == 401


def test_a_made_token_is_a_verified_one_as_the_path_would_give_it() -> None:
    """Deeply immutable (T8), good for an hour."""
    token = make_token(
        subject="bob",
        scopes=["a"],
        roles=["r"],
        groups=["g"],
        entitlements=["e"],
        claims={"address": {"lines": ["x"]}},
    )
    assert (token.issuer, token.subject, token.client_id) == ("https://id.example.com", "bob", "test-client")
    assert [*token.scopes, *token.roles, *token.groups, *token.entitlements] == ["a", "r", "g", "e"]
    assert token.expires_at - token.issued_at == 3600
    assert token.confirmation is None
    assert token.claims == MappingProxyType({"address": MappingProxyType({"lines": ("x",)})})
    with pytest.raises(TypeError):
        token.claims["address"]["lines"] = ()
    assert make_token().claims == {}


async def test_acting_as_a_token_puts_it_in_place_of_credentials() -> None:
    """T6: whatever the headers say, and only while it lasts."""
    issuer = FakeIssuer()
    server = server_of(issuer)
    app = app_of(server)
    with acting_as(app, server, make_token(subject="bob", scopes=["read"])):
        assert (await call(app, "GET", "/me")).json() == "bob"
        assert (await call(app, "GET", "/me", token="rubbish")).json() == "bob"
        assert (await call(app, "GET", "/users/bob")).status_code == 200
        assert (await call(app, "GET", "/users/alice")).status_code == 403
    assert (await call(app, "GET", "/me")).status_code == 401
    assert app.dependency_overrides == {}
    assert issuer.requests == []


async def test_acting_as_can_be_nested_and_gives_back_what_was_there() -> None:
    """The inner token for as long as the inner block lasts."""
    server = server_of(FakeIssuer())
    app = app_of(server)
    alice, bob = make_token(scopes=["read"]), make_token(subject="bob", scopes=["read"])
    with acting_as(app, server, alice):
        with acting_as(app, server, bob):
            assert (await call(app, "GET", "/me")).json() == "bob"
        assert (await call(app, "GET", "/me")).json() == "alice"
    assert app.dependency_overrides == {}


async def test_a_test_that_fails_leaves_nothing_behind() -> None:
    """T6: the next test is not let in by the last one's token."""
    server = server_of(FakeIssuer())
    app = app_of(server)
    with pytest.raises(ZeroDivisionError), acting_as(app, server, make_token(scopes=["read"])):
        raise ZeroDivisionError
    assert app.dependency_overrides == {}
    app.dependency_overrides[server] = lambda: make_token(scopes=["read"])
    with pytest.raises(ZeroDivisionError), overrides_allowed():
        raise ZeroDivisionError
    assert (await call(app, "GET", "/me")).status_code == 500


async def test_an_issuer_s_keys_can_be_rotated_in_a_test() -> None:
    """Known pain 2: no good token is refused after a rotation."""
    issuer = FakeIssuer()
    app = app_of(server_of(issuer))
    assert (await call(app, "GET", "/me", token=issuer.token(scope="read"))).status_code == 200
    issuer.mint.keys.insert(0, SigningKey.generate("ES256"))
    assert (await call(app, "GET", "/me", token=issuer.token(scope="read"))).status_code == 200


@pytest.mark.parametrize("name", ["scopes", "roles", "groups", "entitlements"])
def test_one_text_is_no_list_of_its_letters(name: str) -> None:
    """A newcomer's pain: scopes="a b" made a token with the scopes a, b and a space."""
    given: dict[str, Any] = {name: "notes:read notes:write"}
    with pytest.raises(ConfigurationError) as caught:
        make_token(**given)
    assert str(caught.value) == f"{name} must be a list of texts, not one text: ['notes:read', 'notes:write']"
