"""Which way a token is validated: by the shape of its text and by its issuer's configuration, never by trial (T20)."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Final

import pybase64

from resource_server.clock import Clock
from resource_server.configuration_error import ConfigurationError
from resource_server.credentials import Credentials
from resource_server.issuers.introspection_endpoint import IntrospectionEndpoint, Post
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.refusals import Kind, Refusal
from resource_server.stores.seal import Seal
from resource_server.stores.store import Store
from resource_server.validation import claims
from resource_server.validation.introspection import IntrospectionValidator
from resource_server.validation.jwt import JwtValidator
from resource_server.validation.shared_answers import SharedAnswers
from resource_server.validation.validator import TokenValidator
from resource_server.verified import VerifiedToken

_FOREIGN: Final = re.compile(r"[^A-Za-z0-9+/_-]")

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
        self._clock = clock
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
        asked = self._introspecting(credentials.token, payload_of_jwt(credentials.token))
        if asked is not None:
            return await asked.validate(credentials, client)
        verified = await self._jwt.validate(credentials, client)
        also_asked = self._by_name.get(verified.token.issuer)
        every = also_asked.endpoint.introspection.jwt_every if also_asked is not None else None
        if also_asked is None or every is None or self._is_expired(verified):
            return verified  # nobody is asked whether an expired token was revoked, too
        return verified.living(await also_asked.confirm_active(credentials, client, every))

    def _is_expired(self, verified: VerifiedToken) -> bool:
        return claims.is_expired(verified.token.expires_at, verified.leeway, self._clock.wall())

    def introspecting(self, token: str) -> IntrospectionValidator | None:
        """Whose endpoint a token is shown to; None for one that is validated by key set.

        Raises :class:`Refusal` for an opaque token that none of several endpoints knows by its prefix.
        """
        return self._introspecting(token, payload_of_jwt(token))

    def _introspecting(self, token: str, payload: dict[str, object] | None) -> IntrospectionValidator | None:
        if not self._by_name:
            return None
        if payload is None:
            return self._opaque(token)
        trusted = self._issuers.find(payload.get("iss"))
        found = self._by_name.get(trusted.issuer.url) if trusted is not None else None
        return found if found is not None and found.endpoint.issuer.token_format == "introspection" else None  # noqa: S105

    def asking_nobody(self) -> TokenValidator:
        """A validator by the keys that are known already: it fetches nothing and shows no token to anybody."""
        return _AskingNobody(self, JwtValidator(self._issuers, self._clock, by_known_keys=True))

    async def aclose(self) -> None:
        """Give the connections to introspection endpoints back."""
        for introspection in self._by_name.values():
            await introspection.endpoint.aclose()

    def _opaque(self, token: str) -> IntrospectionValidator:
        for prefix, introspection in self._by_prefix:
            if token.startswith(prefix):
                return introspection
        raise Refusal(Kind.MALFORMED_TOKEN, "neither a JWT nor a token with the prefix of an introspecting issuer")


class _AskingNobody:
    """For explanations of tokens that anybody may have pasted (T36)."""

    def __init__(self, formats: TokenFormats, by_known_keys: JwtValidator) -> None:
        self._formats = formats
        self._by_known_keys = by_known_keys

    async def validate(self, credentials: Credentials, client: str | None = None) -> VerifiedToken:
        """Verify a token. Raises :class:`Refusal`: ISSUER_UNAVAILABLE where the issuer alone could tell."""
        if self._formats.introspecting(credentials.token) is not None:
            raise Refusal(Kind.ISSUER_UNAVAILABLE, "only the issuer can tell, and it is not asked")
        return await self._by_known_keys.validate(credentials, client)


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
    """As the laxest reader would: what is no base64url, or no UTF-8, is passed over; of two members a text counts."""
    kept = _FOREIGN.sub("", part)
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    try:
        raw = pybase64.b64decode(kept + "=" * (-len(kept) % 4), altchars=b"-_")
        return json.loads(raw.decode(json.detect_encoding(raw), "replace"), object_pairs_hook=_texts_last)
    except (ValueError, RecursionError, MemoryError):
        return None


def _texts_last(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return dict(sorted(pairs, key=lambda pair: isinstance(pair[1], str)))
