"""What shared caches may keep: nothing of a refusal, nothing of an authorized answer (T31)."""

import pytest
from fastapi import FastAPI, Response

from resource_server import ResourceServer, role
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.fastapi.ways import installed, ok


@pytest.fixture
def app(api: ResourceServer) -> FastAPI:
    app = installed(api)
    app.get("/open")(ok)
    app.get("/mine", dependencies=[api.requires()])(ok)
    app.get("/admin", dependencies=[api.requires(role("admin"))])(ok)

    @app.get("/public", dependencies=[api.requires()])
    async def everybody_s() -> Response:
        return Response("same for all", headers={"Cache-Control": "public, max-age=60"})

    @app.get("/failing", dependencies=[api.requires()])
    async def failing() -> Response:
        return Response("no", 409)

    @app.get("/missing", dependencies=[api.requires()])
    async def missing() -> Response:
        return Response("no", 404)

    return app


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        pytest.param("/mine", 200, ["private"], id="authorized"),
        pytest.param("/failing", 409, ["private"], id="authorized-error"),
        pytest.param("/public", 200, ["public, max-age=60"], id="the-application-s-own-word"),
        pytest.param("/open", 200, [], id="an-open-route"),
        pytest.param("/admin", 403, ["no-store"], id="refused"),
        pytest.param("/missing", 404, ["no-store"], id="not-found"),
        pytest.param("/nothing", 404, ["no-store"], id="no-such-path"),
    ],
)
async def test_what_a_cache_may_keep_of_an_answer_to_a_token_holder(
    app: FastAPI, issuer: FakeIssuer, path: str, status: int, expected: list[str]
) -> None:
    """T31, RS-9111-3.5-a, RS-9111-5.2.2.5-a, RS-9110-15.1-a."""
    response = await call(app, "GET", path, token=issuer.token())
    assert (response.status_code, response.headers.get_list("cache-control")) == (status, expected)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/mine", 401), ("GET", "/nothing", 404), ("POST", "/open", 405)]
)
async def test_a_cache_keeps_no_refusal_404_or_405_of_a_stranger(
    app: FastAPI, method: str, path: str, status: int
) -> None:
    """RS-9110-15.1-a: 404 and 405 are heuristically cacheable."""
    response = await call(app, method, path)
    assert (response.status_code, response.headers.get_list("cache-control")) == (status, ["no-store"])


async def test_where_everything_is_protected_every_answer_is_private(api: ResourceServer, issuer: FakeIssuer) -> None:
    """T31: also of routes that require nothing themselves."""
    app = FastAPI()
    api.install(app, protect="all", public=["/healthz"])
    app.get("/healthz")(ok)
    app.get("/notes")(ok)
    token = issuer.token()
    assert (await call(app, "GET", "/notes", token=token)).headers["cache-control"] == "private"
    assert "cache-control" not in (await call(app, "GET", "/healthz", token=token)).headers


async def test_no_vary_on_authorization_is_sent(app: FastAPI, issuer: FakeIssuer) -> None:
    """RS-9110-12.5.5-a: the RFC says that it is not needed."""
    for token in (None, issuer.token()):
        assert "vary" not in (await call(app, "GET", "/mine", token=token)).headers
