"""The walk: from an issuer's configuration to its keys, by the functions that the server itself uses.

It goes on where the server would stop, so that all that is wrong is seen at once. It opens connections to the issuer
alone, and sends nothing that is secret, but our own credential to its introspection endpoint and to a proxy.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

from resource_server.clock import Clock
from resource_server.diagnosis.exchange import Exchange, ask, cure, failure, plain_proxy
from resource_server.diagnosis.findings import Diagnosis, Findings
from resource_server.diagnosis.introspection import examine_introspection
from resource_server.diagnosis.key_set import examine_keys
from resource_server.diagnosis.metadata import examine_metadata
from resource_server.diagnosis.spelling import Spelling
from resource_server.issuers.discovery import metadata_urls
from resource_server.issuers.fetch import Fetch, Fetched, FetchError, HttpFetch
from resource_server.issuers.grants import NOTHING
from resource_server.issuers.introspection_endpoint import Post
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwks_file import read_file
from resource_server.issuers.keys import kept_for

MOST_SKEW: Final = 60.0
"""Seconds between two clocks, above which no leeway helps."""
SOON: Final = 14 * 86_400.0
"""Seconds that a certificate should at least have left."""


async def diagnose(
    issuer: Issuer,
    *,
    alone: bool,
    spelling: Spelling = Spelling(),  # noqa: B008 - immutable
    clock: Clock = Clock(),  # noqa: B008 - immutable
    fetch: Fetch | None = None,
    post: Post | None = None,
) -> Diagnosis:
    """Examine one issuer, which is ``alone`` or one of several.

    Never raises for the issuer's faults. Raises :class:`ConfigurationError` for a certificate file that is none.
    """
    findings = Findings()
    fetch = fetch or HttpFetch(ca_file=issuer.ca_file, proxy=issuer.proxy)
    _configuration(issuer, findings)
    if issuer.needs_keys and issuer.jwks_file is not None:
        _keys_of_file(issuer.jwks_file, issuer, spelling, findings)
    elif issuer.needs_keys:
        _time(await _network(issuer, fetch, clock, spelling, findings), issuer, clock, findings)
    if issuer.introspection is not None:
        await examine_introspection(
            issuer, issuer.introspection, spelling, findings, clock=clock, fetch=fetch, post=post
        )
    _grants(issuer, alone=alone, spelling=spelling, findings=findings)
    return findings.of(issuer.url)


def _configuration(issuer: Issuer, findings: Findings) -> None:
    if not issuer.needs_keys:
        findings.fine("configuration", "all of its tokens are introspected, so that it needs no keys")
    elif issuer.jwks_file is not None:
        findings.fine("configuration", "its keys are in a file, and nothing is asked")
    elif issuer.jwks_uri is not None:
        findings.fine("configuration", f"discovery is skipped, and {issuer.jwks_uri} asked for its keys")
    else:
        findings.fine("configuration", f"its metadata is asked for at {' and '.join(_addresses(issuer))}")
    if issuer.proxy is not None:
        findings.fine("proxy", f"by {plain_proxy(issuer.proxy)}")
    if issuer.ca_file is not None:
        findings.fine("ca_file", f"the certificates in {issuer.ca_file} are trusted instead of the system's")


def _addresses(issuer: Issuer) -> Sequence[str]:
    return (issuer.metadata_url,) if issuer.metadata_url is not None else metadata_urls(issuer.url)


def _keys_of_file(path: Path, issuer: Issuer, spelling: Spelling, findings: Findings) -> None:
    try:
        fetched = read_file(path)
    except FetchError as error:
        findings.wrong("key_set", str(error), cure=f"{spelling.name('jwks_file')} has to name a file with a JWK Set")
        return
    findings.fine("key_set", str(path))
    examine_keys(fetched.document, issuer, spelling, findings)


async def _network(
    issuer: Issuer, fetch: Fetch, clock: Clock, spelling: Spelling, findings: Findings
) -> list[Exchange]:
    """Ask for metadata, if need be, and keys; all that was asked."""
    asked: list[Exchange] = []
    jwks_uri = issuer.jwks_uri
    if jwks_uri is None:
        asked += await asyncio.gather(*(ask(url, fetch, clock) for url in _addresses(issuer)))
        jwks_uri = examine_metadata(issuer, asked, spelling, findings)
    if jwks_uri is not None:
        asked.append(await ask(jwks_uri, fetch, clock))
        _key_set(asked[-1], issuer, spelling, findings)
    return asked


def _key_set(exchange: Exchange, issuer: Issuer, spelling: Spelling, findings: Findings) -> None:
    if exchange.error is not None:
        advice = cure(exchange.error, issuer, spelling, option="jwks_uri")
        found = f"{failure(exchange.error, exchange.url, issuer)}: {exchange.url}"
        findings.wrong("key_set", found, cure=advice, unreachable=exchange.is_unreachable)
    elif exchange.answer is not None:
        findings.fine("key_set", f"{exchange.answer.size} bytes, {_kept(exchange.answer)}")
        examine_keys(exchange.answer.document, issuer, spelling, findings)


def _kept(answer: Fetched) -> str:
    kept = kept_for(answer.lifetime)
    if answer.lifetime is None:
        return f"kept for {kept:.0f} s: no Cache-Control says otherwise"
    bounded = "" if kept == answer.lifetime else f", which allows {answer.lifetime:.0f} s"
    return f"kept for {kept:.0f} s by Cache-Control{bounded}"


def _time(asked: Sequence[Exchange], issuer: Issuer, clock: Clock, findings: Findings) -> None:
    """The issuer's clock against ours; and how long its certificates live."""
    answered = [(one, one.answer) for one in asked if one.answer is not None]
    skews = [_skew(answer.date, one) for one, answer in answered if answer.date is not None]
    if skews:
        _clock(min(skews, key=abs), issuer, findings)
    elif answered:
        findings.fine("clock", "the issuer does not tell its time")
    ends = [answer.certificate_ends for _, answer in answered if answer.certificate_ends is not None]
    if not ends:
        return
    left = min(ends) - clock.wall()
    if left < SOON:
        advice = "let the issuer renew it: from then on no keys can be fetched"
        findings.warn("certificate", f"expires in {left / 86_400:.0f} days", expected="14 days or more", cure=advice)
    else:
        findings.fine("certificate", f"good for {left / 86_400:.0f} days")


def _skew(date: float, exchange: Exchange) -> float:
    """Seconds by which the issuer's clock is ahead at the least; a Date has whole seconds."""
    return max(0.0, date - exchange.ended) + min(0.0, date + 1 - exchange.began)


def _clock(skew: float, issuer: Issuer, findings: Findings) -> None:
    where = "ahead of" if skew > 0 else "behind"
    found = f"the issuer's is {abs(skew):.0f} s {where} this machine's" if skew else "the same as the issuer's"
    expected = f"at most {issuer.leeway:.0f} s, which are forgiven"
    advice = "set both machines' clocks by a time server (chrony, systemd-timesyncd)"
    if abs(skew) <= issuer.leeway:
        findings.fine("clock", found)
    elif abs(skew) <= MOST_SKEW:
        findings.warn("clock", found, expected=expected, cure=f"{advice}: some good tokens are refused")
    else:
        findings.wrong("clock", found, expected=expected, cure=f"{advice}: good tokens are refused")


def _grants(issuer: Issuer, *, alone: bool, spelling: Spelling, findings: Findings) -> None:
    """T1: authority belongs to an issuer."""
    alone = alone and not issuer.allow_any_tenant_of_the_world
    grants = issuer.vouched(alone=alone)
    if grants == NOTHING and issuer.grants is None:
        advice = f"say what it may grant: {spelling.name('grants')} takes scopes, roles, groups, or everything"
        findings.warn("grants", "nothing: its tokens open only what needs any valid token", cure=advice)
    elif grants is None:
        findings.fine("grants", "everything that its tokens say counts here")
    else:
        kinds = {one.name: ", ".join(sorted(getattr(grants, one.name))) for one in fields(grants)}
        named = "; ".join(f"{kind}: {names}" for kind, names in kinds.items() if names)
        findings.fine("grants", named or "nothing, as configured")
    if issuer.allow_any_tenant_of_the_world:
        advice = f"list those whom you trust in {spelling.name('tenants')}"
        findings.warn("tenants", "every tenant of the world is trusted, and anybody can make one", cure=advice)
