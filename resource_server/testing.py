"""For tests of applications that use this library: tokens without an identity provider.

``acting_as`` puts a token in place of credentials, and authorization still judges it; :class:`FakeIssuer` mints real
tokens, for tests that go the whole way.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI

from resource_server.access_token import AccessToken, freeze
from resource_server.configuration_error import listed
from resource_server.development.minting import OMIT, Mint, SigningKey
from resource_server.fastapi import ResourceServer
from resource_server.fastapi.overrides import activate

__all__ = ["OMIT", "FakeIssuer", "acting_as", "make_token", "overrides_allowed"]


class FakeIssuer:
    """An issuer that lives in the test: give ``fetch=issuer.fetch`` to the :class:`ResourceServer`.

    ``requests`` holds the URLs that were fetched. Nothing goes over a network.
    """

    def __init__(
        self,
        url: str = "https://id.example.com",
        *,
        audience: str = "https://api.example.com",
        algorithm: str = "ES256",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        self.audience = audience
        self.mint = Mint(url, [SigningKey.generate(algorithm)], now, audience=audience)
        self.requests: list[str] = []

    def token(self, **claims: Any) -> str:
        """Mint an access token (RFC 9068); claims override the defaults, ``OMIT`` leaves one out."""
        return self.mint.access_token(**claims)

    async def fetch(self, url: str) -> dict[str, Any]:
        """Answer for metadata and keys."""
        self.requests.append(url)
        jwks_uri = f"{self.url}/jwks"
        return self.mint.jwks() if url == jwks_uri else {"issuer": self.url, "jwks_uri": jwks_uri}


def make_token(
    *,
    issuer: str = "https://id.example.com",
    subject: str = "alice",
    client_id: str = "test-client",
    scopes: Iterable[str] = (),
    roles: Iterable[str] = (),
    groups: Iterable[str] = (),
    entitlements: Iterable[str] = (),
    claims: dict[str, Any] | None = None,
) -> AccessToken:
    """Make a verified token from nothing, good for an hour.

    Scopes and the like are lists, unlike the ``scope`` of a token, which is one text. Raises
    :class:`ConfigurationError` where one is a text.
    """
    now = time.time()
    return AccessToken(
        issuer=issuer,
        subject=subject,
        client_id=client_id,
        audience=("test",),
        scopes=frozenset(listed("scopes", scopes)),
        roles=frozenset(listed("roles", roles)),
        groups=frozenset(listed("groups", groups)),
        entitlements=frozenset(listed("entitlements", entitlements)),
        issued_at=now,
        expires_at=now + 3600,
        confirmation=None,
        claims=freeze(claims) if claims else MappingProxyType({}),
    )


@contextlib.contextmanager
def acting_as(app: FastAPI, server: ResourceServer, token: AccessToken) -> Iterator[None]:
    """Let every request to an application bear this token, whatever its headers say."""
    with overrides_allowed():
        before = app.dependency_overrides.get(server)
        app.dependency_overrides[server] = lambda: token
        try:
            yield
        finally:
            del app.dependency_overrides[server]
            if before is not None:
                app.dependency_overrides[server] = before


@contextlib.contextmanager
def overrides_allowed() -> Iterator[None]:
    """Allow ``dependency_overrides[api]``, which makes every request fail outside of tests."""
    activate(+1)
    try:
        yield
    finally:
        activate(-1)
