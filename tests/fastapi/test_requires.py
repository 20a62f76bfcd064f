"""``requires(…)`` in all its places: what it gives, what it adds up to, and that one request is judged once."""

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Security
from starlette.responses import StreamingResponse

from resource_server import AccessToken, Decision, Kind, ResourceServer, acr, all_of, any_scope, role
from resource_server.testing import FakeIssuer
from tests.calls import DENIED, LACKS_SCOPE, MISSING, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import installed, ok
from tests.turnable_clock import TurnableClock


def union(api: ResourceServer) -> FastAPI:
    """One operation whose five scopes are written in five places."""
    app = FastAPI(dependencies=[api.requires("app")])
    api.install(app)
    router = APIRouter(dependencies=[api.requires("router")])

    async def user(token: Annotated[AccessToken, Security(api, scopes=["user"])]) -> AccessToken:
        return token

    @router.get("/notes", dependencies=[api.requires("route")])
    async def read(
        token: Annotated[AccessToken, Security(user, scopes=["parent"])], same: Annotated[AccessToken, api.requires()]
    ) -> bool:
        return token is same

    app.include_router(router, dependencies=[api.requires("inclusion")])
    return app


ALL = ("app", "inclusion", "router", "route", "parent", "user")


async def test_a_stranger_is_told_all_scopes_of_the_operation(api: ResourceServer) -> None:
    """RS-6750-3.1-e, DESIGN §3: the unit of decision is the operation."""
    response = await call(union(api), "GET", "/notes")
    assert response.headers["www-authenticate"] == f'Bearer realm="api", scope="{" ".join(ALL)}"'


@pytest.mark.parametrize("missing", ALL)
async def test_whichever_scope_is_missing_all_are_told(api: ResourceServer, issuer: FakeIssuer, missing: str) -> None:
    """RS-6750-3.1-e, D21: the full set, not merely the missing part."""
    token = issuer.token(scope=" ".join(set(ALL) - {missing}))
    response = await call(union(api), "GET", "/notes", token=token)
    assert response.status_code == 403
    assert response.headers["www-authenticate"] == f'Bearer realm="api", {LACKS_SCOPE}, scope="{" ".join(ALL)}"'
    assert response.json()["scope"] == " ".join(ALL)


async def test_with_all_scopes_every_place_gives_the_same_token(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §3: authenticated once, however many requires() a route has."""
    response = await call(union(api), "GET", "/notes", token=issuer.token(scope=" ".join(ALL)))
    assert (response.status_code, response.json()) == (200, True)


async def test_scopes_role_and_step_up_of_several_places_are_judged_in_the_order_of_the_contract(
    make_api: MakeApi, issuer: FakeIssuer, time: TurnableClock
) -> None:
    """E2 steps 13 and 14: step-up before scope before role, wherever each was written."""
    api = make_api(disclose_requirements=True)
    app = FastAPI(dependencies=[api.requires(role("editor"))])
    api.install(app)
    app.get("/", dependencies=[api.requires("a"), api.requires(acr("mfa", max_age=60))])(ok)

    async def ask(**claims: Any) -> tuple[int, str]:
        response = await call(app, "GET", "/", token=issuer.token(**claims))
        return response.status_code, response.headers.get("www-authenticate", "")

    now = int(time.wall)
    step_up = 'Bearer realm="api", error="insufficient_user_authentication", '
    step_up += 'error_description="More recent or stronger authentication is required"'
    assert await ask() == (401, f'{step_up}, scope="a", acr_values="mfa", max_age="60"')
    assert await ask(scope="a") == (401, f'{step_up}, acr_values="mfa", max_age="60"')
    assert await ask(acr="mfa", auth_time=now) == (403, f'Bearer realm="api", {LACKS_SCOPE}, scope="a"')
    assert await ask(acr="mfa", auth_time=now, scope="a") == (403, "")
    assert await ask(acr="mfa", auth_time=now, scope="a", roles=["editor"]) == (200, "")


async def test_requires_without_a_need_takes_any_valid_token(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §4; no scope in the challenge where none is required."""
    app = installed(api)

    @app.get("/me")
    async def me(token: Annotated[AccessToken, api.requires()]) -> list[Any]:
        return [token.issuer, token.subject, token.client_id, sorted(token.scopes), sorted(token.roles)]

    response = await call(app, "GET", "/me")
    assert (response.status_code, response.content) == (401, MISSING)
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'
    response = await call(app, "GET", "/me", token=issuer.token(scope="b a", roles=["r"]))
    assert response.json() == [issuer.url, "alice", "example-client", ["a", "b"], ["r"]]


async def test_alternatives_name_the_narrowest_scope(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §4: any_scope."""
    app = installed(api)
    app.get("/", dependencies=[api.requires(any_scope("notes:read", "notes:admin"))])(ok)
    response = await call(app, "GET", "/")
    assert response.headers["www-authenticate"] == 'Bearer realm="api", scope="notes:read"'
    assert (await call(app, "GET", "/", token=issuer.token(scope="notes:admin"))).status_code == 200
    assert (await call(app, "GET", "/", token=issuer.token(scope="notes:rea"))).status_code == 403


async def test_a_requirement_made_before_may_be_handed_over(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §4: requirements are small values that compose."""
    app, editors = installed(api), all_of("notes:write", role("editor"))
    app.get("/", dependencies=[api.requires(editors)])(ok)
    assert (await call(app, "GET", "/", token=issuer.token(scope="notes:write", roles=["editor"]))).status_code == 200
    refused = await call(app, "GET", "/", token=issuer.token(scope="notes:write"))
    assert (refused.status_code, refused.content) == (403, DENIED)


async def test_a_scope_that_includes_others_grants_them(make_api: MakeApi, issuer: FakeIssuer) -> None:
    """DESIGN §4: scope hierarchies are a declared mapping."""
    api = make_api(scope_hierarchy={"admin": ["write"], "write": ["read"]})
    app = installed(api)
    app.get("/", dependencies=[api.requires("read")])(ok)
    assert (await call(app, "GET", "/", token=issuer.token(scope="admin"))).status_code == 200
    assert (await call(app, "GET", "/", token=issuer.token(scope="administrator"))).status_code == 403


async def test_one_request_is_authenticated_and_told_once(make_api: MakeApi, issuer: FakeIssuer) -> None:
    """DESIGN §3: FastAPI runs dependencies separately; a proof would refuse its own second reading as a replay."""
    decisions: list[Decision] = []
    # nothing is remembered, so each authentication of a token with an unknown kid would cost a fetch of its own
    api = make_api(observers=[decisions.append], memory=0)
    app = union(api)
    await api.issuers.refresh()
    fetched = len(issuer.requests)
    token = issuer.token(scope=" ".join(ALL), header={"kid": "unknown"})
    assert (await call(app, "GET", "/notes", token=token)).status_code == 401
    assert [decision.kind for decision in decisions] == [Kind.UNKNOWN_KEY]
    assert len(issuer.requests) - fetched == 1  # the keys, once
    decisions.clear()
    assert (await call(app, "GET", "/notes", token=issuer.token(scope=" ".join(ALL)))).status_code == 200
    assert [(decision.kind, decision.route) for decision in decisions] == [(None, "/notes")]


async def test_a_callable_requirement_is_asked_once_a_request(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §3: the operation is judged once, not once a dependency."""
    asked: list[AccessToken] = []

    def judge(token: AccessToken) -> bool:
        asked.append(token)
        return True

    app = FastAPI(dependencies=[api.requires(), api.requires("a")])
    api.install(app)

    @app.post("/", dependencies=[api.requires(judge)])
    async def write(body: dict[str, str], token: Annotated[AccessToken, api.requires("b")]) -> None: ...

    response = await call(app, "POST", "/", token=issuer.token(scope="a b"), json={})
    assert (response.status_code, len(asked)) == (200, 1)


@pytest.mark.parametrize("path", ["/stream", "/disconnected", "/body"])
async def test_it_is_asked_once_though_the_route_listens_for_more(
    api: ResourceServer, issuer: FakeIssuer, path: str
) -> None:
    """A streaming answer receives, to hear of a client that leaves: that asked a second time, and once-only checks
    refused what they had just granted.
    """
    asked: list[AccessToken] = []

    def judge(token: AccessToken) -> bool:
        asked.append(token)
        return len(asked) == 1

    app = FastAPI(dependencies=[api.requires(judge)])
    api.install(app)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> Any:
            for _ in range(3):
                await asyncio.sleep(0)
                yield b"x"

        return StreamingResponse(pieces())

    @app.get("/disconnected")
    async def disconnected(request: Request) -> bool:
        return await request.is_disconnected()

    @app.get("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    response = await call(app, "GET", path, token=issuer.token())
    assert (response.status_code, len(asked)) == (200, 1)


async def test_requests_at_the_same_time_don_t_mix(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §3: the outcome is remembered in the request's own scope."""
    app = installed(api)
    everybody = asyncio.Barrier(20)

    async def wait_for_all() -> None:
        await everybody.wait()

    @app.get("/")
    async def me(
        first: Annotated[AccessToken, api.requires()],
        waited: Annotated[None, Depends(wait_for_all)],
        second: Annotated[AccessToken, api.requires()],
    ) -> list[str]:
        return [first.subject, second.subject]

    names = [f"user-{number}" for number in range(20)]
    responses = await asyncio.gather(*(call(app, "GET", "/", token=issuer.token(sub=name)) for name in names))
    assert [response.json() for response in responses] == [[name, name] for name in names]


async def test_the_first_requests_of_a_process_share_one_fetch(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §9: 1,000 concurrent first requests, one fetch."""
    app = installed(api)
    app.get("/", dependencies=[api.requires()])(ok)
    responses = await asyncio.gather(*(call(app, "GET", "/", token=issuer.token()) for _ in range(50)))
    assert {response.status_code for response in responses} == {200}
    assert len(issuer.requests) == 2  # metadata and keys
