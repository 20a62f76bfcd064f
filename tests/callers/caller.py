"""What the tests ask of every client, whoever wrote it: get a token, call the API, say what the answer let it read."""

from dataclasses import dataclass
from typing import Any, Protocol

from resource_server.challenge import Challenge, parse
from tests.callers.development import Development


@dataclass(frozen=True)
class Request:
    """A call of the API; the client adds the token in its own way."""

    url: str
    token: str
    method: str = "GET"
    body: str | None = None
    """JSON, as it goes over the wire."""


@dataclass(frozen=True)
class Reading:
    """What a client's user finds in an answer."""

    status: int
    www_authenticate: str | None
    """The field lines, joined as the client joins them."""
    challenges: list[dict[str, Any]]
    """As the client's own parser gives them, where it has one."""
    headers: dict[str, str]
    """By lower-case names."""
    body: Any


class RefusedGrantError(Exception):
    """A client told its user that it got no token, and why."""

    def __init__(self, error: str | None, description: str | None) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description


class Caller(Protocol):
    """A client."""

    def client_credentials(self, server: Development, scope: str, secret: str | None = None) -> str:
        """Get an access token for the client itself (RFC 6749 §4.4). Raises RefusedGrantError."""
        ...

    def call(self, request: Request) -> Reading:
        """Call the API with a token, and read the answer."""
        ...


class LoginCaller(Caller, Protocol):
    """A client that can also ask a user."""

    def log_in(self, server: Development, user: str, scope: str, decision: str = "allow") -> str:
        """Get an access token for a user: authorization code and PKCE. Raises RefusedGrantError."""
        ...


def as_read(challenge: Challenge) -> dict[str, Any]:
    """A challenge as JavaScript's clients give it, in the words of ours."""
    token68 = {} if challenge.token68 is None else {"token68": challenge.token68}
    return {"scheme": challenge.scheme.lower(), "parameters": dict(challenge.parameters), **token68}


def read_with_our_parser(status: int, headers: dict[str, str], body: Any) -> Reading:
    """For clients that leave the field to their user."""
    field = headers.get("www-authenticate")
    challenges = [as_read(challenge) for challenge in parse(field or "")]
    return Reading(status, field, challenges, headers, body)
