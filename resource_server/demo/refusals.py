"""What the bundled API tells an admin of its refusals: the last ones, how many, and each new one as it happens."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from resource_server.authorization import role
from resource_server.fastapi import ResourceServer
from resource_server.observers.recent import RecentRefusals

PAUSE: Final = 1.0
"""Seconds between two looks for news."""
HEARTBEAT: Final = 5.0
"""Seconds between two lines of the stream where nothing happens; the counts grow old all the same."""
NDJSON: Final = "application/x-ndjson"

_NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class RefusalTold(BaseModel):
    """One refused request. What is unknown is left out: before its signature is verified, a token says nothing."""

    number: int = Field(ge=1, description="Counts the refusals of this process.", examples=[7])
    time: str = Field(examples=["2026-01-01T12:00:00.123+00:00"])
    status: int = Field(examples=[401])
    kind: str = Field(description="Why, as docs/refusals.md calls it.", examples=["wrong_audience"])
    reason: str = Field("", examples=["aud is https://orders.example.com, not https://api.example.com"])
    method: str = Field("", examples=["GET"])
    route: str = Field("", description="The route's template, never the path.", examples=["/orders"])
    client: str = Field("", description="The caller's address.", examples=["192.0.2.7"])
    issuer: str = Field("", examples=["https://id.example.com"])
    client_id: str = Field("", examples=["example-client"])
    token: str = Field("", description="A keyed digest of the token, as in the audit.", examples=["99166afab98403a4"])


class Count(BaseModel):
    """How many requests were decided in the last minutes."""

    minutes: int = Field(examples=[15])
    granted: int = Field(ge=0, examples=[240])
    refused: dict[str, int] = Field(description="By kind.", examples=[{"expired": 3, "no_credentials": 1}])


class Recent(BaseModel):
    """What is known of the last refusals; it is this process's alone."""

    refusals: list[RefusalTold] = Field(description="Newest first.")
    counts: list[Count]


def create_refusals(server: ResourceServer, recent: RecentRefusals) -> APIRouter:
    """Make the routes that tell refusals: role admin, like the page that shows them."""
    router = APIRouter(tags=["admin"], dependencies=[server.requires(role("admin"))])

    @router.get(
        "/recent",
        summary="Read the last refusals",
        response_model=Recent,
        response_model_exclude_unset=True,
        response_description="The last refusals, and how many requests were granted and refused.",
    )
    async def read_recent_refusals(response: Response) -> dict[str, Any]:
        """Open to a role. Of this process alone, kept in its memory; the oldest give way to new ones."""
        response.headers.update(_NO_STORE)
        return {"refusals": recent.since(), "counts": recent.counts()}

    @router.get(
        "/stream",
        summary="Watch refusals happen",
        response_class=StreamingResponse,
        responses={200: {"description": "One JSON object a line, as /recent gives them.", "content": {NDJSON: {}}}},
    )
    async def watch_refusals() -> StreamingResponse:
        """Open to a role. First all that is known, then what is new; the stream ends when the token does."""
        return StreamingResponse(_lines(recent), media_type=NDJSON, headers=_NO_STORE)

    return router


async def _lines(recent: RecentRefusals) -> AsyncIterator[str]:
    """Lines of ASCII. A reader that is slow misses refusals, and no memory is kept for it."""
    number, total, idle = 0, -1, 0.0
    while True:
        if recent.total != total or idle >= HEARTBEAT:
            news = recent.since(number)
            number, total, idle = (news[0]["number"] if news else number), recent.total, 0.0
            yield json.dumps({"refusals": news, "counts": recent.counts()}) + "\n"
        await recent.clock.sleep(PAUSE)
        idle += PAUSE
