"""The checks of a token that its issuer is asked about (RFC 7662)."""

from collections.abc import AsyncIterator

from resource_server.check import Check
from resource_server.credentials import Credentials
from resource_server.explain.claim_checks import check_claims
from resource_server.refusals import Kind, Refusal
from resource_server.validation.introspection import IntrospectionValidator

_CURES = {
    Kind.REVOKED: "it has expired, was revoked, or is no token of this issuer: get a new one",
    Kind.ISSUER_UNAVAILABLE: "run resource-server doctor: it checks the endpoint and our credential there",
    Kind.MALFORMED_TOKEN: "give the token alone, as the issuer sent it",
}
_OTHER_CURE = (
    "the issuer's answer says so; if it may lack that member, name it in RESOURCE_SERVER_INTROSPECTION_MAY_OMIT"
)


async def check_opaque(credentials: Credentials, asked: IntrospectionValidator, now: float) -> AsyncIterator[Check]:
    """What the issuer says of it. Asks the issuer, if it was not asked a moment ago."""
    endpoint = asked.endpoint.introspection.endpoint
    yield Check("syntax", passed=True, found=f"an opaque token of {len(credentials.token)} characters")
    try:
        payload, rules = await asked.inspect(credentials)
    except Refusal as refusal:
        cure = _CURES.get(refusal.kind, _OTHER_CURE)
        yield Check("active", passed=False, found=refusal.reason, expected=f"asked at {endpoint}", cure=cure)
        return
    yield Check("active", passed=True, found=f"says {endpoint}")
    for check in check_claims(payload, rules, now):
        yield check


async def check_unasked(credentials: Credentials, asked: IntrospectionValidator) -> AsyncIterator[Check]:
    """What can be said without the issuer, which is not asked."""
    yield Check("syntax", passed=True, found=f"an opaque token of {len(credentials.token)} characters")
    yield Check(
        "active",
        passed=False,
        found="not asked: it says nothing by itself",
        expected=f"known at {asked.endpoint.introspection.endpoint}",
        cure="run resource-server explain, which asks the issuer",
    )
