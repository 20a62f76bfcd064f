"""Identity providers as their documentation describes them: a folder of ``tests/fixtures`` for each configuration.

``preset.json`` holds how it is configured and what is configured wrongly; each other file a token's header and payload,
and what becomes of it. A new provider is a new folder.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from resource_server import AccessToken, Decision, Issuer, Kind, ResourceServer
from resource_server.development.minting import Mint, SigningKey
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.issuers.presets import PRESETS
from tests.calls import bearer
from tests.turnable_clock import TurnableClock

FIXTURES = Path(__file__).parent.parent / "fixtures"
JWKS_URI = "https://keys.example.com/jwks"
KEY = SigningKey.generate("RS256", kid="k1")
MINT = Mint("", [KEY])
NOW = 1_790_000_060.0
"""A minute after the tokens were issued."""


@dataclass(frozen=True)
class Provider:
    """One configuration of a preset."""

    name: str
    preset: str
    url: str
    audience: str | list[str]
    metadata: str
    """Where the provider documents its metadata."""
    wrong: list[dict[str, Any]]
    """What is said instead of the above, and the sentence that refuses it."""
    options: dict[str, Any]

    def issuer(self, **changed: Any) -> Issuer:
        options = {"url": self.url, "audience": self.audience, **self.options} | changed
        return PRESETS[self.preset](options.pop("url"), **options)

    def strict(self, name: str) -> Issuer:
        """The same by the strict preset; ``name`` is what the token says in iss."""
        return PRESETS["rfc9068"](name, audience=self.audience)


@dataclass(frozen=True)
class Token:
    """A token of a provider, as documented."""

    provider: Provider
    name: str
    header: dict[str, Any]
    payload: dict[str, Any]
    expected: dict[str, Any]
    """Who it speaks for and what it may do; or the ``kind`` of its refusal."""

    @property
    def is_accepted(self) -> bool:
        return "kind" not in self.expected

    def mint(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return MINT.sign(self.payload | claims, self.header | (header or {}))

    def mint_without(self, *names: str) -> str:
        return MINT.sign({name: value for name, value in self.payload.items() if name not in names}, self.header)


def read() -> Iterator[tuple[Provider, list[Token]]]:
    for folder in sorted(path for path in FIXTURES.iterdir() if (path / "preset.json").is_file()):
        described = json.loads((folder / "preset.json").read_text("utf-8"))
        provider = Provider(name=folder.name, **({"options": {}} | described))
        tokens = []
        for path in sorted(set(folder.glob("*.json")) - {folder / "preset.json"}):
            members = json.loads(path.read_text("utf-8"))
            tokens.append(Token(provider, path.stem, members["header"], members["payload"], members["expected"]))
        yield provider, tokens


PROVIDERS = {provider.name: (provider, tokens) for provider, tokens in read()}
TOKENS = [token for _, tokens in PROVIDERS.values() for token in tokens]


class Api:
    """An application that trusts one issuer, whose metadata and keys are where the provider documents them."""

    def __init__(self, issuer: Issuer, metadata: str, key_members: Mapping[str, Any] | None = None) -> None:
        self.requests: list[str] = []
        self.kinds: list[Kind | None] = []
        time = TurnableClock()
        time.wall = NOW

        async def fetch(url: str) -> Fetched:
            self.requests.append(url)
            if url == metadata:
                return Fetched({"issuer": issuer.url, "jwks_uri": JWKS_URI})
            if url == JWKS_URI:
                return Fetched({"keys": [KEY.public_jwk | dict(key_members or {})]})
            raise FetchError(f"{url}: nothing is there")

        def observe(decision: Decision) -> None:
            self.kinds.append(decision.kind)

        api = ResourceServer(issuer, fetch=fetch, clock=time.clock, observers=(observe,))
        app = FastAPI()
        api.install(app)

        @app.get("/")
        async def who(token: Annotated[AccessToken, api.requires()]) -> dict[str, Any]:
            return {
                "subject": token.subject,
                "client_id": token.client_id,
                **{kind: sorted(getattr(token, kind)) for kind in ("scopes", "roles", "groups", "entitlements")},
            }

        self._client = TestClient(app)

    def call(self, token: str) -> tuple[int, Any, Kind | None]:
        """The status, the answer's JSON and the kind of the decision."""
        response = self._client.get("/", headers=bearer(token))
        return response.status_code, response.json(), self.kinds[-1]
