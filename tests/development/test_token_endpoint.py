"""Client credentials, client authentication, and the token endpoint's own rules."""

import base64

import httpx2
import jwt
import pytest

from resource_server.development.authorization_server import DevelopmentServer
from resource_server.development.minting import Mint
from tests.development.visitor import API, AUDIENCE, DAY, ISSUER, TurnableClock, Visitor, claims_of

FORM = {"content-type": "application/x-www-form-urlencoded"}


async def test_a_service_gets_an_rfc_9068_access_token_for_its_secret(visitor: Visitor) -> None:
    """RFC 6749 §4.4 and RFC 9068 §2: without a user the client is the subject, and has no roles."""
    answer = await visitor.machine(scope="orders:read users:read")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    token = body.pop("access_token")
    assert body == {"token_type": "Bearer", "expires_in": 300, "scope": "orders:read users:read"}
    keys = (await visitor.http.get("/jwks.json")).json()["keys"]
    header = jwt.get_unverified_header(token)
    assert header == {"typ": "at+jwt", "alg": "ES256", "kid": keys[0]["kid"]}
    options: jwt.types.Options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, jwt.PyJWK(keys[0]).key, ["ES256"], audience=AUDIENCE, issuer=ISSUER, options=options)
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "sub": "example-service",
        "client_id": "example-service",
        "aud": AUDIENCE,
        "iat": int(DAY),
        "exp": int(DAY) + 300,
        "scope": "orders:read users:read",
    }


async def test_the_secret_may_come_in_the_form(visitor: Visitor, server: DevelopmentServer) -> None:
    """RFC 6749 §2.3.1."""
    form = {"client_id": server.credentials.client_id, "client_secret": server.credentials.client_secret}

    answer = await visitor.http.post("/token", data={"grant_type": "client_credentials", **form})

    assert answer.status_code == 200
    assert "scope" not in claims_of(answer.json()["access_token"])  # none asked for, none given


def basic(credentials: str | bytes) -> str:
    raw = credentials.encode() if isinstance(credentials, str) else credentials
    return "Basic " + base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(basic("example-service:wrong"), id="wrong-secret"),
        pytest.param(basic("example-service:"), id="empty-secret"),
        pytest.param(basic("nobody:wrong"), id="unknown-client"),
        pytest.param(basic("swagger-ui:"), id="public-client"),
        pytest.param(basic("example-service"), id="no-colon"),
        pytest.param(basic("example-service:wröng"), id="not-ascii"),
        pytest.param(basic(b"\xff:\xff"), id="not-utf-8"),
        pytest.param("Basic !!!", id="no-base64"),
        pytest.param("Basic", id="nothing"),
        pytest.param("Bearer abc", id="another-scheme"),
        pytest.param(b"Basic \xe9\xe9", id="raw-bytes"),
    ],
)
async def test_a_client_that_does_not_authenticate_gets_a_basic_challenge(
    http: httpx2.AsyncClient, authorization: str | bytes
) -> None:
    """RFC 6749 §5.2: one answer, whatever was wrong."""
    raw = authorization.encode() if isinstance(authorization, str) else authorization

    answer = await http.post("/token", data={"grant_type": "client_credentials"}, headers={b"Authorization": raw})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="development authorization server", charset="UTF-8"'
    assert answer.headers["cache-control"] == "no-store"
    description = "The client could not be authenticated."
    assert answer.json() == {"error": "invalid_client", "error_description": description}


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="no-client"),
        pytest.param({"client_id": "nobody"}, id="unknown-client"),
        pytest.param({"client_id": "example-service"}, id="no-secret"),
        pytest.param({"client_id": "example-service", "client_secret": "wrong"}, id="wrong-secret"),
        pytest.param({"client_id": "swagger-ui", "client_secret": "any"}, id="public-client-with-a-secret"),
    ],
)
async def test_a_client_that_does_not_authenticate_in_the_form_gets_the_same_answer(
    http: httpx2.AsyncClient, form: dict[str, str]
) -> None:
    """RFC 6749 §5.2."""
    answer = await http.post("/token", data={"grant_type": "client_credentials", **form})

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"client_secret": "any"}, id="secret-in-the-form-too"),
        pytest.param({"client_id": "swagger-ui"}, id="another-client-id"),
    ],
)
async def test_a_client_that_authenticates_twice_is_refused(visitor: Visitor, form: dict[str, str]) -> None:
    """RFC 6749 §2.3."""
    answer = await visitor.machine(**form)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_two_authorization_headers_are_refused(visitor: Visitor, server: DevelopmentServer) -> None:
    """RFC 6749 §2.3."""
    good = basic(f"{server.credentials.client_id}:{server.credentials.client_secret}")
    headers = [("Authorization", good), ("Authorization", basic("nobody:x"))]

    answer = await visitor.http.post("/token", data={"grant_type": "client_credentials"}, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param("nonsense", id="unknown"),
        pytest.param("profile:write", id="not-for-a-service"),
        pytest.param("orders:read nonsense", id="partly-unknown"),
        pytest.param("orders:read  users:read", id="two-spaces"),
        pytest.param("orders:read\tusers:read", id="tab"),
        pytest.param('<script>"', id="markup"),
    ],
)
async def test_a_scope_that_a_service_can_not_get_is_refused(visitor: Visitor, scope: str) -> None:
    """RFC 6749 §5.2."""
    answer = await visitor.machine(scope=scope)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def test_a_scope_asked_for_twice_is_given_once(visitor: Visitor) -> None:
    """RFC 6749 §3.3: a list without order and repetition."""
    answer = await visitor.machine(scope="orders:read orders:read")

    assert answer.json()["scope"] == "orders:read"


async def test_a_resource_that_is_the_api_is_accepted_and_any_other_refused(visitor: Visitor) -> None:
    """RFC 8707 §2."""
    good = await visitor.machine(resource=AUDIENCE)
    other = await visitor.machine(resource="https://other.example.com")

    assert claims_of(good.json()["access_token"])["aud"] == AUDIENCE
    assert (other.status_code, other.json()["error"]) == (400, "invalid_target")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param("grant_type=client_credentials&grant_type=client_credentials", "invalid_request", id="repeated"),
        pytest.param("grant_type=client_credentials&x=1&x=2", "invalid_request", id="repeated-unknown"),
        pytest.param("grant_type=password&username=alice&password=x", "unsupported_grant_type", id="password-grant"),
        pytest.param("grant_type=%22%0d%0aX:y", "unsupported_grant_type", id="hostile-grant-type"),
        pytest.param("grant_type=", "invalid_request", id="no-value"),
        pytest.param("", "invalid_request", id="empty"),
        pytest.param("grant_type=%ff", "invalid_request", id="not-utf-8"),
        pytest.param("grant_type=é", "invalid_request", id="raw-bytes"),
        pytest.param("&".join(f"p{number}=1" for number in range(51)), "invalid_request", id="too-many"),
    ],
)
async def test_a_malformed_token_request_is_refused(http: httpx2.AsyncClient, body: str, error: str) -> None:
    """RFC 6749 §3.2 and §5.2."""
    answer = await http.post("/token", content=body.encode(), headers=FORM)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_only_a_form_is_read(visitor: Visitor) -> None:
    """RFC 6749 §3.2 with appendix B."""
    answer = await visitor.http.post("/token", json={"grant_type": "client_credentials"})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_parameters_in_the_token_endpoints_uri_are_refused(visitor: Visitor, server: DevelopmentServer) -> None:
    """RFC 6749 §2.3.1: a secret must not be in a URI, which is logged."""
    answer = await visitor.http.post(f"/token?client_secret={server.credentials.client_secret}", headers=FORM)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_the_public_client_gets_nothing_without_a_user(visitor: Visitor) -> None:
    """RFC 6749 §4.4: confidential clients only."""
    answer = await visitor.http.post("/token", data={"grant_type": "client_credentials", "client_id": "swagger-ui"})

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_a_get_of_the_token_endpoint_is_refused(http: httpx2.AsyncClient) -> None:
    """RFC 6749 §3.2: the client must use POST."""
    answer = await http.get("/token")

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"POST", "OPTIONS"}


async def test_the_apis_own_pages_may_call_the_token_endpoint(visitor: Visitor) -> None:
    """The Fetch standard; Swagger UI sends X-Requested-With."""
    asked = {"Origin": API, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}

    preflight = await visitor.http.options("/token", headers=asked)
    refusal = await visitor.http.post("/token", data={"grant_type": "client_credentials"}, headers={"Origin": API})

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert preflight.headers["access-control-allow-headers"] == "Authorization, Content-Type, X-Requested-With"
    for answer in (preflight, refusal):
        assert answer.headers["access-control-allow-origin"] == API
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:8001", "http://127.0.0.1:8000/", "null"])
async def test_no_other_page_may_call_the_token_endpoint(http: httpx2.AsyncClient, origin: str) -> None:
    """T34: the exact origin, never a star."""
    preflight = await http.options("/token", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    refusal = await http.post("/token", data={}, headers={"Origin": origin})

    for answer in (preflight, refusal):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["vary"] == "Origin"


async def test_no_token_is_logged(visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    """T37; Authlib logs the token response at its debug level."""
    with caplog.at_level("DEBUG"):
        issued = [(await visitor.machine()).json(), first := await visitor.tokens()]
        issued.append((await visitor.refresh(first["refresh_token"])).json())

    assert caplog.text.count("<token response>") == 3
    tokens = [answer[name] for answer in issued for name in ("access_token", "refresh_token") if name in answer]
    assert len(tokens) == 5
    assert not [token for token in tokens if token in caplog.text]
    assert visitor.server.credentials.client_secret not in caplog.text


def test_the_mint_of_a_server_makes_its_tokens_without_it(server: DevelopmentServer, clock: TurnableClock) -> None:
    """For scripts and tests that need a user's token and no browser."""
    token = server.mint.access_token(sub="root", roles=["admin"])

    assert isinstance(server.mint, Mint)
    claims = claims_of(token)
    assert (claims["iss"], claims["aud"], claims["iat"]) == (ISSUER, AUDIENCE, int(clock.time))
