"""Middleware that stands inside the gate may change a request: what reaches the application is what is judged."""

import asyncio
import copy
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Request, WebSocket
from starlette.responses import StreamingResponse

from resource_server import AccessToken, Decision, Kind, ResourceServer
from resource_server.asgi import AsgiApp, Receive, Scope, Send
from resource_server.gate import Gate
from resource_server.testing import FakeIssuer
from tests.calls import MISSING, Exchange, bearer, call
from tests.fastapi.below import Copying
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import Note, ok
from tests.turnable_clock import TurnableClock


class Moving:
    """Makes an Authorization field of what came in another one, as browsers' WebSockets need it."""

    def __init__(self, app: AsgiApp, *, copies: bool) -> None:
        self.app = app
        self.copies = copies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = dict(scope.get("headers", [])).get(b"x-session")
        if token is not None:
            field = (b"authorization", b"Bearer " + token)
            if self.copies:
                scope = {**scope, "headers": [*scope["headers"], field]}
            else:
                scope["headers"].append(field)
        await self.app(scope, receive, send)


class Replacing:
    """Puts another token in the place of the caller's, in the very list of fields."""

    def __init__(self, app: AsgiApp, *, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fields = scope.get("headers", [])
        fields[:] = [pair for pair in fields if pair[0] != b"authorization"]
        if self.token:
            fields.append((b"authorization", f"Bearer {self.token}".encode()))
        await self.app(scope, receive, send)


class Rewriting:
    """Leads one path to another one."""

    def __init__(self, app: AsgiApp, *, to: dict[str, Any]) -> None:
        self.app = app
        self.to = to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, **self.to} if scope["path"].endswith("/old") else scope, receive, send)


def protected(api: ResourceServer, middleware: Any, *, protect: str = "routes", **options: Any) -> FastAPI:
    """With the middleware inside of the gate, because it was there first; and streams judged again all the time."""
    app = FastAPI()
    app.add_middleware(middleware, **options)
    api.install(app, protect=protect, public=["/public/*"])
    standing: list[Any] = app.user_middleware
    next(one for one in standing if one.cls is Gate).kwargs["interval"] = 0.0

    @app.get("/me")
    async def me(token: Annotated[AccessToken, api.requires("a")]) -> str:
        return token.subject

    @app.get("/stream", dependencies=[api.requires("a")])
    async def stream() -> StreamingResponse:
        async def pieces() -> Any:
            yield b"first"
            await asyncio.Event().wait()

        return StreamingResponse(pieces())

    @app.websocket("/socket", dependencies=[api.requires("a")])
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await asyncio.Event().wait()

    return app


@pytest.mark.parametrize("copies", [False, True], ids=["in-place", "in-a-copy"])
@pytest.mark.parametrize(("kind", "path"), [("http", "/stream"), ("websocket", "/socket")])
async def test_a_stream_is_judged_again_by_the_credentials_that_middleware_found(
    make_api: MakeApi, issuer: FakeIssuer, time: TurnableClock, kind: str, path: str, copies: bool
) -> None:
    """T32: the gate watched the passage without credentials, so such a socket was open for ever."""
    decisions: list[Decision] = []
    app = protected(make_api(observers=[decisions.append]), Moving, copies=copies)
    exchange = Exchange(app, "GET", path, type=kind, headers=[("x-session", issuer.token(scope="a"))])

    async def receive() -> Any:
        return {"type": "websocket.connect"} if kind == "websocket" else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        exchange.sent.append(message)
        time.turn(1000)

    async with asyncio.timeout(5):
        await app(exchange.scope, receive, send)
    assert exchange.sent[-1] in (
        {"type": "websocket.close", "code": 1008},
        {"type": "http.response.body", "body": b"", "more_body": False},
    )
    assert [decision.kind for decision in decisions] == [None, Kind.EXPIRED]


@pytest.mark.parametrize("copies", [False, True], ids=["in-place", "in-a-copy"])
async def test_an_answer_to_credentials_that_middleware_found_is_private(
    api: ResourceServer, issuer: FakeIssuer, copies: bool
) -> None:
    """T31."""
    app = protected(api, Moving, copies=copies)
    response = await call(app, "GET", "/me", headers={"x-session": issuer.token(scope="a")})
    assert (response.json(), response.headers["cache-control"]) == ("alice", "private")


@pytest.mark.parametrize("protect", ["routes", "all"])
async def test_a_token_that_was_replaced_in_its_place_is_the_one_that_is_judged(
    make_api: MakeApi, issuer: FakeIssuer, protect: str
) -> None:
    """T9: the list of header fields was the same, so it was taken for the same credentials."""
    decisions: list[Decision] = []
    api = make_api(observers=[decisions.append])
    app = protected(api, Replacing, protect=protect, token=issuer.token(sub="bob", scope="a"))
    response = await call(app, "GET", "/me", token=issuer.token(scope="a"))
    assert (response.json(), response.headers["cache-control"]) == ("bob", "private")
    told = [decision.token.subject for decision in decisions if decision.token is not None]
    assert told == (["bob"] if protect == "routes" else ["alice", "bob"])


async def test_a_stream_goes_on_though_middleware_took_the_credentials_out(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """T32: it is judged again by what the gate has judged."""
    app = protected(api, Replacing, protect="all", token="")
    judged = asyncio.Event()

    @app.get("/open")
    async def stream() -> StreamingResponse:
        async def pieces() -> Any:
            for _ in range(50):
                await asyncio.sleep(0)
            judged.set()
            yield b"whole"

        return StreamingResponse(pieces())

    response = await call(app, "GET", "/open", token=issuer.token())
    assert (response.content, judged.is_set()) == (b"whole", True)


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "to", [{"path": "/me"}, {"path": "/nowhere"}, {"root_path": "/public"}], ids=["path", "unknown", "root-path"]
)
async def test_a_public_path_that_middleware_leads_elsewhere_needs_a_token(
    api: ResourceServer, issuer: FakeIssuer, kind: str, to: dict[str, Any]
) -> None:
    """RS-9110-11.6.1-a: where everything is protected, the path that runs is the one that counts."""
    app = protected(api, Rewriting, protect="all", to=to)
    app.get("/old")(ok)
    options: Any = {"type": kind, "extensions": {"websocket.http.response": {}}}
    refused = await Exchange(app, "GET", "/public/old", **options).run()
    assert (refused.status, refused.body) == (401, MISSING)
    assert refused.field("www-authenticate") == [
        'Bearer realm="api", scope="a"' if (to, kind) == ({"path": "/me"}, "http") else 'Bearer realm="api"'
    ]
    fields: Any = bearer(issuer.token(scope="a")).items()
    assert (await Exchange(app, "GET", "/public/old", headers=fields, **options).run()).sent != refused.sent


async def test_a_refusal_there_leaves_the_body_unread(api: ResourceServer) -> None:
    """T30: and closes the connection, once."""
    app = protected(api, Rewriting, protect="all", to={"path": "/me"})
    exchange = await Exchange(app, "POST", "/public/old", body=b"abc").run()
    assert (exchange.status, exchange.received, exchange.field("connection")) == (401, 0, ["close"])


async def test_a_public_path_that_stays_public_needs_no_token(api: ResourceServer) -> None:
    """The positive control: below a root path and in a mounted application with middleware of its own, too."""
    app, below = protected(api, Rewriting, protect="all", to={"path": "/public/new"}), FastAPI()
    below.add_middleware(Rewriting, to={"path": "/public/below/new"})
    for one in (app, below):
        one.get("/public/new" if one is app else "/new")(ok)
    app.mount("/public/below", below)
    for path in ("/public/old", "/public/new", "/public/below/old", "/public/below/new"):
        assert (await call(app, "GET", path)).status_code == 200
    served = await Exchange(app, "GET", "/v1/public/new", root_path="/v1").run()
    assert served.status == 200


async def test_a_public_path_that_a_mounted_application_leads_out_needs_a_token(api: ResourceServer) -> None:
    """The path counts from the gate, not from the mount."""
    app, below = protected(api, Copying, protect="all"), FastAPI()
    below.add_middleware(Rewriting, to={"path": "/public/below/old", "root_path": "/public/below/old"[:-4]})
    below.get("/{rest:path}")(ok)
    app.mount("/public/below", below)
    assert (await call(app, "GET", "/public/below/old")).status_code == 200
    below.user_middleware[0].kwargs["to"] = {"path": "/private"}
    below.middleware_stack = None
    assert (await call(app, "GET", "/public/below/old")).status_code == 401


@pytest.mark.parametrize("protect", ["routes", "all"])
async def test_behind_middleware_that_copies_the_scope_the_body_still_waits(
    api: ResourceServer, issuer: FakeIssuer, protect: str
) -> None:
    """RS-9110-11.6.1-a: routing writes into the copy, where the gate does not look."""
    app = protected(api, Copying, protect=protect)

    @app.post("/notes", dependencies=[api.requires("a")])
    async def write(note: Note) -> str:
        return note.text

    fields: Any = bearer(issuer.token()).items()
    refused = await Exchange(app, "POST", "/notes", headers=fields, body=b"{bad").run()
    assert (refused.status, refused.received) == (403, 0)
    response = await call(app, "POST", "/notes", token=issuer.token(scope="a"), json={"text": "hello"})
    assert response.json() == "hello"


@pytest.mark.parametrize("through", ["gate", "router"])
async def test_requests_that_are_made_of_one_keep_their_credentials_apart(
    api: ResourceServer, issuer: FakeIssuer, through: str
) -> None:
    """T9: an endpoint that answers several requests at once copies its scope, and what hangs from that is shared."""
    app = protected(api, Copying)

    @app.get("/slow")
    async def slow(token: Annotated[AccessToken, api.requires()]) -> list[str]:
        await asyncio.sleep(0)
        again = (await api.requires().dependency(Request(copy.copy(last[token.subject])))).subject
        return [token.subject, again]

    last: dict[str, Any] = {}

    @app.post("/batch")
    async def batch(request: Request) -> list[Any]:
        async def ask(name: str) -> Any:
            fields: Any = bearer(issuer.token(sub=name)).items()
            exchange = Exchange(app if through == "gate" else app.router, "GET", "/slow", headers=fields)
            exchange.scope = {**request.scope, **exchange.scope}
            last[name] = exchange.scope
            return (await exchange.run()).json

        return await asyncio.gather(*map(ask, ["ann", "bob", "cid"]))

    assert (await call(app, "POST", "/batch")).json() == [["ann", "ann"], ["bob", "bob"], ["cid", "cid"]]
