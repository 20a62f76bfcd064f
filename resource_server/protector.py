"""THE PATH: from a request to an access token that allows it, or to a refusal. One method, each station one call."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf
from resource_server.authorization.hierarchy import ScopeHierarchy
from resource_server.authorization.requirement import Circumstances
from resource_server.clock import Clock
from resource_server.credentials import Credentials, credential_fields, demand_one_way, digest, of_token68, presented
from resource_server.events import Decision, Observer
from resource_server.forwarding import UNKNOWN_CLIENT, Client, Forwarding
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.refusals import Kind, Refusal
from resource_server.validation import claims
from resource_server.validation.validator import TokenValidator
from resource_server.verified import VerifiedToken, VerifiedTokens

ANY_TOKEN: Final = AllOf()
"""What a route requires that names nothing: a valid access token."""

_log = logging.getLogger("resource_server")


class Walk:
    """What one request's walk along the path has come to know; observers are told of it at the end."""

    ended: float | None = None
    """When the decision fell; None while it has not."""
    route: str | None = None
    """The matched route's template."""
    client: Client = UNKNOWN_CLIENT
    credentials: Credentials | None = None
    """Of a token that was not remembered."""
    digest: bytes | None = None
    """SHA-256 of the token."""
    token: AccessToken | None = None
    authenticated = False
    """Whether the token is good by all that is judged without regard to the operation."""
    leeway: float = 0.0
    """Seconds, of the token's issuer."""
    forgiven = False
    """Whether the last judgement of an open stream was one that nobody could make."""

    def __init__(self, began: float) -> None:
        self.began = began
        """Monotonic, seconds."""


class ResourceProtector:
    """Protects the resources of one resource server.

    Knows no framework: it takes an ASGI scope whose route has been matched (``path_params``, where a requirement looks
    at them) and raises :class:`Refusal`.
    """

    def __init__(
        self,
        validator: TokenValidator,
        verified: VerifiedTokens,
        *,
        issuers: TrustedIssuers,
        forwarding: Forwarding,
        hierarchy: ScopeHierarchy,
        clock: Clock,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._validator = validator
        self._verified = verified
        self._issuers = issuers
        self._forwarding = forwarding
        self._hierarchy = hierarchy
        self.clock = clock
        self._observers = tuple(observers)
        self._observers_of_grants = tuple(one for one in observers if not getattr(one, "refusals_only", False))
        self.hears_grants = bool(self._observers_of_grants)
        """Whether an observer wants to be told of more than refusals."""
        self._first_issuer = issuers.first

    def judging_by(self, validator: TokenValidator) -> "ResourceProtector":
        """The same path with another validator: for explanations, so it remembers nothing and tells nobody."""
        return ResourceProtector(
            validator,
            VerifiedTokens(0, self.clock),
            issuers=self._issuers,
            forwarding=self._forwarding,
            hierarchy=self._hierarchy,
            clock=self.clock,
        )

    async def protect(self, scope: Mapping[str, Any], requirement: AllOf = ANY_TOKEN) -> AccessToken:
        """The path: authenticate, authorize, and tell the observers. Raises :class:`Refusal`."""
        walk = self.begin()
        try:
            token = await self.authenticate(scope, requirement, walk)
            await self.authorize(scope, requirement, walk)
        except Refusal as refusal:
            self.tell(scope, walk, refusal)
            raise
        self.tell(scope, walk, None)
        return token

    def begin(self) -> Walk:
        """A new walk."""
        return Walk(self.clock.monotonic())

    async def authenticate(self, scope: Mapping[str, Any], requirement: AllOf, walk: Walk) -> AccessToken:
        """Who calls, in the order that the contract prescribes (``docs/refusals.md``, order of checks).

        Of the requirement only what needs no identity is judged: a network may be barred whoever calls.
        """
        if not self.recall(scope, requirement, walk):
            await self.validate(walk)
        assert walk.token is not None  # noqa: S101 - both set it, or raise
        return walk.token

    def recall(self, scope: Mapping[str, Any], requirement: AllOf, walk: Walk) -> bool:
        """Stations 1 and 3 for a remembered token, at once. Where False, its validation is to be awaited."""
        walk.client = self._forwarding.client(scope)
        fields = credential_fields(scope)
        if requirement.networks:
            requirement.admit(walk.client)
        scheme, token = presented(scope, fields)
        key = digest(token)
        verified = self._verified.get(key)
        if verified is None:
            walk.credentials = of_token68(scheme, token, key)  # what is remembered had the grammar of a token
        walk.digest = key
        if scope.get("query_string"):
            demand_one_way(scope)
        if verified is None:
            return False
        self._confirm(verified, walk)
        return True

    async def validate(self, walk: Walk) -> None:
        """Stations 2 and 3 for a token that was not remembered."""
        credentials = walk.credentials
        assert credentials is not None  # noqa: S101 - they were extracted, and their token is not remembered
        caller = str(walk.client.address) if walk.client.address else None
        verified = await self._validator.validate(credentials, caller)
        self._verified.put(credentials.digest, verified, len(credentials.token))
        self._confirm(verified, walk)

    def _confirm(self, verified: VerifiedToken, walk: Walk) -> None:
        walk.token, walk.leeway = token, leeway = verified.token, verified.leeway
        if token.confirmation is not None:  # RFC 9449 §7.2: a bound token is no bearer token, whatever binds it
            raise Refusal(Kind.UNCONFIRMED_TOKEN, "the token has a cnf claim, which nothing here confirms")
        self._check_expiry(token, leeway)
        walk.authenticated = True

    def _check_expiry(self, token: AccessToken, leeway: float) -> None:
        now = self.clock.wall()
        if claims.is_expired(token.expires_at, leeway, now):
            raise Refusal(Kind.EXPIRED, f"since {now - token.expires_at:.0f} s")

    def permits(self, requirement: AllOf, walk: Walk) -> bool:
        """Station 4 at once, by the token's scopes and roles. Where False, :meth:`authorize` has to judge."""
        token = walk.token
        return token is not None and requirement.is_met(token, self._hierarchy.expand(token.scopes))

    async def authorize(self, scope: Mapping[str, Any], requirement: AllOf, walk: Walk) -> None:
        """Whether the walk's token allows what is required. Raises :class:`Refusal`."""
        if self.permits(requirement, walk):
            return
        assert walk.token is not None  # noqa: S101 - who is not authenticated does not come here
        refusal = await requirement.judge(walk.token, self.circumstances(scope, walk))
        if refusal is not None:
            raise refusal

    async def judge_again(self, scope: Mapping[str, Any], requirement: AllOf, walk: Walk) -> None:
        """Judge an open stream anew: key, expiry, confirmation and requirements. Raises :class:`Refusal`.

        One judgement that nobody can make is forgiven, so that a moment's outage cuts no stream: what needs no issuer
        is held against the token as it was last vouched for. Not two in a row: a revoked token must not live on for as
        long as its holder can keep the issuer busy.
        """
        try:
            await self.authenticate(scope, requirement, walk)
        except Refusal as refusal:
            if not refusal.is_temporary or walk.token is None:
                raise
            self._check_expiry(walk.token, walk.leeway)
            if walk.forgiven:
                raise
            walk.forgiven = True
        else:
            walk.forgiven = False
        await self.authorize(scope, requirement, walk)

    def circumstances(self, scope: Mapping[str, Any], walk: Walk) -> Circumstances:
        """What requirements are judged by, beside the token."""
        grants = self._issuers.grants(walk.token.issuer) if walk.token else None
        return Circumstances(
            client=walk.client,
            path_params=scope.get("path_params") or {},
            granted=self._hierarchy.expand(walk.token.scopes if walk.token else frozenset()),
            first_issuer=self._first_issuer,
            now=self.clock.wall(),
            leeway=walk.leeway,
            believed_claims=grants.claims if grants is not None else None,
        )

    def now(self) -> float:
        """Seconds since the epoch, by the protector's clock."""
        return self.clock.wall()

    def seconds_left(self, walk: Walk) -> float:
        """Seconds until the walk's token expires."""
        return walk.token.expires_at + walk.leeway - self.clock.wall() if walk.token else 0.0

    def tell(self, scope: Mapping[str, Any], walk: Walk, refusal: Refusal | None) -> None:
        """Tell the observers how a walk ended; to be called once a request."""
        observers = self._observers_of_grants if refusal is None else self._observers
        if not observers:
            return
        decision = Decision(
            time=self.clock.wall(),
            duration=(self.clock.monotonic() if walk.ended is None else walk.ended) - walk.began,
            method=scope.get("method", "GET"),
            route=walk.route,
            client=str(walk.client.address) if walk.client.address else None,
            token=walk.token,
            digest=walk.digest,
            refusal=refusal,
        )
        for observer in observers:
            try:
                observer(decision)
            except Exception:  # noqa: BLE001 - an observer's fault is not the caller's
                _log.exception("an observer failed")
