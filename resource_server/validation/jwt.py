"""Validation of a JWT access token (RFC 9068 §4), in the order that part E2 of the contract prescribes."""

from typing import Final

from resource_server.clock import Clock
from resource_server.credentials import Credentials
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwk_set import Key
from resource_server.issuers.keys import IssuerKeys
from resource_server.issuers.token_kind import spellings
from resource_server.issuers.trusted_issuers import TrustedIssuer, TrustedIssuers
from resource_server.refusals import Kind, Refusal
from resource_server.validation import claims, compact
from resource_server.validation.claims import ClaimRules, rules_of
from resource_server.validation.compact import CompactJws, Header
from resource_server.verified import VerifiedToken

MAX_KNOWN_HEADERS: Final = 256


class JwtValidator:
    """Validates the JWT access tokens of the issuers that are trusted.

    With ``by_known_keys`` no token makes it fetch any: what no known key has signed is refused at once.
    """

    def __init__(self, issuers: TrustedIssuers, clock: Clock, *, by_known_keys: bool = False) -> None:
        self._issuers = issuers
        self._clock = clock
        self._by_known_keys = by_known_keys
        self._known = {name: self._judged_by(issuers.find(name)) for name in issuers.names}
        self._types = frozenset().union(*(spellings(keys.issuer.accept_typ) for keys in issuers))
        self._headers: dict[str, Header] = {}

    async def validate(self, credentials: Credentials, client: str | None = None) -> VerifiedToken:
        """Verify a token. Raises :class:`Refusal`.

        The unverified payload answers one question before the signature is checked: whose keys to ask. Does not
        judge expiry and confirmation, which are the protector's on every request.
        """
        del client
        jws = compact.parse(credentials.token, self._headers)
        keys, rules = self._find(jws)
        check_algorithm(jws, keys.issuer)
        generation = keys.generation
        key = keys.at_hand(jws.header.key_id, jws.header.algorithm) or await self._key(jws, keys, rules)
        try:
            check_signature(jws, key)
        except Refusal:
            if not self._may_be_replaced(jws, keys, rules):
                raise
            other = await keys.find_replacing(key, jws.header.key_id, jws.header.algorithm)
            if other is None:
                raise
            key, generation = other, keys.generation
            check_signature(jws, key)
        claims.check_tenant(jws.payload, rules, key.issuer)
        token = claims.read(jws.payload, rules, self._clock.wall(), jws.payload_text)
        self._remember(jws)
        return VerifiedToken(token, rules.leeway, keys, generation, key.thumbprint)

    async def _key(self, jws: CompactJws, keys: IssuerKeys, rules: ClaimRules) -> Key:
        kid, algorithm = jws.header.key_id, jws.header.algorithm
        if self._by_known_keys:
            return known_key(keys, kid, algorithm)
        return await keys.find(kid, algorithm, may_force=lambda: self._would_pass(jws, rules))

    def _may_be_replaced(self, jws: CompactJws, keys: IssuerKeys, rules: ClaimRules) -> bool:
        """Whether to look for another key under the same kid: an issuer may have started anew with new keys.

        A forgery costs a fetch only within the budget of unknown kids, and nothing where that is used up (T17, T22).
        """
        possible = not self._by_known_keys and keys.may_be_replaced(jws.header.key_id, jws.header.algorithm)
        return possible and self._would_pass(jws, rules)

    def _find(self, jws: CompactJws) -> tuple[IssuerKeys, ClaimRules]:
        """Choose by the exact ``iss``: what another issuer has signed is never tried (RFC 8725 §3.8)."""
        name = jws.payload.get("iss")
        found = self._known.get(name) if type(name) is str else None
        if found is None:
            trusted = self._issuers.find(name)
            found = self._judged_by(trusted) if trusted is not None else None
        claims.check_type(jws.header.type, found[1].types if found is not None else self._types)
        if found is None:
            raise Refusal(Kind.WRONG_ISSUER, "iss is no issuer of ours")
        return found

    @staticmethod
    def _judged_by(trusted: TrustedIssuer | None) -> tuple[IssuerKeys, ClaimRules]:
        assert trusted is not None  # noqa: S101 - a name that the issuers have given
        return trusted.keys, rules_of(trusted.issuer, trusted.name, trusted.grants, trusted.tenant)

    def _would_pass(self, jws: CompactJws, rules: ClaimRules) -> bool:
        """Whether all but the signature is good: other tokens may not cost the issuer a request."""
        now = self._clock.wall()
        try:
            token = claims.read(jws.payload, rules, now, jws.payload_text)
        except Refusal:
            return False
        return not claims.is_expired(token.expires_at, rules.leeway, now)

    def _remember(self, jws: CompactJws) -> None:
        """Spare the next token of this issuer the reading of the same header. Only headers of good tokens."""
        if jws.header_text not in self._headers:
            if len(self._headers) >= MAX_KNOWN_HEADERS:
                self._headers.clear()
            self._headers[jws.header_text] = jws.header


def known_key(keys: IssuerKeys, kid: str | None, algorithm: str) -> Key:
    """The key for a token's header, of those that are known already. Raises :class:`Refusal`; fetches nothing."""
    known = keys.known if keys.is_ready else None
    key = known.find(kid, algorithm) if known is not None else None
    if key is not None:
        return key
    if known is None or keys.problem is not None:
        raise Refusal(Kind.ISSUER_UNAVAILABLE, f"{keys.issuer.url}: {keys.problem}")
    raise Refusal(Kind.UNKNOWN_KEY, "no key of the issuer has the token's kid and algorithm")


def check_algorithm(jws: CompactJws, issuer: Issuer) -> None:
    """Demand an algorithm that is allowed for the issuer, before any key is looked for (RFC 8725 §3.1)."""
    if jws.header.algorithm not in issuer.algorithms:
        raise Refusal(Kind.WRONG_ALGORITHM, "alg is not on the issuer's allow-list")


def check_signature(jws: CompactJws, key: Key) -> None:
    """Demand the signature of that key."""
    try:
        good = key.verify(jws.signing_input, jws.signature)
    except Exception as error:
        raise Refusal(Kind.BAD_SIGNATURE, type(error).__name__) from error
    if not good:
        raise Refusal(Kind.BAD_SIGNATURE, "the signature is not the key's")
