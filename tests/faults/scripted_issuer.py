"""An issuer on a real loopback socket that fails in whatever way a test has written down."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from resource_server.development.minting import Mint, SigningKey
from tests.issuers.key_kinds import signing_key
from tests.issuers.loopback import Script, answers
from tests.turnable_clock import TurnableClock

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"
KEYS = "/keys"

DAYS = 3 * 86_400
"""Seconds that a token lives: longer than any key here, so that what ends is never the token."""

OLD, NEW, NEWER, NEWEST = (signing_key("ES256", number) for number in range(4))


class ScriptedIssuer:
    """Publishes metadata and keys, and notes the path of each request; ``mint`` holds its keys.

    A script in ``faults`` is followed in place of the document at its path. ``open``, cleared, keeps every request
    waiting that has been read: its answer is made before, so that it is as old as the request.
    """

    def __init__(self, time: TurnableClock, key: SigningKey = OLD) -> None:
        self.mint = Mint("", [key], lambda: time.wall, lifetime=DAYS)
        self.asked: list[str] = []
        self.connections = 0
        self.faults: dict[str, Script] = {}
        self.headers = ""
        """More header fields of the good answers, each with its line's end."""
        self.metadata: dict[str, Any] = {}
        """What the metadata says otherwise."""
        self.key_set: dict[str, Any] | None = None
        """What is published in place of the mint's keys."""
        self.open = asyncio.Event()
        self.open.set()
        self._port = 0
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        """The issuer's identifier."""
        return self.mint.issuer

    def token(self, **claims: Any) -> str:
        """Mint an access token."""
        return self.mint.access_token(**claims)

    def publish(self, *keys: SigningKey) -> None:
        """Rotate: from now on these are its keys, and the first one signs."""
        self.mint.keys[:] = keys

    def fail(self, *paths: str, script: Script) -> None:
        """From now on follow the script at these paths."""
        self.faults |= dict.fromkeys(paths, script)

    def count(self) -> Counter[str]:
        """How often each path was asked for since this was last asked."""
        asked, self.asked = Counter(self.asked), []
        return asked

    async def up(self) -> None:
        """Accept connections, at the same address as ever."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.mint.issuer = f"http://127.0.0.1:{self._port}"

    async def down(self) -> None:
        """Refuse connections, and hang up."""
        if self._server is not None:
            self._server.close()
        self._server = None
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        self.connections += 1
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            path = request.split(b" ")[1].decode()
            self.asked.append(path)
            script = self.faults.get(path) or self._document(path)
            await self.open.wait()
            await script(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has hung up, or the issuer goes down
        finally:
            self._answering.discard(task)
            writer.close()

    def _document(self, path: str) -> Script:
        documents = {
            OPENID: {"issuer": self.url, "jwks_uri": f"{self.url}{KEYS}"} | self.metadata,
            KEYS: self.mint.jwks() if self.key_set is None else self.key_set,
        }
        if path not in documents:
            return answers(b"{}", status="404 Not Found")
        return answers(json.dumps(documents[path]).encode(), headers=self.headers)


@asynccontextmanager
async def scripted_issuer(time: TurnableClock, key: SigningKey = OLD) -> AsyncIterator[ScriptedIssuer]:
    """One that is up, and gone afterwards."""
    issuer = ScriptedIssuer(time, key)
    await issuer.up()
    try:
        yield issuer
    finally:
        await issuer.down()
