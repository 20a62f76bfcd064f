"""Which way a token is validated: by the shape of its text and by its issuer's configuration, never by trial (T20)."""

import itertools
import json
from collections.abc import Iterator

import pybase64

from resource_server.clock import Clock
from resource_server.configuration_error import ConfigurationError
from resource_server.credentials import Credentials
from resource_server.issuers.introspection_endpoint import IntrospectionEndpoint, Post
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.refusals import Kind, Refusal
from resource_server.stores.seal import Seal
from resource_server.stores.store import Store
from resource_server.validation.introspection import IntrospectionValidator
from resource_server.validation.jwt import JwtValidator
from resource_server.validation.shared_answers import SharedAnswers
from resource_server.verified import VerifiedToken

SharedStore = tuple[Store, Seal]
"""What processes share, and what it is sealed with."""


class TokenFormats:
    """Validates JWTs by key set and opaque tokens by introspection.

    A JWT that fails locally is refused: it gets no second, laxer judge. An opaque token is shown to one endpoint at the
    most. Raises :class:`ConfigurationError` where it would be unclear to which.
    """

    def __init__(
        self, issuers: TrustedIssuers, clock: Clock, *, shared: SharedStore | None = None, post: Post | None = None
    ) -> None:
        self._issuers = issuers
        self._jwt = JwtValidator(issuers, clock)
        introspecting = list(_introspecting(issuers, clock, shared, post))
        self._by_name = {one.endpoint.issuer.url: one for one in introspecting}
        self._by_prefix = [(one.endpoint.introspection.prefix, one) for one in introspecting]
        prefixes = sorted(prefix for prefix, _ in self._by_prefix)
        if any(later.startswith(prefix) for prefix, later in itertools.pairwise(prefixes)):
            raise ConfigurationError(
                "token_prefix", "must tell the opaque tokens of several issuers apart: none may begin with another's"
            )

    async def validate(self, credentials: Credentials, client: str | None = None) -> VerifiedToken:
        """Verify a token. Raises :class:`Refusal`."""
        if not self._by_name:
            return await self._jwt.validate(credentials, client)
        payload = payload_of_jwt(credentials.token)
        if payload is None:
            return await self._opaque(credentials.token).validate(credentials, client)
        trusted = self._issuers.find(payload.get("iss"))
        introspection = self._by_name.get(trusted.issuer.url) if trusted is not None else None
        if introspection is None:
            return await self._jwt.validate(credentials, client)
        if introspection.endpoint.issuer.token_format == "introspection":  # noqa: S105 - no secret
            return await introspection.validate(credentials, client)
        verified = await self._jwt.validate(credentials, client)
        every = introspection.endpoint.introspection.jwt_every
        if every is None:
            return verified
        await introspection.confirm_active(credentials, client)
        return verified.living(every)

    async def aclose(self) -> None:
        """Give the connections to introspection endpoints back."""
        for introspection in self._by_name.values():
            await introspection.endpoint.aclose()

    def _opaque(self, token: str) -> IntrospectionValidator:
        for prefix, introspection in self._by_prefix:
            if token.startswith(prefix):
                return introspection
        raise Refusal(Kind.MALFORMED_TOKEN, "neither a JWT nor a token with the prefix of an introspecting issuer")


def _introspecting(
    issuers: TrustedIssuers, clock: Clock, shared: SharedStore | None, post: Post | None
) -> Iterator[IntrospectionValidator]:
    for keys in issuers:
        introspection, trusted = keys.issuer.introspection, issuers.find(keys.issuer.url)
        if introspection is None or trusted is None:
            continue
        answers = SharedAnswers(*shared, introspection, clock) if shared is not None else None
        endpoint = IntrospectionEndpoint(keys.issuer, introspection, clock=clock, post=post)
        yield IntrospectionValidator(trusted, endpoint, clock, answers)


def payload_of_jwt(token: str) -> dict[str, object] | None:
    """What a JWT says without anybody's vouching for it; None for a text that is no JWT by its shape.

    Read leniently: what a careless reader would take for a JWT must not be shown to a second judge as an opaque token.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    header = _decode(parts[0])
    if not isinstance(header, dict) or not isinstance(header.get("alg"), str):
        return None
    payload = _decode(parts[1])
    return payload if isinstance(payload, dict) else {}


def _decode(part: str) -> object:
    try:
        raw = pybase64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_")
        return json.loads(raw)
    except (ValueError, RecursionError, MemoryError):
        return None
