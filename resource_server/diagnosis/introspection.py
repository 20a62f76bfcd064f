"""Whether the introspection endpoint knows our credential, by asking it about a token that nobody has issued."""

import hashlib
import secrets
from typing import Final

from resource_server.clock import Clock
from resource_server.credentials import Credentials
from resource_server.diagnosis.findings import Findings
from resource_server.diagnosis.spelling import Spelling
from resource_server.issuers.fetch import Fetch
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.introspection_endpoint import Answered, HttpPost, Post
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.refusals import Kind, Refusal
from resource_server.validation.formats import TokenFormats

_DOWN: Final = 500


class _Noting:
    """A post that remembers at what it failed."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self.unreachable = False
        self.refused = False

    async def __call__(self, url: str, form: dict[str, str], headers: dict[str, str]) -> Answered:
        try:
            answered = await self._post(url, form, headers)
        except OSError:
            self.unreachable = True
            raise
        self.unreachable = answered.status >= _DOWN
        self.refused = 400 <= answered.status < _DOWN
        return answered

    async def aclose(self) -> None:
        await self._post.aclose()


async def examine_introspection(
    issuer: Issuer,
    introspection: Introspection,
    spelling: Spelling,
    findings: Findings,
    *,
    clock: Clock,
    fetch: Fetch,
    post: Post | None = None,
) -> None:
    """Ask as the server does, with our own credential, and judge the answer as it does.

    The made-up token has the issuer's prefix and is sent in no other place.
    """
    noting = _Noting(post or HttpPost(issuer, introspection))
    issuers = TrustedIssuers([issuer], clock=clock, fetch=fetch)
    formats = TokenFormats(issuers, clock, post=noting)
    made_up = introspection.prefix + secrets.token_urlsafe(32)
    endpoint, cure = introspection.endpoint, ""
    try:
        await formats.validate(Credentials("Bearer", made_up, hashlib.sha256(made_up.encode()).digest()))
    except Refusal as refusal:
        if refusal.kind is Kind.REVOKED:
            signed = ", signed" if introspection.signed else ""
            findings.fine("introspection", f"{endpoint} knows our credential, and answers{signed}")
            return
        found = refusal.reason
        if noting.refused:
            names = ", ".join(map(spelling.name, ("client_id", "client_secret", "client_auth_method")))
            cure = f"compare {names} with what is registered at the issuer, and that it may introspect"
        elif noting.unreachable:
            cure = f"see that this machine can reach it, or correct {spelling.name('introspection_endpoint')}"
        else:
            cure = f"see that {spelling.name('introspection_endpoint')} is the one of RFC 7662"
    else:
        found = "it says that a token is active which was made up just now"
        cure = f"see that {spelling.name('introspection_endpoint')} is the issuer's: as it is, everybody is let in"
    finally:
        await formats.aclose()
    findings.wrong("introspection", found, expected=endpoint, cure=cure, unreachable=noting.unreachable)
