"""``requires()`` without ``install``: it still refuses, and says what is missing."""

from typing import Annotated, Any

import pytest
from fastapi import FastAPI

from resource_server import AccessToken, Decision, Kind, ResourceServer
from resource_server.testing import FakeIssuer, make_token
from tests.calls import LACKS_SCOPE, call
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note

SENTENCE = "requires() works without api.install(app), but then bodies are read before the decision"


def bare(api: ResourceServer) -> FastAPI:
    app = FastAPI(dependencies=[api.requires("a")])

    @app.post("/notes")
    async def write(note: Note, token: Annotated[AccessToken, api.requires("b")]) -> str:
        return token.subject

    return app


async def test_it_refuses_all_the_same(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §3: requires() without the gate still refuses; Refused needs no handler."""
    app = bare(api)
    response = await call(app, "POST", "/notes", json={"text": "x"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="api", scope="a b"'
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "detail": {
            "title": "Unauthorized",
            "status": 401,
            "detail": "This resource needs an access token: Authorization: Bearer <token>.",
        }
    }
    response = await call(app, "POST", "/notes", json={"text": "x"}, token=issuer.token(scope="a"))
    assert response.status_code == 403
    assert response.headers["www-authenticate"] == f'Bearer realm="api", {LACKS_SCOPE}, scope="a b"'
    response = await call(app, "POST", "/notes", json={"text": "x"}, token=issuer.token(scope="a b"))
    assert (response.status_code, response.json()) == (200, "alice")


async def test_it_warns_once(api: ResourceServer, caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN §3: says loudly that install is missing."""
    app = bare(api)
    for _ in range(3):
        await call(app, "POST", "/notes", json={"text": "x"})
    warnings = [(record.levelname, record.message) for record in caplog.records if record.name == "resource_server"]
    assert warnings == [("WARNING", SENTENCE)]


async def test_an_installed_one_warns_of_nothing(
    api: ResourceServer, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    """The positive control."""
    app = bare(api)
    api.install(app)
    assert (await call(app, "POST", "/notes", json={}, token=issuer.token(scope="a b"))).status_code == 422
    assert caplog.records == []


@pytest.mark.parametrize(
    ("claims", "kind"),
    [({"scope": "a b"}, None), ({"scope": "a"}, Kind.INSUFFICIENT_SCOPE), ({"exp": 0}, Kind.EXPIRED)],
)
async def test_observers_are_told_once_there_too(
    make_api: MakeApi, issuer: FakeIssuer, claims: dict[str, Any], kind: Kind | None
) -> None:
    """Told of every decision, once."""
    decisions: list[Decision] = []
    app = bare(make_api(observers=[decisions.append]))
    await call(app, "POST", "/notes", json={"text": "x"}, token=issuer.token(**claims))
    assert [(decision.kind, decision.route) for decision in decisions] == [(kind, "/notes")]


async def test_a_left_override_fails_there_too(api: ResourceServer, caplog: pytest.LogCaptureFixture) -> None:
    """T6: every request 500, with a sentence in the log."""
    app = bare(api)
    app.dependency_overrides[api] = lambda: make_token(scopes=["a", "b"])
    response = await call(app, "POST", "/notes", json={"text": "x"})
    assert response.status_code == 500
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert errors == [
        "dependency_overrides[api] is set outside of resource_server.testing: remove it, or use acting_as()"
    ]
