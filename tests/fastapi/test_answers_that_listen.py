"""A user's own answer to a refusal: while it is sent, frameworks listen if the client leaves, and that reads on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from starlette.responses import FileResponse, StreamingResponse

from resource_server import AccessToken, Decision, Kind, Refused, ResourceServer, owner
from resource_server.asgi import AsgiApp, Message, Receive, Scope, Send
from resource_server.gate import Gate
from resource_server.testing import FakeIssuer
from tests.calls import Exchange, bearer
from tests.fastapi.conftest import MakeApi
from tests.fastapi.ways import ok

Handler = Callable[[Request, Any], Awaitable[Response]]
CONTENT = b"<h1>not for you</h1>" * 10_000

both = pytest.mark.parametrize("protect", ["routes", "all"])


class Listened(Exchange):
    """As a server of ASGI 2.3 has it: what comes after the body is that the client has left, once it is answered."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, asgi={"version": "3.0", "spec_version": "2.3"}, **options)
        self._answered = asyncio.Event()

    async def _receive(self) -> dict[str, Any]:
        if self.received:
            await self._answered.wait()
        return await super()._receive()

    async def _send(self, message: Any) -> None:
        await asyncio.sleep(0)
        await super()._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._answered.set()


@pytest.fixture(params=["file", "stream", "echo"])
def handler(request: pytest.FixtureRequest, tmp_path: Path) -> Handler:
    """A page from a file, one in pieces, and one that notes what was asked."""
    page = tmp_path / "page.html"
    page.write_bytes(CONTENT)

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(CONTENT), 50_000):
            yield CONTENT[at : at + 50_000]

    async def file(_request: Request, error: Any) -> Response:
        return FileResponse(page, error.status_code, headers={"last-modified": "", "etag": ""})

    async def stream(_request: Request, error: Any) -> Response:
        return StreamingResponse(pieces(), error.status_code)

    async def echo(request: Request, error: Any) -> Response:
        return Response(CONTENT + await request.body(), error.status_code)

    found: Handler = {"file": file, "stream": stream, "echo": echo}[request.param]
    return found


@both
@pytest.mark.parametrize("body", [b"", b"abc"], ids=["no-body", "body"])
async def test_a_page_for_404_is_whole_for_what_is_hidden_too(
    api: ResourceServer, issuer: FakeIssuer, handler: Handler, protect: str, body: bytes
) -> None:
    """T4: it was cut short, and so told what is there from what is not."""
    app = FastAPI()
    api.install(app, protect=protect)
    app.add_exception_handler(404, handler)

    @app.post("/diaries/{user}", dependencies=[api.requires(owner("user", hide=True))])
    async def write(user: str) -> None: ...

    fields = bearer(issuer.token()).items()
    answers = []
    for path in ("/diaries/bob", "/nothing/bob"):
        asked = await Listened(app, "POST", path, headers=fields, body=body).run()
        answers.append((asked.status, asked.headers, asked.body, asked.received))
    assert answers[0] == answers[1]
    assert answers[0][2].startswith(CONTENT)


@both
@pytest.mark.parametrize(
    ("scope", "kind"), [(None, Kind.NO_CREDENTIALS), ("b", Kind.INSUFFICIENT_SCOPE)], ids=["stranger", "scope-lacking"]
)
async def test_a_page_for_a_refusal_is_whole_and_the_body_stays_unread(
    make_api: MakeApi, issuer: FakeIssuer, handler: Handler, protect: str, scope: str | None, kind: Kind
) -> None:
    """T30: whoever answers a refusal is not refused for it, which was a 500, or half of a page."""
    decisions: list[Decision] = []
    api = make_api(observers=[decisions.append])
    app = FastAPI()
    api.install(app, protect=protect)
    app.add_exception_handler(Refused, handler)

    @app.post("/notes", dependencies=[api.requires("a")])
    async def write(note: dict[str, str]) -> None: ...

    fields = bearer(issuer.token(scope=scope)).items() if scope else []
    asked = await Listened(app, "POST", "/notes", headers=fields, body=b'{"a": "b"}').run()
    if protect == "all" and scope is None:
        assert (asked.status, asked.received) == (401, 0)  # by the gate, in front of the handler
    else:
        assert (asked.status, asked.body, asked.received) == (403 if scope else 401, CONTENT, 0)
    assert [decision.kind for decision in decisions] == [kind]


async def test_a_body_that_is_too_large_may_be_answered_with_a_page(
    api: ResourceServer, issuer: FakeIssuer, handler: Handler
) -> None:
    """T28."""
    app = FastAPI()
    api.install(app, max_body=10)
    app.add_exception_handler(Refused, handler)

    @app.post("/notes", dependencies=[api.requires()])
    async def write(note: dict[str, str]) -> None: ...

    asked = await Listened(app, "POST", "/notes", headers=bearer(issuer.token()).items(), body=b"x" * 11).run()
    assert (asked.status, asked.body) == (413, CONTENT)


@pytest.mark.parametrize("content", [b"", b"abc"], ids=["no-body", "body"])
async def test_who_asks_by_itself_and_catches_the_refusal_may_read_the_body(
    api: ResourceServer, content: bytes
) -> None:
    """The positive control: what a stranger may do without a token is the application's own business there."""
    app = FastAPI()
    api.install(app)

    @app.post("/notes")
    async def write(request: Request) -> Response:
        try:
            await api.requires().dependency(request)
        except Refused:
            return Response(b"by a stranger: " + await request.body())
        return Response(status_code=500)

    assert (await Listened(app, "POST", "/notes", body=content).run()).body == b"by a stranger: " + content


class Again:
    """Middleware that gives who was refused another token, and tries once more."""

    def __init__(self, app: AsgiApp, *, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def swallow(message: Message) -> None: ...

        await self.app(scope, receive, swallow)
        scope["headers"].append((b"authorization", f"Bearer {self.token}".encode()))
        await self.app(scope, receive, send)


async def test_who_is_refused_and_comes_with_another_token_has_its_body(
    api: ResourceServer, issuer: FakeIssuer, handler: Handler
) -> None:
    """The positive control: in the very same scope, whose body nobody has read."""
    app = FastAPI()
    app.add_middleware(Again, token=issuer.token())
    api.install(app)

    @app.post("/notes", dependencies=[api.requires()])
    async def write(note: dict[str, str]) -> dict[str, str]:
        return note

    asked = await Listened(app, "POST", "/notes", body=b'{"a":"b"}').run()
    assert (asked.status, asked.body) == (200, b'{"a":"b"}')


@pytest.mark.parametrize("by", ["alice", "bob"])
async def test_a_refusal_of_a_request_that_an_endpoint_makes_is_not_its_own(
    api: ResourceServer, issuer: FakeIssuer, by: str
) -> None:
    """T9, T32: it reads on, and its answer is a stream that is judged again, by its own token."""
    app = FastAPI()
    api.install(app)
    standing: list[Any] = app.user_middleware
    next(one for one in standing if one.cls is Gate).kwargs["interval"] = 0.0
    judged: list[str] = []
    judged_again = asyncio.Event()

    def note(token: AccessToken) -> bool:
        judged.append(token.subject)
        if len(judged) == 2:
            judged_again.set()
        return True

    app.get("/notes", dependencies=[api.requires("notes:read")])(ok)

    @app.post("/batch", dependencies=[api.requires(note)])
    async def batch(request: Request) -> StreamingResponse:
        if by == "alice":  # what is refused to her is refused for good, so she has to read before
            await request.body()
        exchange = Exchange(app.router, "GET", "/notes", headers=bearer(issuer.token(sub=by)).items())
        exchange.scope = {**request.scope, **exchange.scope}
        with pytest.raises(Refused):
            await exchange.run()
        body = await request.body()

        async def pieces() -> AsyncIterator[bytes]:
            await judged_again.wait()
            yield body

        return StreamingResponse(pieces())

    async with asyncio.timeout(5):
        asked = await Listened(app, "POST", "/batch", headers=bearer(issuer.token()).items(), body=b"abc").run()
    assert (asked.body, judged) == (b"abc", ["alice", "alice"])
