"""For tests of applications that use this library: tokens without an identity provider.

``acting_as`` puts a token in place of credentials, and authorization still judges it; ``fake_issuer`` mints real tokens
that an existing resource server accepts, for tests that go the whole way.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI

from resource_server.access_token import AccessToken, freeze
from resource_server.configuration_error import ConfigurationError, listed
from resource_server.development.minting import OMIT, Mint, SigningKey
from resource_server.fastapi import ResourceServer
from resource_server.fastapi.overrides import activate
from resource_server.issuers.fetch import Fetched
from resource_server.scope import no_scope

__all__ = ["OMIT", "FakeIssuer", "acting_as", "fake_issuer", "make_token", "overrides_allowed"]

_ALGORITHM: Final = "ES256"
"""Whose keys are made at once."""


class FakeIssuer:
    """An issuer that lives in the test: give ``fetch=issuer.fetch`` to a :class:`ResourceServer` of the test's own.

    For one that your application has made already there is :func:`fake_issuer`.

    ``requests`` holds the URLs that were fetched. Nothing goes over a network.
    """

    def __init__(
        self,
        url: str = "https://id.example.com",
        *,
        audience: str = "https://api.example.com",
        algorithm: str = _ALGORITHM,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        self.audience = audience
        self.mint = Mint(url, [SigningKey.generate(algorithm)], now, audience=audience)
        self.requests: list[str] = []

    def token(self, **claims: Any) -> str:
        """Mint an access token (RFC 9068); claims override the defaults, ``OMIT`` leaves one out."""
        return self.mint.access_token(**claims)

    async def fetch(self, url: str) -> Fetched:
        """Answer for metadata and keys."""
        self.requests.append(url)
        jwks_uri = f"{self.url}/jwks"
        return Fetched(self.mint.jwks() if url == jwks_uri else {"issuer": self.url, "jwks_uri": jwks_uri})


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
    :class:`ConfigurationError` where one is a text, and for a scope that can't be.
    """
    scopes = listed("scopes", scopes)
    if (fault := no_scope(scopes)) is not None:
        raise ConfigurationError("scopes", f"names a scope that can't be: {fault}")
    now = time.time()
    return AccessToken(
        issuer=issuer,
        subject=subject,
        client_id=client_id,
        audience=("test",),
        scopes=frozenset(scopes),
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
def fake_issuer(server: ResourceServer, url: str | None = None) -> Iterator[FakeIssuer]:
    """Put an issuer that lives in the test in the place of a server's own, and let it mint tokens for it.

    By default it stands in for the server's first issuer; ``url`` names another one. All else stays as it is
    configured: type, audience, algorithms and claims are judged as always, and a token that is good within is not good
    without. The issuer itself is asked for nothing meanwhile; enter this before the application's start, or that asks
    it. Raises :class:`ConfigurationError` for an issuer that the server does not trust.
    """
    name = server.issuers.first if url is None else url
    trusted = server.issuers.find(name)
    if trusted is None:
        raise ConfigurationError("url", f"names no issuer of this resource server: it trusts {server.issuers.names}")
    issuer = trusted.issuer
    algorithm = _ALGORITHM if _ALGORITHM in issuer.algorithms else issuer.algorithms[0]
    audience = issuer.audience if isinstance(issuer.audience, str) else issuer.audience[0]
    fake = FakeIssuer(name, audience=audience, algorithm=algorithm, now=server.protector.now)
    with trusted.keys.supplied_by(fake.mint.jwks):
        yield fake


@contextlib.contextmanager
def overrides_allowed() -> Iterator[None]:
    """Allow ``dependency_overrides[api]``, which makes every request fail outside of tests."""
    activate(+1)
    try:
        yield
    finally:
        activate(-1)
