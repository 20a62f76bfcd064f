"""A dependency that is forgotten, or not called: FastAPI would let strangers write the token themselves, as content."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import Body, Depends, FastAPI, Query, Security, WebSocket
from pydantic import BaseModel, TypeAdapter

from resource_server import AccessToken, ResourceServer
from resource_server.testing import FakeIssuer
from tests.calls import call
from tests.fastapi.ways import installed

SENTENCE = (
    "an AccessToken comes from requires(…) alone, as in Annotated[AccessToken, api.requires()]: "
    "it is never read from a request, nor sent as an answer"
)


def forgotten(app: FastAPI, api: ResourceServer) -> None:
    @app.post("/")
    async def read(token: AccessToken) -> str:
        return token.subject


def not_called(app: FastAPI, api: ResourceServer) -> None:
    @app.post("/")
    async def read(token: Annotated[AccessToken, api.requires]) -> str:
        return token.subject


def not_called_as_a_default(app: FastAPI, api: ResourceServer) -> None:
    @app.post("/")
    async def read(token: AccessToken = api.requires) -> str:  # type: ignore[assignment]
        return token.subject


def without_depends(app: FastAPI, api: ResourceServer) -> None:
    @app.get("/")
    async def read(token: Annotated[AccessToken, api]) -> str:
        return token.subject


def optional(app: FastAPI, api: ResourceServer) -> None:
    @app.post("/")
    async def read(token: AccessToken | None = None) -> str:
        return token.subject if token else ""


def asked_for(app: FastAPI, api: ResourceServer) -> None:
    @app.post("/")
    async def read(token: Annotated[AccessToken, Body(embed=True)]) -> str:
        return token.subject


def several(app: FastAPI, api: ResourceServer) -> None:
    @app.post("/")
    async def read(tokens: list[AccessToken]) -> int:
        return len(tokens)


def in_a_query(app: FastAPI, api: ResourceServer) -> None:
    @app.get("/")
    async def read(token: Annotated[AccessToken, Query()]) -> str:
        return token.subject


def in_a_dependency(app: FastAPI, api: ResourceServer) -> None:
    def user(token: AccessToken) -> str:
        return token.subject

    @app.post("/")
    async def read(name: Annotated[str, Depends(user)]) -> str:
        return name


def in_a_class(app: FastAPI, api: ResourceServer) -> None:
    @dataclass
    class Caller:
        token: AccessToken

    @app.post("/")
    async def read(caller: Annotated[Caller, Depends()]) -> str:
        return caller.token.subject


def in_a_model(app: FastAPI, api: ResourceServer) -> None:
    class Note(BaseModel):
        text: str
        token: AccessToken


def at_a_handshake(app: FastAPI, api: ResourceServer) -> None:
    @app.websocket("/")
    async def feed(websocket: WebSocket, token: AccessToken) -> None: ...


def as_an_answer(app: FastAPI, api: ResourceServer) -> None:
    @app.get("/")
    async def read(token: Annotated[AccessToken, api.requires()]) -> AccessToken:
        return token


def read_from_json(app: FastAPI, api: ResourceServer) -> None:
    TypeAdapter(AccessToken).validate_python({})


MISUSES = [
    forgotten,
    not_called,
    not_called_as_a_default,
    without_depends,
    optional,
    asked_for,
    several,
    in_a_query,
    in_a_dependency,
    in_a_class,
    in_a_model,
    at_a_handshake,
    as_an_answer,
    read_from_json,
]


@pytest.mark.parametrize("misuse", MISUSES, ids=lambda misuse: misuse.__name__)
def test_a_token_that_a_stranger_could_write_ends_the_declaration(api: ResourceServer, misuse: Any) -> None:
    """T1: ``{"subject": "root", "roles": ["admin"]}`` was a token, where brackets were missing."""
    with pytest.raises(TypeError) as caught:
        misuse(installed(api), api)
    assert str(caught.value) == SENTENCE


async def test_a_token_that_is_required_may_stand_wherever_it_is_of_use(
    api: ResourceServer, issuer: FakeIssuer
) -> None:
    """The positive control: what is returned by dependencies, and what a response model makes of it."""
    app = installed(api)

    class Subject(BaseModel):
        subject: str

    @dataclass
    class Caller:
        token: Annotated[AccessToken, api.requires()]

    def caller(token: Annotated[AccessToken, Security(api)]) -> AccessToken:
        return token

    @app.get("/", response_model=Subject)
    async def read(
        token: Annotated[AccessToken, Depends(caller)], other: Annotated[Caller, Depends()]
    ) -> AccessToken | None:
        return token if other.token is token else None

    assert (await call(app, "GET", "/", token=issuer.token())).json() == {"subject": "alice"}
