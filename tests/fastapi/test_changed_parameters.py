"""What was granted is granted for the path parameters that were judged, and for no others of the same request."""

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request

from resource_server import AccessToken, ResourceServer, owner
from resource_server.testing import FakeIssuer
from tests.calls import Exchange, bearer, call

both = pytest.mark.parametrize("protect", ["routes", "all"])


@both
@pytest.mark.parametrize(("becomes", "status"), [("alice", 200), ("bob", 403)], ids=["the-same", "another"])
async def test_a_parameter_that_a_dependency_changes_in_its_place_is_judged_anew(
    api: ResourceServer, issuer: FakeIssuer, protect: str, becomes: str, status: int
) -> None:
    """T9: the mapping is the same and what it says is not; FastAPI gives the endpoint what it says by now."""
    app = FastAPI()
    api.install(app, protect=protect)

    def canonical(request: Request) -> None:
        request.path_params["user"] = becomes

    @app.get("/diaries/{user}", dependencies=[Depends(canonical)])
    async def read(user: str, token: Annotated[AccessToken, api.requires(owner("user"))]) -> str:
        return f"{user}'s diary for {token.subject}"

    response = await call(app, "GET", "/diaries/alice", token=issuer.token())
    assert response.status_code == status
    assert ("bob's" in response.text) is False


async def test_what_was_granted_for_one_path_of_a_batch_is_asked_again_for_another(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """T9: an endpoint that answers several requests copies its scope, and what hangs from that is shared."""
    app = FastAPI()
    api.install(app)
    mine: Any = api.requires(owner("user"))

    @app.get("/diaries/{user}", dependencies=[mine])
    async def read(user: str) -> str:
        return f"{user}'s diary"

    @app.get("/drafts/{user}", dependencies=[api.requires("read")])
    async def drafts(user: str, request: Request) -> str:
        await mine.dependency(request)
        return f"{user}'s drafts"

    @app.post("/batch")
    async def batch(request: Request) -> list[Any]:
        answers = []
        for path in ("/diaries/alice", "/drafts/alice", "/drafts/bob"):
            exchange = Exchange(app.router, "GET", path, headers=bearer(token).items())
            exchange.scope = {**request.scope, **exchange.scope}
            answers.append((await exchange.run()).json)
        return answers

    token = issuer.token(scope="read")
    *granted, refused = (await call(app, "POST", "/batch")).json()
    assert granted == ["alice's diary", "alice's drafts"]
    assert refused["error"] == "access_denied"
