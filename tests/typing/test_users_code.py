"""What users write is typed without exceptions, and does what it says."""

import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from resource_server.fastapi.inventory import inventory
from resource_server.testing import FakeIssuer, acting_as, fake_issuer, make_token
from tests.calls import bearer
from tests.typing import users_code
from tests.typing.users_code import api, app, told


@pytest.fixture(scope="module")
def issuer() -> Iterator[FakeIssuer]:
    with fake_issuer(api) as issuer, fake_issuer(api, "https://partner.example.com"):
        yield issuer


@pytest.fixture(scope="module")
def client(issuer: FakeIssuer) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def test_nothing_in_it_is_kept_from_the_type_checker() -> None:
    """DESIGN §3: tests/typing. ``make check`` reads it by mypy --strict; a comment could make that worth nothing."""
    with Path(users_code.__file__).open("rb") as file:
        comments = [one.string for one in tokenize.tokenize(file.readline) if one.type == tokenize.COMMENT]
    assert comments == []


@pytest.mark.parametrize(
    ("path", "scope", "status", "body"),
    [
        pytest.param("/health", None, 200, "ok", id="public"),
        pytest.param("/me", "x", 200, {"subject": "alice", "client_id": "web", "scopes": ["x"]}, id="response-model"),
        pytest.param("/user", "x", 200, {"name": "alice", "is_admin": False}, id="dependency-of-a-dependency"),
        pytest.param("/security", "notes:read", 200, "alice", id="security"),
        pytest.param("/v1/notes?limit=3", "notes:read", 200, {"owner": "alice", "limit": 3}, id="class"),
        pytest.param("/v1/notes?limit=3", "notes:write", 200, {"owner": "alice", "limit": 3}, id="hierarchy"),
        pytest.param("/v1/notes?limit=x", "notes:read", 400, {"problems": 1}, id="handler-of-one-s-own"),
        pytest.param("/v1/notes/alice", "notes:read", 200, [], id="owner"),
        pytest.param(
            "/taken", "x", 409, {"title": "Conflict", "status": 409, "detail": "somebody was faster"}, id="own"
        ),
        pytest.param(
            "/v1/notes/bob",
            "notes:read",
            403,
            {"error": "access_denied", "text": "You are not allowed to do this"},
            id="another-s",
        ),
        pytest.param(
            "/v1/notes",
            "x",
            403,
            {"error": "insufficient_scope", "text": "The access token lacks the required scope"},
            id="scope",
        ),
        pytest.param("/v1/notes", None, 401, {"error": "", "text": ""}, id="nobody"),
    ],
)
def test_each_route_answers(
    client: TestClient, issuer: FakeIssuer, path: str, scope: str | None, status: int, body: object
) -> None:
    """README, docs/first-steps.md: the idioms that they name, in one application."""
    headers = {} if scope is None else bearer(issuer.token(sub="alice", client_id="web", scope=scope))
    response = client.get(path, headers=headers)
    assert (response.status_code, response.json()) == (status, body)


def test_a_refusal_keeps_its_challenge_through_a_handler_of_the_application_s_own(client: TestClient) -> None:
    """DESIGN §4."""
    assert client.get("/v1/notes").headers["www-authenticate"] == 'Bearer realm="api", scope="notes:read"'


def test_background_tasks_streams_and_sockets_are_as_ever(client: TestClient, issuer: FakeIssuer) -> None:
    """One idiom each."""
    headers = bearer(issuer.token(sub="alice", scope="notes:write"))
    assert client.post("/v1/notes", json={"text": "x"}, headers=headers).status_code == 201
    assert client.get("/v1/notes/alice", headers=headers).json() == ["x"]
    assert client.get("/stream", headers=headers).text == "for alice\n"
    with client.websocket_connect("/feed", headers=headers) as socket:
        assert socket.receive_json() == {"for": "alice"}


def test_a_test_of_the_application_may_act_as_somebody() -> None:
    """docs/first-steps.md, step 3; the observer is told."""
    told.clear()
    with acting_as(app, api, make_token(subject="eve", scopes=["notes:write"])):
        client = TestClient(app)
        assert client.get("/v1/notes").json()["owner"] == "eve"
        assert client.post("/v1/notes", json={"text": "x"}).status_code == 403
    with acting_as(app, api, make_token(scopes=["paid"], claims={"tier": "gold"})):
        assert client.get("/paid").json() == "worth it"
    assert told == ["None None", "403 policy", "None None"]


def test_nothing_is_open_that_was_not_declared() -> None:
    """docs/first-steps.md, step 2."""
    assert [one.path for one in inventory(app) if one.is_open] == ["/health"]
