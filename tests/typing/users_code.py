"""An application as its users write them, which mypy reads as strictly as the rest: without an exception of any kind.

With postponed annotations, which FastAPI has to resolve.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, TypedDict, assert_type

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Request, Security, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict

from resource_server import (
    AccessToken,
    Decision,
    Grants,
    Issuer,
    Refused,
    ResourceServer,
    any_of,
    any_scope,
    claim,
    owner,
    role,
)


class State(TypedDict):
    notes: dict[str, list[str]]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[State]:
    yield {"notes": {}}


told: list[str] = []


def note_decision(decision: Decision) -> None:
    told.append(f"{decision.status} {decision.kind}")


def is_paying(token: AccessToken) -> bool:
    return token.claims.get("tier") == "gold"


async def is_not_blocked(token: AccessToken) -> bool:
    return token.subject != "eve"


api = ResourceServer(
    Issuer("https://id.example.com", audience="https://notes.example.com", grants="everything"),
    Issuer(
        "https://partner.example.com",
        audience=["https://notes.example.com"],
        grants=Grants(scopes=["notes:read"]),
    ),
    scope_hierarchy={"notes:write": ["notes:read"]},
    observers=[note_decision],
)
app = FastAPI(lifespan=lifespan, openapi_url=None)
api.install(app, public=["/health"], answer_all=True, max_body=100_000)

Caller = Annotated[AccessToken, api.requires()]
Reader = Annotated[AccessToken, api.requires("notes:read")]
Writer = Annotated[AccessToken, api.requires("notes:write", is_not_blocked)]


class Me(BaseModel):
    """What a caller may see of a token: its attributes, and no more."""

    model_config = ConfigDict(from_attributes=True)
    subject: str
    client_id: str
    scopes: frozenset[str]


class Note(BaseModel):
    text: str


@dataclass(frozen=True)
class User:
    name: str
    is_admin: bool


def current_user(token: Caller) -> User:
    return User(token.subject, "admin" in token.roles)


class Page:
    """A class as a dependency."""

    def __init__(self, token: Reader, limit: int = 10) -> None:
        self.owner = token.subject
        self.limit = limit


class Shelf:
    """An instance as a dependency."""

    def __call__(self, request: Request, token: Writer) -> list[str]:
        notes: dict[str, list[str]] = request.state.notes
        return notes.setdefault(token.subject, [])


CurrentUser = Annotated[User, Depends(current_user)]
router = APIRouter(prefix="/notes", dependencies=[api.requires("notes:read")])


@router.get("")
async def list_notes(page: Annotated[Page, Depends()]) -> dict[str, str | int]:
    return {"owner": page.owner, "limit": page.limit}


@router.post("", status_code=201)
async def add_note(note: Note, shelf: Annotated[list[str], Depends(Shelf())], tasks: BackgroundTasks) -> Note:
    tasks.add_task(shelf.append, note.text)
    return note


@router.get("/{user_id}", dependencies=[api.requires(any_of(owner("user_id"), role("admin")))])
def notes_of(user_id: str, request: Request) -> list[str]:
    notes: dict[str, list[str]] = request.state.notes
    return notes.get(user_id, [])


@app.get("/me", response_model=Me)
async def read_me(token: Caller) -> AccessToken:
    assert_type(token.subject, str)
    assert_type(token.scopes, frozenset[str])
    assert_type(token.expires_at, float)
    return token


@app.get("/user")
async def read_user(user: CurrentUser) -> User:
    return user


@app.get("/security")
async def read_by_security(token: Annotated[AccessToken, Security(api, scopes=["notes:read"])]) -> str:
    return token.subject


@app.get("/paid", dependencies=[api.requires(any_scope("paid", "notes:read"), claim("tier", "gold"), is_paying)])
async def read_paid() -> str:
    return "worth it"


@app.get("/stream")
async def stream(token: Reader) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield f"for {token.subject}\n"

    return StreamingResponse(lines(), media_type="text/plain")


@app.websocket("/feed")
async def feed(websocket: WebSocket, token: Reader) -> None:
    await websocket.accept()
    await websocket.send_json({"for": token.subject})
    await websocket.close()


@app.get("/taken")
async def taken(token: Caller) -> None:
    raise HTTPException(409, "somebody was faster")


@app.get("/health")
async def health() -> str:
    return "ok"


@app.exception_handler(RequestValidationError)
async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    return JSONResponse({"problems": len(error.errors())}, 400)


@app.exception_handler(Refused)
async def refused(request: Request, error: Refused) -> JSONResponse:
    body = {"error": error.error, "text": error.description}
    return JSONResponse(body, error.status_code, headers=error.headers)


app.include_router(router, prefix="/v1")
