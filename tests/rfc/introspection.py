"""An API whose issuer is asked about opaque tokens, and a client that knows nothing else of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from resource_server.development.minting import OMIT, SigningKey
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.introspection_endpoint import Answered
from resource_server.testing import FakeIssuer
from tests.introspecting import CLIENT, ENDPOINT, GOOD, Endpoint, members
from tests.rfc.probe import Probe
from tests.turnable_clock import TurnableClock

SIGNED = "application/token-introspection+jwt"


class Asking:
    """A protected API and the endpoint that it asks. ``how`` are options of the :class:`Introspection`."""

    def __init__(self, issuer: FakeIssuer, time: TurnableClock, **how: Any) -> None:
        self.time = time
        self.endpoint = Endpoint(time)
        given: dict[str, Any] = {"endpoint": ENDPOINT, "client": CLIENT} | how
        trust = {"introspection": Introspection(**given)}
        self.api = Probe(issuer, time, bundled=False, trust=trust, options={"post": self.endpoint})
        if how.get("signed"):
            self.sign()

    def sign(self, *, header: Any = None, key: SigningKey | None = None, **claims: Any) -> str:
        """From now on, sign the answers (RFC 9701); ``OMIT`` leaves a claim out. Gives the answer's text."""
        said: dict[str, Any] = {"iss": self.api.issuer.url, "aud": "api", "iat": self.time.wall}
        said |= {"token_introspection": members(self.time)} | claims
        said = {name: value for name, value in said.items() if value is not OMIT}
        text = self.api.issuer.mint.sign(said, {"typ": "token-introspection+jwt"} | (header or {}), key=key)
        self.endpoint.fail(Answered(200, SIGNED, text.encode()))
        return text

    async def ask(self, token: str = GOOD, path: str = "/orders") -> httpx2.Response:
        """One request."""
        return await self.api.ask(path, token=token)

    async def status(self, token: str = GOOD, path: str = "/orders") -> int:
        """What it gets."""
        return (await self.ask(token, path)).status_code

    async def control(self) -> "Asking":
        """The positive control, with a token that no test asks about again."""
        response = await self.ask("control")
        assert response.status_code == 200, response.text
        self.endpoint.questions.clear()
        return self


MakeAsking = Callable[..., Awaitable[Asking]]
