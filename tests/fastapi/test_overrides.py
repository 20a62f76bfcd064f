"""``dependency_overrides``: a token in place of credentials in tests, a failure of every request elsewhere (T6)."""

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Security
from starlette.testclient import TestClient, WebSocketDenialResponse

from resource_server import AccessToken, Decision, Kind, ResourceServer, network, owner
from resource_server.fastapi.overrides import LeftOverride
from resource_server.testing import FakeIssuer, acting_as, make_token, overrides_allowed
from tests.calls import DENIED, LACKS_SCOPE, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.test_websockets import greet
from tests.fastapi.ways import Note, installed, ok

SENTENCE = "dependency_overrides[api] is set outside of resource_server.testing: remove it, or use acting_as()"


def app_of(api: ResourceServer, *, protect: str = "routes") -> FastAPI:
    app, below = FastAPI(), FastAPI()
    api.install(app, protect=protect)
    app.get("/open")(ok)

    @app.get("/requires")
    async def read(token: Annotated[AccessToken, api.requires("notes:read")]) -> str:
        return token.subject

    @app.post("/requires")
    async def write(note: Note, token: Annotated[AccessToken, api.requires("notes:read")]) -> str:
        return token.subject

    @app.get("/security")
    async def secured(token: Annotated[AccessToken, Security(api, scopes=["notes:read"])]) -> str:
        return token.subject

    @app.post("/security")
    async def secure(note: Note, token: Annotated[AccessToken, Security(api, scopes=["notes:read"])]) -> str:
        return token.subject

    below.get("/security")(secured)
    app.mount("/below", below)
    return app


PLACES = [
    pytest.param(method, path, id=f"{method}-{path}")
    for path in ("/requires", "/security")
    for method in ("GET", "POST")
]
places = pytest.mark.parametrize(("method", "path"), PLACES)
both = pytest.mark.parametrize("protect", ["routes", "all"])


@both
@pytest.mark.parametrize(
    ("method", "path"), [*PLACES, ("GET", "/open"), ("GET", "/nothing"), ("GET", "/below/security")]
)
@pytest.mark.parametrize("authorized", [False, True])
async def test_an_override_left_in_production_fails_every_request_and_says_why(
    api: ResourceServer,
    issuer: FakeIssuer,
    caplog: pytest.LogCaptureFixture,
    protect: str,
    method: str,
    path: str,
    authorized: bool,
) -> None:
    """T6: authentication would be turned off without a trace."""
    app = app_of(api, protect=protect)
    app.dependency_overrides[api] = lambda: make_token(scopes=["notes:read"])
    token = issuer.token(scope="notes:read") if authorized else None
    response = await call(app, method, path, token=token, json={"text": "x"} if method == "POST" else None)
    assert response.status_code == 500
    assert "alice" not in response.text
    assert [(record.levelname, record.message) for record in caplog.records] == [("ERROR", SENTENCE)]


async def test_an_override_left_in_a_mounted_application_fails_every_request(api: ResourceServer) -> None:
    """T6: of the whole application, since the server is one."""
    app, below = installed(api), FastAPI()
    app.mount("/below", below)

    @below.get("/")
    async def secured(token: Annotated[AccessToken, Security(api)]) -> str:
        return token.subject

    below.dependency_overrides[api] = make_token
    assert (await call(app, "GET", "/below/")).status_code == 500


async def test_the_failure_is_raised_where_the_developer_sees_it(api: ResourceServer) -> None:
    """T6: a test client raises it."""
    app = app_of(api)
    app.dependency_overrides[api] = make_token
    with pytest.raises(LeftOverride, match=r"^dependency_overrides\[api\] is set outside of resource_server\.testing$"):
        await call(app, "GET", "/requires", raise_failures=True)


async def test_overrides_are_forbidden_again_after_the_test(api: ResourceServer) -> None:
    """T6: allowed for as long as resource_server.testing is active, and no longer."""
    app = app_of(api)
    app.dependency_overrides[api] = lambda: make_token(scopes=["notes:read"])
    with overrides_allowed(), overrides_allowed():
        pass
    assert (await call(app, "GET", "/requires")).status_code == 500
    with overrides_allowed():
        with overrides_allowed():
            pass
        assert (await call(app, "GET", "/requires")).status_code == 200


@both
@places
async def test_a_token_in_place_of_credentials_is_let_in(
    api: ResourceServer, protect: str, method: str, path: str
) -> None:
    """T6: acting_as; no issuer is asked."""
    app = app_of(api, protect=protect)
    with acting_as(app, api, make_token(subject="carol", scopes=["notes:read"])):
        response = await call(app, method, path, json={"text": "x"} if method == "POST" else None)
    assert (response.status_code, response.json()) == (200, "carol")
    response = await call(app, method, path, json={"text": "x"} if method == "POST" else None)
    assert response.status_code == 401


@both
@places
async def test_authorization_still_judges_the_token(
    make_api: MakeApi, issuer: FakeIssuer, protect: str, method: str, path: str
) -> None:
    """T6: an override supplies an AccessToken instead of credentials; before the body, as ever."""
    decisions: list[Decision] = []
    api = make_api(observers=[decisions.append])
    app = app_of(api, protect=protect)
    with acting_as(app, api, make_token(scopes=["other"])):
        response = await call(app, method, path, content=b"{bad" if method == "POST" else None)
    assert response.status_code == 403
    assert response.headers["www-authenticate"] == f'Bearer realm="api", {LACKS_SCOPE}, scope="notes:read"'
    assert [(decision.kind, decision.route) for decision in decisions] == [(Kind.INSUFFICIENT_SCOPE, path)]
    assert issuer.requests == []


async def test_path_parameters_are_judged_under_an_override(api: ResourceServer) -> None:
    """T6: authorization as ever, for both ways to write it."""
    app = installed(api)

    @app.get("/users/{user}", dependencies=[api.requires(owner("user"))])
    async def read(token: Annotated[AccessToken, Security(api, scopes=["a"])]) -> str:
        return token.subject

    with acting_as(app, api, make_token(scopes=["a"])):
        assert (await call(app, "GET", "/users/alice")).json() == "alice"
        refused = await call(app, "GET", "/users/bob")
    assert (refused.status_code, refused.content) == (403, DENIED)


async def test_a_hidden_resource_stays_hidden_under_an_override(api: ResourceServer) -> None:
    """T4, T6."""
    app = installed(api)

    @app.get("/users/{user}", dependencies=[api.requires(owner("user", hide=True))])
    async def read(token: Annotated[AccessToken, Security(api)]) -> str:
        return token.subject

    with acting_as(app, api, make_token()):
        hidden, nowhere = await call(app, "GET", "/users/bob"), await call(app, "GET", "/nothing")
    assert (hidden.status_code, hidden.content) == (nowhere.status_code, nowhere.content) == (404, nowhere.content)


def test_a_websocket_s_token_can_be_overridden_and_is_judged(api: ResourceServer) -> None:
    """T6 at a handshake."""
    app = installed(api)
    app.websocket("/socket", dependencies=[Security(api, scopes=["chat"])])(greet)
    client = TestClient(app)
    with (
        acting_as(app, api, make_token(scopes=["chat"])),
        client.websocket_connect("/socket") as connection,
    ):
        assert connection.receive_text() == "hello"
    with (
        acting_as(app, api, make_token()),
        pytest.raises(WebSocketDenialResponse) as denial,
        client.websocket_connect("/socket"),
    ):
        pytest.fail("the handshake was accepted")
    assert denial.value.status_code == 403


async def test_networks_are_judged_under_an_override_too(api: ResourceServer) -> None:
    """T6, D24: what needs no identity is not given by a token."""
    app = installed(api)
    app.get("/", dependencies=[api.requires(network("10.0.0.0/8"))])(ok)
    with acting_as(app, api, make_token()):
        response = await call(app, "GET", "/")
    assert (response.status_code, response.content) == (403, DENIED)


@pytest.mark.parametrize("supplied", [None, "alice", {"sub": "alice"}, True])
async def test_what_is_no_access_token_lets_nobody_in(api: ResourceServer, supplied: Any) -> None:
    """T6: a mock of a user is no token."""
    app = installed(api)
    app.get("/", dependencies=[api.requires()])(ok)
    app.dependency_overrides[api] = lambda: supplied
    with overrides_allowed(), pytest.raises(TypeError, match="must supply an AccessToken"):
        await call(app, "GET", "/", raise_failures=True)


async def test_an_override_may_be_asynchronous(api: ResourceServer) -> None:
    """FastAPI's users write overrides as they write dependencies."""

    async def supply() -> AccessToken:
        return make_token(subject="dave", scopes=["notes:read"])

    app = app_of(api)
    app.dependency_overrides[api] = supply
    with overrides_allowed():
        assert (await call(app, "GET", "/requires")).json() == "dave"


async def test_a_user_s_own_dependency_can_be_overridden_and_what_is_below_it_goes(api: ResourceServer) -> None:
    """DESIGN §4: overrides of a user's own dependencies are respected, before the body too."""
    app = installed(api)

    async def current_user(token: Annotated[AccessToken, api.requires("notes:write")]) -> str:
        return token.subject

    @app.post("/")
    async def write(note: Note, user: Annotated[str, Depends(current_user)]) -> str:
        return user

    @app.post("/both", dependencies=[api.requires("notes:read")])
    async def read(note: Note, user: Annotated[str, Depends(current_user)]) -> str:
        return user

    app.dependency_overrides[current_user] = lambda: "nobody in particular"
    response = await call(app, "POST", "/", json={"text": "x"})
    assert (response.status_code, response.json()) == (200, "nobody in particular")
    response = await call(app, "POST", "/both", content=b"{bad")
    assert (response.status_code, response.headers["www-authenticate"]) == (
        401,
        'Bearer realm="api", scope="notes:read"',
    )
    app.dependency_overrides.clear()
    response = await call(app, "POST", "/both", content=b"{bad")
    assert response.headers["www-authenticate"] == 'Bearer realm="api", scope="notes:read notes:write"'


async def test_an_override_of_one_resource_server_is_none_of_another(make_api: MakeApi) -> None:
    """T6, T9."""
    first, second = make_api(realm="first"), make_api(realm="second")
    app = FastAPI()
    first.install(app)
    second.install(app)
    app.get("/", dependencies=[first.requires(), second.requires()])(ok)
    with acting_as(app, first, make_token()):
        response = await call(app, "GET", "/")
    assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Bearer realm="second"')
