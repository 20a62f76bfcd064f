"""A resource server that asks a scripted introspection endpoint, and requests to it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resource_server import AccessToken, Issuer, Refusal, ResourceServer
from resource_server.authorization.combination import Need, all_of
from resource_server.development.minting import OMIT
from resource_server.issuers.client_authentication import ClientAuthentication, SecretBasic
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.introspection_endpoint import Answered
from tests.turnable_clock import TurnableClock

URL, API, ENDPOINT = "https://id.example.com", "https://api.example.com", "https://id.example.com/introspect"
CLIENT: ClientAuthentication = SecretBasic("api", "hunter2-of-the-api")
GOOD = "opaque-token-of-alice"


@dataclass(frozen=True)
class Question:
    """One request to the endpoint."""

    url: str
    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass
class Endpoint:
    """Answers what a test has written down, and keeps the questions. By default each token is alice's, and good."""

    time: TurnableClock
    questions: list[Question] = field(default_factory=list)
    answer: Callable[[Question], Answered | Exception] | None = None
    said: dict[str, Any] = field(default_factory=dict)
    """Members that differ from those of a good answer; ``OMIT`` leaves one out."""

    def __post_init__(self) -> None:
        self.open = asyncio.Event()
        """Cleared, it keeps every question waiting."""
        self.open.set()

    @property
    def asked(self) -> list[str]:
        """The tokens that were asked about."""
        return [question.form["token"] for question in self.questions]

    async def __call__(self, url: str, form: dict[str, str], headers: dict[str, str]) -> Answered:
        """Be asked."""
        question = Question(url, dict(form), dict(headers))
        self.questions.append(question)
        await self.open.wait()
        answer = active(self.time, **self.said) if self.answer is None else self.answer(question)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        """Nothing is kept."""

    def say(self, **members: Any) -> None:
        """From now on, answer this of every token."""
        self.answer, self.said = None, members

    def fail(self, answer: Answered | Exception) -> None:
        """From now on, answer so."""
        self.answer = lambda question: answer


def members(time: TurnableClock, **changed: Any) -> dict[str, Any]:
    """What a good answer says, of whose issuer nothing may be left out."""
    said = {
        "active": True, "iss": URL, "sub": "alice", "client_id": "shop", "aud": API, "scope": "orders:read",
        "iat": time.wall, "exp": time.wall + 300, "token_type": "Bearer",
    } | changed  # fmt: skip
    return {name: value for name, value in said.items() if value is not OMIT}


def active(time: TurnableClock, **changed: Any) -> Answered:
    """A good answer, but for what is changed."""
    return Answered(200, "application/json", json.dumps(members(time, **changed)).encode())


def status(number: int, body: bytes = b"", *, content_type: str = "application/json", wait: int | None = None) -> Any:
    """An answer of any status."""
    return Answered(number, content_type, body, wait)


def issuer(**options: Any) -> Issuer:
    """An issuer with an endpoint. Options of either; ``None`` for ``introspection`` makes one without."""
    names = ("endpoint", "client", "ttl", "may_omit", "signed", "prefix", "jwt_every")
    asked = {name: options.pop(name) for name in names if name in options}
    how: dict[str, Any] = {"endpoint": ENDPOINT, "client": CLIENT} | asked
    whom: dict[str, Any] = {"url": URL, "audience": API, "introspection": Introspection(**how)} | options
    return Issuer(**whom)


def server(time: TurnableClock, endpoint: Endpoint, *issuers: Issuer, **options: Any) -> ResourceServer:
    """A resource server that trusts these issuers, by default one with an endpoint."""
    given: dict[str, Any] = {"post": endpoint, "clock": time.clock, "observers": ()} | options
    return ResourceServer(*(issuers or (issuer(),)), **given)


async def judge(api: ResourceServer, token: str, *needs: Need, client: str = "203.0.113.9", **path: str) -> AccessToken:
    """One request's way along the path. Raises :class:`Refusal`."""
    scope = {
        "type": "http", "scheme": "https", "method": "GET", "path": "/", "query_string": b"", "client": (client, 50000),
        "headers": [(b"authorization", b"Bearer " + token.encode())], "path_params": path,
    }  # fmt: skip
    return await api.protector.protect(scope, all_of(*needs))


async def refusal(api: ResourceServer, token: str = GOOD, *needs: Need, **options: str) -> Refusal | None:
    """Why a request is refused; None where it is not. Fails where nobody decides."""
    try:
        async with asyncio.timeout(10):
            await judge(api, token, *needs, **options)
    except Refusal as refused:
        return refused
    return None


async def kind(api: ResourceServer, token: str = GOOD, *needs: Need, **options: str) -> str | None:
    """The same, its kind alone."""
    refused = await refusal(api, token, *needs, **options)
    return refused.kind.value if refused is not None else None
