"""Hide-as-404 (T4): what is hidden answers like what is not there, to the byte."""

from typing import Any

import pytest
from fastapi import Body, FastAPI, HTTPException, Response

from resource_server import Decision, Kind, ResourceServer, owner
from resource_server.testing import FakeIssuer
from tests.calls import MISSING, Exchange, call
from tests.fastapi.conftest import MakeApi

METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE"]
CONDITIONS = [
    pytest.param([], id="unconditional"),
    pytest.param([("if-match", '"v1"')], id="if-match"),
    pytest.param([("if-none-match", "*")], id="if-none-match"),
]
BODIES = [pytest.param(b"", id="no-body"), pytest.param(b'{"a": 1}', id="body"), pytest.param(b"{bad", id="broken")]
modes = pytest.mark.parametrize("answer_all", [False, True], ids=["own-answers", "answer-all"])


def diaries(api: ResourceServer, *, answer_all: bool, protect: str = "routes") -> FastAPI:
    """Everybody's diary is hidden from everybody else. Alice has none: her 404 is a true one, of the endpoint."""
    app = FastAPI()
    api.install(app, answer_all=answer_all, protect=protect)

    async def read(user: str) -> Response:
        if user == "alice":
            raise HTTPException(404)
        return Response("dear diary", headers={"ETag": '"v1"'})

    async def write(user: str, entry: dict[str, Any] = Body({})) -> Response:  # noqa: B008 - how it is used
        return await read(user)

    mine = [api.requires(owner("user", hide=True))]
    app.api_route("/diaries/{user}", methods=["GET", "HEAD"], dependencies=mine)(read)
    app.api_route("/diaries/{user}", methods=["PUT", "PATCH", "DELETE"], dependencies=mine)(write)
    return app


async def ask(
    app: FastAPI, method: str, path: str, token: str, headers: list[tuple[str, str]], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    fields = [("authorization", f"Bearer {token}"), *headers]
    exchange = await Exchange(app, method, path, headers=fields, body=body).run()
    return exchange.status, exchange.headers, exchange.body


@modes
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("headers", CONDITIONS)
@pytest.mark.parametrize("body", BODIES)
async def test_what_is_hidden_answers_like_a_path_that_leads_nowhere(
    api: ResourceServer,
    issuer: FakeIssuer,
    answer_all: bool,
    method: str,
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    """T4, RS-9110-15.5.4-b, D27: status, every header field and every byte."""
    app = diaries(api, answer_all=answer_all)
    token = issuer.token()
    hidden = await ask(app, method, "/diaries/bob", token, headers, body)
    nowhere = await ask(app, method, "/nothing/bob", token, headers, body)
    assert hidden == nowhere
    status, fields, content = hidden
    expected = b'{"title":"Not Found","status":404}' if answer_all else b'{"detail":"Not Found"}'
    assert (status, content) == (404, expected)
    assert sorted(fields) == [
        ("cache-control", "no-store"),
        *([("connection", "close")] if body else []),
        ("content-length", str(len(expected))),
        ("content-type", "application/json"),
    ]


@modes
@pytest.mark.parametrize("method", METHODS)
async def test_what_is_hidden_answers_like_what_its_owner_does_not_have(
    api: ResourceServer, issuer: FakeIssuer, answer_all: bool, method: str
) -> None:
    """T4: bob's, which is there, and alice's, which is not, look the same to alice."""
    app, token = diaries(api, answer_all=answer_all), issuer.token()
    hidden = await ask(app, method, "/diaries/bob", token, [], b"")
    missing = await ask(app, method, "/diaries/alice", token, [], b"")
    assert sorted(hidden[1]) == sorted(missing[1])
    assert (hidden[0], hidden[2]) == (missing[0], missing[2])


@modes
async def test_its_owner_finds_it(api: ResourceServer, issuer: FakeIssuer, answer_all: bool) -> None:
    """The positive control."""
    response = await call(diaries(api, answer_all=answer_all), "GET", "/diaries/bob", token=issuer.token(sub="bob"))
    assert (response.status_code, response.text) == (200, "dear diary")


@modes
@pytest.mark.parametrize("method", METHODS)
async def test_a_stranger_gets_the_same_401_for_what_is_there_and_what_is_not(
    api: ResourceServer, answer_all: bool, method: str
) -> None:
    """Ruling 26: anonymous callers always get 401 in a protected prefix, existing or not, known path or not."""
    app = diaries(api, answer_all=answer_all, protect="all")
    answers = {
        (response.status_code, response.headers["www-authenticate"], response.content if method != "HEAD" else MISSING)
        for path in ("/diaries/bob", "/diaries/alice", "/diaries", "/nothing")
        for response in [await call(app, method, path)]
    }
    assert answers == {(401, 'Bearer realm="api"', MISSING)}


async def test_the_operator_is_told_what_was_hidden(make_api: MakeApi, issuer: FakeIssuer) -> None:
    """The reason is known to the operator and hidden from the attacker."""
    decisions: list[Decision] = []
    app = diaries(make_api(observers=[decisions.append]), answer_all=False)
    await call(app, "GET", "/diaries/bob", token=issuer.token())
    assert [(decision.kind, decision.status, decision.route) for decision in decisions] == [
        (Kind.HIDDEN, 404, "/diaries/{user}")
    ]


async def test_a_user_s_handler_for_404_sees_both_alike(api: ResourceServer, issuer: FakeIssuer) -> None:
    """DESIGN §4: a hidden 404 is a plain HTTPException(404), so identical by construction."""
    app = diaries(api, answer_all=False)
    seen: list[Exception] = []

    @app.exception_handler(404)
    async def nothing(request: object, error: Exception) -> Response:
        seen.append(error)
        return Response(f"nothing here: {error!r}", 404)

    token = issuer.token()
    hidden = await ask(app, "GET", "/diaries/bob", token, [], b"")
    assert hidden == await ask(app, "GET", "/nothing", token, [], b"")
    assert hidden[2] == b"nothing here: HTTPException(status_code=404, detail='Not Found')"
