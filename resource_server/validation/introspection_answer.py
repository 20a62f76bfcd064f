"""From what an introspection endpoint has answered to the members that speak of the token (RFC 7662 §2.2, RFC 9701)."""

from collections.abc import Mapping
from typing import Any, Final

from resource_server.issuers.introspection_endpoint import PLAIN, SIGNED, Answered
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwk_set import Key
from resource_server.issuers.keys import IssuerKeys
from resource_server.refusals import Refusal
from resource_server.validation import compact, strict_json

MAX_AGE: Final = 60.0
"""Seconds for which a signed answer is fresh, beside the leeway: an older one is somebody's recording."""


class NoAnswer(Exception):  # noqa: N818 - the endpoint's fault
    """The endpoint answered nonsense. Its text is for the operator and quotes nothing of the answer."""


def read_plain(answered: Answered) -> Mapping[str, Any]:
    """The members of a JSON answer. Raises :class:`NoAnswer`."""
    if answered.content_type != PLAIN:
        raise NoAnswer("the answer's content type is not application/json")
    try:
        return strict_json.parse_object(answered.body)
    except ValueError as error:
        raise NoAnswer(f"the answer is no JSON object ({error})") from None


async def read_signed(
    answered: Answered, issuer: Issuer, client_id: str, keys: IssuerKeys, now: float
) -> Mapping[str, Any]:
    """The members within a signed answer (RFC 9701 §5). Raises :class:`NoAnswer`, also for an answer that is unsigned.

    Raises :class:`Refusal` (ISSUER_UNAVAILABLE) where there are no keys to judge it with.
    """
    if answered.content_type != SIGNED:
        raise NoAnswer("the answer is not signed, as configured")  # a downgrade
    try:
        jws = compact.parse(answered.body.decode("ascii"))
    except (Refusal, UnicodeDecodeError):
        raise NoAnswer("the signed answer is malformed") from None
    header, payload = jws.header, jws.payload
    if header.type is None or header.type.lower() not in ("token-introspection+jwt", SIGNED):
        raise NoAnswer("the signed answer's typ is not token-introspection+jwt")
    if header.algorithm not in issuer.algorithms:
        raise NoAnswer("the signed answer's alg is not on the issuer's allow-list")
    key = await _find(keys, header)
    if not _has_signed(jws, key):  # as for an access token, another may have taken the same kid by now
        replacing = await keys.find_replacing(key, header.key_id, header.algorithm)
        if replacing is None or not _has_signed(jws, replacing):
            raise NoAnswer("the signed answer's signature is not the issuer's")
    audience, issued_at = payload.get("aud"), payload.get("iat")
    if type(issued_at) is not int and type(issued_at) is not float:
        raise NoAnswer("the signed answer has no iat")
    if payload.get("iss") != issuer.url:
        raise NoAnswer("the signed answer's iss is not the issuer")
    named = audience if type(audience) is list else [audience]
    if not any(name in named for name in (client_id, *issuer.audiences)):
        raise NoAnswer("the signed answer's aud is neither this API's client_id nor its audience")
    if not -issuer.leeway <= now - issued_at <= MAX_AGE + issuer.leeway:
        raise NoAnswer("the signed answer is not fresh")
    members = payload.get("token_introspection")
    if type(members) is not dict:
        raise NoAnswer("the signed answer has no token_introspection")
    return members


def _has_signed(jws: compact.CompactJws, key: Key) -> bool:
    try:
        return key.verify(jws.signing_input, jws.signature)
    except Exception:  # noqa: BLE001 - whatever the library raises, the signature is not good
        return False


async def _find(keys: IssuerKeys, header: compact.Header) -> Key:
    try:
        return await keys.find(header.key_id, header.algorithm, may_force=lambda: True)
    except Refusal as refusal:
        if refusal.retry_after is not None:
            raise
        raise NoAnswer("the signed answer's key is none of the issuer's") from None
