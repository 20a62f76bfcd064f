"""Applications below an application: with the same resource server, with one of their own, with none."""

from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount, Route

from resource_server import AccessToken, Decision, Kind, ResourceServer
from resource_server.asgi import AsgiApp, Receive, Scope, Send
from resource_server.testing import FakeIssuer
from tests.calls import INVALID, MISSING, bearer, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import installed, ok

OUTER, INNER = "https://outer.example.com", "https://inner.example.com"


def nest(outer: ResourceServer, inner: ResourceServer, *, protect: str = "routes") -> FastAPI:
    """An application for one audience above an application for another."""
    app, below = FastAPI(), FastAPI()
    outer.install(app, protect=protect)
    inner.install(below)

    @below.get("/me", dependencies=[inner.requires("inner")])
    async def me(token: Annotated[AccessToken, inner.requires()]) -> list[str]:
        return list(token.audience)

    app.mount("/below", below)
    app.get("/me", dependencies=[outer.requires("outer")])(ok)
    return app


@pytest.fixture
def outer(make_api: MakeApi) -> ResourceServer:
    return make_api(audience=OUTER, realm="outer")


@pytest.fixture
def inner(make_api: MakeApi) -> ResourceServer:
    return make_api(audience=INNER, realm="inner")


async def test_a_token_for_the_outer_application_is_none_for_the_one_below(
    outer: ResourceServer, inner: ResourceServer, issuer: FakeIssuer
) -> None:
    """T9, CVE-2025-69196: what one protector found out is no answer for another."""
    app = nest(outer, inner)
    token = issuer.token(aud=OUTER, scope="inner outer")
    assert (await call(app, "GET", "/me", token=token)).status_code == 200
    refused = await call(app, "GET", "/below/me", token=token)
    assert (refused.status_code, refused.content) == (401, INVALID)
    assert refused.headers["www-authenticate"] == (
        'Bearer realm="inner", error="invalid_token", error_description="The access token is invalid"'
    )


async def test_under_an_outer_application_that_protects_all_a_token_must_be_for_both(
    outer: ResourceServer, inner: ResourceServer, issuer: FakeIssuer
) -> None:
    """T9: the outer outcome is not reused below."""
    app = nest(outer, inner, protect="all")
    for audience, status in ((OUTER, 401), (INNER, 401), ([OUTER, INNER], 200)):
        token = issuer.token(aud=audience, scope="inner")
        assert (await call(app, "GET", "/below/me", token=token)).status_code == status, audience


async def test_a_requirement_of_another_resource_server_is_not_ours_to_judge(
    outer: ResourceServer, inner: ResourceServer, issuer: FakeIssuer
) -> None:
    """T9: one route that wants both is judged by each for itself."""
    app = FastAPI()
    outer.install(app)
    inner.install(app)
    app.get("/", dependencies=[outer.requires("outer"), inner.requires("inner")])(ok)
    response = await call(app, "GET", "/")
    assert response.headers["www-authenticate"] == 'Bearer realm="outer", scope="outer"'
    response = await call(app, "GET", "/", token=issuer.token(aud=OUTER, scope="outer inner"))
    assert (response.status_code, response.content) == (401, INVALID)
    response = await call(app, "GET", "/", token=issuer.token(aud=[OUTER, INNER], scope="outer inner"))
    assert response.status_code == 200


class Impersonating:
    """Middleware of a mounted application that puts other credentials in place of the caller's."""

    def __init__(self, app: AsgiApp, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"] = [(name.encode(), value.encode()) for name, value in bearer(self.token).items()]
        await self.app(scope, receive, send)


async def test_what_was_decided_holds_for_the_credentials_it_was_decided_for(
    make_api: MakeApi, issuer: FakeIssuer
) -> None:
    """T9: keyed by the digest of the credential lines it judged; and each judgement is told."""
    decisions: list[Decision] = []
    api = make_api(observers=[decisions.append])
    app = FastAPI()
    app.add_middleware(Impersonating, token=issuer.token(sub="eve"))
    api.install(app, protect="all")

    @app.get("/")
    async def me(token: Annotated[AccessToken, api.requires("admin")]) -> None: ...

    response = await call(app, "GET", "/", token=issuer.token(sub="root", scope="admin"))
    assert response.status_code == 403
    told = {(decision.token.subject if decision.token else None, decision.kind) for decision in decisions}
    assert told == {("root", None), ("eve", Kind.INSUFFICIENT_SCOPE)}
    assert len(decisions) == 2


@pytest.mark.parametrize("late", [False, True])
async def test_a_refusal_below_has_the_same_form_as_above(api: ResourceServer, late: bool) -> None:
    """D01: a mounted application has handlers of its own, so it is covered wherever it comes from."""
    app, below = FastAPI(), FastAPI()
    below.get("/me", dependencies=[api.requires("a")])(ok)
    if late:
        api.install(app)
    app.mount("/below", below)
    if not late:
        api.install(app)
    response = await call(app, "GET", "/below/me")
    assert (response.status_code, response.content) == (401, MISSING)
    assert response.headers["www-authenticate"] == 'Bearer realm="api", scope="a"'


async def test_an_application_without_fastapi_below_is_protected_where_everything_is(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """RS-9110-11.6.1-a: whatever layer; mounted applications bypass router dependencies (part H)."""
    app = FastAPI()
    api.install(app, protect="all")
    app.router.routes.append(Mount("/plain", routes=[Route("/x", lambda request: FileNotFoundError)]))
    assert (await call(app, "GET", "/plain/x")).status_code == 401
    assert (await call(app, "GET", "/plain/y", token=issuer.token())).status_code == 404


async def test_two_applications_of_one_resource_server_keep_their_own_protection(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """DESIGN §4: what is public in one application is not public in another."""
    strict, loose = FastAPI(), FastAPI()
    for app in (strict, loose):
        app.get("/open")(ok)
        app.get("/healthz")(ok)
    api.install(strict, protect="all", public=["/healthz"])
    api.install(loose)
    assert [(await call(strict, "GET", path)).status_code for path in ("/open", "/healthz")] == [401, 200]
    assert [(await call(loose, "GET", path)).status_code for path in ("/open", "/healthz")] == [200, 200]


async def test_public_paths_are_those_of_the_application_wherever_it_is_mounted(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """DESIGN §4: public paths are the paths that routing sees."""
    app, below = FastAPI(), FastAPI()
    below.get("/healthz")(ok)
    below.get("/notes")(ok)
    api.install(below, protect="all", public=["/healthz"])
    app.mount("/v1", below)
    app.get("/healthz/notes")(ok)
    assert [(await call(app, "GET", path)).status_code for path in ("/v1/healthz", "/v1/notes")] == [200, 401]
    assert (await call(app, "GET", "/v1/notes", token=issuer.token())).status_code == 200


async def test_the_routes_of_a_router_included_twice_need_what_each_inclusion_says(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """DESIGN §3: the operation is that of the matched route as it was included."""
    app, router = installed(api), APIRouter()
    router.get("/x")(ok)
    app.include_router(router, prefix="/a", dependencies=[api.requires("a")])
    app.include_router(router, prefix="/b", dependencies=[api.requires("b")])
    assert (await call(app, "GET", "/a/x")).headers["www-authenticate"] == 'Bearer realm="api", scope="a"'
    assert (await call(app, "GET", "/b/x")).headers["www-authenticate"] == 'Bearer realm="api", scope="b"'
    assert (await call(app, "GET", "/b/x", token=issuer.token(scope="a"))).status_code == 403
