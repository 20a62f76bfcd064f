"""Validation of a token by asking its issuer (RFC 7662): one question for any number of callers, and our own checks."""

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from resource_server.clock import Clock
from resource_server.credentials import Credentials
from resource_server.forwarding import caller_number
from resource_server.issuers.introspection_endpoint import IntrospectionEndpoint
from resource_server.issuers.trusted_issuers import TrustedIssuer
from resource_server.refusals import Kind, Refusal
from resource_server.single_flight import SingleFlight
from resource_server.validation import claims, introspection_answer
from resource_server.validation.claims import ClaimRules, rules_of
from resource_server.validation.introspection_answer import NoAnswer
from resource_server.validation.shared_answers import Answer, SharedAnswers
from resource_server.verified import ALWAYS_CURRENT, VerifiedToken

MAX_TOKEN: Final = 8 * 1024
"""Characters of a token that may cost the issuer a request."""
MAX_IN_FLIGHT: Final = 512
"""Questions to one endpoint at one time."""
MAX_IN_FLIGHT_PER_CLIENT: Final = 128
"""Questions that one client address may cause at one time, so that no single one takes them all (T24)."""
INACTIVE_LIFE: Final = 5.0
"""Seconds for which the word that a token is inactive is remembered; nothing else that refuses is (T11)."""
MAX_INACTIVE: Final = 10_000

NOT_TOLD: Final = "(not told)"
"""A client, or a subject, that the issuer does not tell and need not: no user's name."""

_NAMES: Final[dict[str, Any]] = {
    "audience_claim": "aud",
    "client_id_claim": "client_id",
    "scope_claim": "scope",
    "scope_shape": "text",
}
_ACCESS: Final = frozenset({"access", "access_token", "at+jwt", "bearer", "dpop"})
_TOKEN_TYPES: Final = frozenset({"bearer", "dpop"})


class IntrospectionValidator:
    """Validates the tokens of one issuer by its introspection endpoint."""

    def __init__(
        self, trusted: TrustedIssuer, endpoint: IntrospectionEndpoint, clock: Clock, shared: SharedAnswers | None = None
    ) -> None:
        self.endpoint = endpoint
        self._trusted = trusted
        self._clock = clock
        self._shared = shared
        self._ttl = endpoint.introspection.ttl
        rules = rules_of(trusted.issuer, trusted.name, trusted.grants, trusted.tenant)
        # What a provider names its own way in a JWT has the names of RFC 7662 in an answer; what tells access tokens
        # apart in a JWT's header and claims, the answer says in its own way, or not at all.
        self._rules = replace(rules, markers=(), foreign_markers={}, required_claims=(), **_NAMES)
        self._kind = replace(self._rules, markers=rules.markers if endpoint.introspection.may_tell_no_kind else ())
        self._asking: dict[bytes, SingleFlight[Answer | None]] = {}
        self._clients: dict[int | None, int] = {}
        self._inactive: dict[bytes, float] = {}

    async def validate(self, credentials: Credentials, client: str | None = None) -> VerifiedToken:
        """Ask, and judge the answer. Raises :class:`Refusal`; for an inactive token it is REVOKED.

        ``client`` is the address of who presents the token. The answer is good for its ttl, counted from the question,
        whichever process has asked it.
        """
        answer = await self._active(credentials, client, self._ttl)
        now = self._clock.wall()
        token = claims.read(self._as_claims(answer.members, now), self._rules, now)
        life = self._ttl - self._age(answer)
        return VerifiedToken(token, self._rules.leeway, ALWAYS_CURRENT, 0, "", life=life)

    async def inspect(self, credentials: Credentials) -> tuple[dict[str, Any], ClaimRules]:
        """What the issuer says of a token, and what it is held against: for explanations. Raises :class:`Refusal`."""
        answer = await self._active(credentials, None, self._ttl)
        return self._as_claims(answer.members, self._clock.wall()), self._rules

    async def confirm_active(self, credentials: Credentials, client: str | None, every: float) -> float:
        """Ask whether a JWT whose signature is good has been revoked, unless that was asked so many seconds ago.

        Answers for how many seconds it need not be asked again. Raises :class:`Refusal`.
        """
        return every - self._age(await self._active(credentials, client, every))

    def _age(self, answer: Answer) -> float:
        return max(0.0, self._clock.wall() - answer.asked_at)

    async def _active(self, credentials: Credentials, client: str | None, max_age: float) -> Answer:
        if len(credentials.token) > MAX_TOKEN:
            raise Refusal(Kind.MALFORMED_TOKEN, f"a token of more than {MAX_TOKEN} characters is asked about nowhere")
        if self._inactive.get(credentials.digest, 0.0) > self._clock.monotonic():
            raise Refusal(Kind.REVOKED, "the issuer said a moment ago that the token is not active")
        answer = await self._ask_once(credentials, client, max_age)
        if answer is None:
            raise Refusal(Kind.REVOKED, "the issuer says that the token is not active")
        return answer

    async def _ask_once(self, credentials: Credentials, client: str | None, max_age: float) -> Answer | None:
        """One question for all who come with the same token meanwhile."""
        flight = self._asking.get(credentials.digest)
        caller = _caller_of(client)
        if flight is None or not flight.is_running:
            self._admit(caller)
            flight = self._asking[credentials.digest] = SingleFlight()

        async def ask() -> Answer | None:
            try:
                return await self._ask(credentials, max_age)
            finally:
                self._release(caller)
                if not flight.is_awaited:
                    self._asking.pop(credentials.digest, None)

        try:
            return await flight.join(ask)
        finally:  # not before somebody has heard the answer: who comes in between would ask once more
            if self._asking.get(credentials.digest) is flight and not flight.is_running:
                del self._asking[credentials.digest]

    async def _ask(self, credentials: Credentials, max_age: float) -> Answer | None:
        """What another has been told within so many seconds, or else the endpoint."""
        shared = self._shared if max_age else None
        known = await shared.find(credentials.digest) if shared is not None else None
        if known is not None and -self._rules.leeway <= self._clock.wall() - known.asked_at < max_age:
            return known  # one from the future is older than it seems: a clock was set back (T12)
        answer = await self._ask_endpoint(credentials.token)
        if answer is None:
            self._note_inactive(credentials.digest)
        elif shared is not None:
            await shared.keep(credentials.digest, answer, max_age)
        return answer

    async def _ask_endpoint(self, token: str) -> Answer | None:
        """What the issuer says of a token; None of one that is not active."""
        asked_at = self._clock.wall()
        answered = await self.endpoint.ask(token)
        if answered is None:
            return None
        introspection, trusted = self.endpoint.introspection, self._trusted
        try:
            if introspection.signed:
                members = await introspection_answer.read_signed(
                    answered, trusted.issuer, introspection.client.client_id, trusted.keys, self._clock.wall()
                )
            else:
                members = introspection_answer.read_plain(answered)
            active = members.get("active")
            if type(active) is not bool:  # a text "false" is true to a careless reader
                raise NoAnswer("the answer's active is neither true nor false")
        except NoAnswer as problem:
            raise self.endpoint.refuse_answer(str(problem)) from None
        self.endpoint.problem = None
        return Answer(members, asked_at) if active else None

    def _as_claims(self, members: Mapping[str, Any], now: float) -> dict[str, Any]:
        """An answer as the claims of a token; what the issuer is known to leave out is filled in.

        A member that is null counts as left out, but for ``cnf``, which binds even so (T21). Raises :class:`Refusal`.
        """
        claims_ = {
            name: value for name, value in members.items() if name != "active" and (value is not None or name == "cnf")
        }
        claims.check_kind(claims_, self._kind)  # by what was said, before anything is filled in
        rules, filled = self._rules, self._fill_in(claims_, now)
        places = {"aud": rules.audience_claim, "client_id": rules.client_id_claim}
        for name in self.endpoint.introspection.may_omit:
            claims_.setdefault(places.get(name, name), filled[name])
        for name in ("iss", "exp", "token_type"):
            if name not in claims_:
                raise Refusal(Kind.INVALID_CLAIM, f"the introspection answer has no {name}")
        if claims_["iss"] != rules.issuer:
            raise Refusal(Kind.WRONG_ISSUER, "the introspection answer names another issuer")
        if str(claims_["token_type"]).lower() not in _TOKEN_TYPES:
            raise Refusal(Kind.WRONG_TOKEN_TYPE, "token_type is neither Bearer nor DPoP")
        for name in ("token_use", "typ"):  # a refresh token is active, too
            if str(claims_.get(name, "access")).lower() not in _ACCESS:
                raise Refusal(Kind.WRONG_TOKEN_TYPE, f"{name} is that of another token than an access token")
        if "dpop" in (str(claims_.get(name)).lower() for name in ("token_type", "typ")):
            claims_.setdefault("cnf", {})  # bound, though to what is not told (RFC 9449 §6.2)
        return claims_

    def _fill_in(self, members: Mapping[str, Any], now: float) -> Mapping[str, Any]:
        """What stands for a member that the issuer does not send: a token of no user is its client's (RFC 9068 §5)."""
        return {
            "iss": self._rules.issuer,
            "sub": members.get(self._rules.client_id_claim, NOT_TOLD),
            "client_id": NOT_TOLD,
            "aud": min(self._rules.audience),
            "exp": now + max(self._ttl, 1.0),
            "iat": now,
            "token_type": "Bearer",
        }

    def _note_inactive(self, digest: bytes) -> None:
        while len(self._inactive) >= MAX_INACTIVE:
            del self._inactive[next(iter(self._inactive))]
        self._inactive[digest] = self._clock.monotonic() + INACTIVE_LIFE

    def _admit(self, caller: int | None) -> None:
        """Over a bound nobody is asked: strangers must not fill the endpoint, nor one client keep the others out."""
        count = self._clients.get(caller, 0)
        if len(self._asking) >= MAX_IN_FLIGHT or (caller is not None and count >= MAX_IN_FLIGHT_PER_CLIENT):
            raise Refusal(Kind.ISSUER_UNAVAILABLE, "too many introspections are under way", retry_after=1)
        self._clients[caller] = count + 1

    def _release(self, caller: int | None) -> None:
        self._clients[caller] -= 1
        if not self._clients[caller]:
            del self._clients[caller]


def _caller_of(client: str | None) -> int | None:
    """Whose questions are counted together; None for an unknown caller, who is bounded with all others alone."""
    try:
        return caller_number(ipaddress.ip_address(client or ""))
    except ValueError:
        return None
