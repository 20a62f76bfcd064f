"""``install(app, protect="all")``: every path needs a token, known or unknown, but the public ones."""

from typing import Annotated
from urllib.parse import unquote

import pytest
from fastapi import FastAPI

from resource_server import AccessToken, ConfigurationError, ResourceServer
from resource_server.testing import FakeIssuer
from tests.calls import INVALID, LACKS_SCOPE, MISSING, Exchange, bearer, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note, ok


@pytest.fixture
def app(api: ResourceServer) -> FastAPI:
    app = FastAPI()
    api.install(app, protect="all", public=["/healthz", "/static/*"])
    app.get("/healthz")(ok)
    app.get("/static/{path:path}")(ok)
    app.get("/staticity")(ok)
    app.get("/notes")(ok)

    @app.put("/notes/{number}", dependencies=[api.requires("notes:write")])
    async def write(number: int, note: Note, token: Annotated[AccessToken, api.requires("notes")]) -> int:
        return number

    return app


@pytest.mark.parametrize("path", ["/healthz", "/static/", "/static/a/b.css", "/%68ealthz", "/static/..x"])
async def test_public_paths_need_no_token(app: FastAPI, path: str) -> None:
    """DESIGN §4: exact paths and prefixes, after one percent-decoding, as routing sees them."""
    exchange = await Exchange(app, "GET", unquote(path), raw_path=path.encode()).run()
    assert exchange.status == 200


@pytest.mark.parametrize("token", ["x", "x y"])
async def test_a_public_path_doesn_t_look_at_credentials(app: FastAPI, token: str) -> None:
    """A load balancer's probe is not refused for what it sends beside."""
    assert (await call(app, "GET", "/healthz", headers=bearer(token))).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/notes",
        "/healthz/",
        "//healthz",
        "/healthz/..",
        "/healthz/../notes",
        "/healthz;x",
        "/HEALTHZ",
        "/healthz%20",
        "/%2568ealthz",
        "/static",
        "/staticity",
        "/static/%2e",
        "/static/../notes",
        "/static/%2e%2e/notes",
        "/static/%2E%2E%2Fnotes",
        "/static/a/../../notes",
        "//static/x",
        "/x/static/x",
        "/",
        "/openapi.json",
        "/docs",
        "/nothing",
    ],
)
async def test_every_other_path_needs_one(app: FastAPI, path: str) -> None:
    """T4, ruling 26, GHSA-pxq7-h93f-9jrg: inside a protected prefix unknown paths answer strangers like known ones."""
    exchange = await Exchange(app, "GET", unquote(path), raw_path=path.encode()).run()
    assert (exchange.status, exchange.body, exchange.received) == (401, MISSING, 0)
    assert exchange.field("www-authenticate") == ['Bearer realm="api"']


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
async def test_every_method_needs_a_token(app: FastAPI, method: str) -> None:
    """Ruling 39: an OPTIONS that is no preflight is treated like any method."""
    exchange = await Exchange(app, method, "/notes").run()
    assert (exchange.status, exchange.body) == (401, b"" if method == "HEAD" else MISSING)
    assert exchange.field("content-length") == [str(len(MISSING))]


async def test_unknown_paths_are_404_for_token_holders(app: FastAPI, issuer: FakeIssuer) -> None:
    """T4: who is let in may know what there is."""
    response = await call(app, "GET", "/nothing", token=issuer.token())
    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})
    response = await call(app, "POST", "/notes", token=issuer.token())
    assert (response.status_code, response.headers["allow"]) == (405, "GET")


async def test_a_route_without_requires_takes_any_valid_token(app: FastAPI, issuer: FakeIssuer) -> None:
    """DESIGN §4: what routes require comes on top."""
    assert (await call(app, "GET", "/notes", token=issuer.token())).status_code == 200
    response = await call(app, "GET", "/notes", token="x")
    assert (response.status_code, response.content) == (401, INVALID)


async def test_the_challenge_names_the_scopes_of_the_route_that_was_meant(app: FastAPI, issuer: FakeIssuer) -> None:
    """RS-6750-3-a: also where the decision falls before routing."""
    exchange = await Exchange(app, "PUT", "/notes/7", body=b"{bad").run()
    assert (exchange.status, exchange.received, exchange.field("connection")) == (401, 0, ["close"])
    assert exchange.field("www-authenticate") == ['Bearer realm="api", scope="notes:write notes"']
    headers = [("authorization", f"Bearer {issuer.token(scope='notes')}")]
    exchange = await Exchange(app, "PUT", "/notes/7", headers=headers, body=b"{bad").run()
    assert (exchange.status, exchange.received, exchange.field("connection")) == (403, 0, ["close"])
    assert exchange.field("www-authenticate") == [f'Bearer realm="api", {LACKS_SCOPE}, scope="notes:write notes"']
    token = issuer.token(scope="notes notes:write")
    assert (await call(app, "PUT", "/notes/7", token=token, json={"text": "x"})).json() == 7
    assert (await call(app, "PUT", "/notes/7", token=token, content=b"{bad")).status_code == 422


async def test_a_path_that_fails_to_convert_is_refused_like_any_other(api: ResourceServer) -> None:
    """RS-9110-11.6.1-a: the search for the scopes of a challenge must not fail for it; 5,000 digits are no int."""
    app = FastAPI()
    api.install(app, protect="all")
    app.get("/{number:int}", dependencies=[api.requires("one")])(ok)
    app.get("/{text}", dependencies=[api.requires("other")])(ok)
    response = await call(app, "GET", f"/{'9' * 5000}")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="api", scope="other"'


async def test_a_trailing_slash_redirects_token_holders_alone(app: FastAPI, issuer: FakeIssuer) -> None:
    """Part H: redirect_slashes answers 307 before authentication."""
    assert (await call(app, "GET", "/notes/")).status_code == 401
    assert (await call(app, "GET", "/notes/", token=issuer.token())).status_code == 307


async def test_a_server_s_root_path_is_no_part_of_a_public_path(app: FastAPI) -> None:
    """ASGI: path includes root_path; routing strips it."""
    assert (await Exchange(app, "GET", "/v1/healthz", root_path="/v1").run()).status == 200
    assert (await Exchange(app, "GET", "/v1/notes", root_path="/v1").run()).status == 401
    assert (await Exchange(app, "GET", "/healthz", root_path="/v1").run()).status == 200
    assert (await Exchange(app, "GET", "/v1healthz", root_path="/v1").run()).status == 401


async def test_the_application_is_not_called_for_a_stranger(api: ResourceServer) -> None:
    """DESIGN §4: protects everything at once in ASGI."""
    calls: list[str] = []
    app = FastAPI(dependencies=[])
    app.add_middleware(lambda inner: Noting(inner, calls))
    api.install(app, protect="all")
    await call(app, "GET", "/x")
    assert calls == []
    await call(app, "GET", "/x", token="x")
    assert calls == []


class Noting:
    def __init__(self, app: FastAPI, calls: list[str]) -> None:
        self.app, self.calls = app, calls

    async def __call__(self, scope: dict[str, object], receive: object, send: object) -> None:
        self.calls.append(str(scope["path"]))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param({"protect": "some"}, "protect must be 'routes' or 'all'", id="protect"),
        pytest.param(
            {"protect": "all", "public": ["healthz"]},
            "public must hold paths that begin with a slash, unlike 'healthz'",
            id="no-slash",
        ),
    ],
)
def test_contradictory_options_fail_with_a_sentence(
    make_api: MakeApi, options: dict[str, object], sentence: str
) -> None:
    """DESIGN §3: contradictory options fail at construction with a sentence."""
    with pytest.raises(ConfigurationError) as error:
        make_api().install(FastAPI(), **options)  # type: ignore[arg-type]
    assert str(error.value) == sentence
