"""What an issuer's metadata says: which documents there are, whose they are, and where they say its keys are."""

import ipaddress
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from resource_server.configuration_error import ConfigurationError
from resource_server.diagnosis.exchange import Exchange, cure, failure
from resource_server.diagnosis.findings import Findings, quoted
from resource_server.diagnosis.spelling import Spelling
from resource_server.issuers.discovery import read_jwks_uri
from resource_server.issuers.fetch import FetchError
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.urls import check_url, difference

_KINDS: Final = ("OpenID Connect Discovery", "RFC 8414")
_PRIVATE: Final = ("internal", "local", "localdomain", "lan", "intranet", "corp", "svc", "home.arpa")
"""Ends of names that the world's name servers don't know."""


def examine_metadata(issuer: Issuer, asked: Sequence[Exchange], spelling: Spelling, findings: Findings) -> str | None:
    """Write down what each address answered; the address of the keys, if there is one that may be asked.

    That may be one that a server would not get to, because the document bears another issuer's name: the diagnosis goes
    on, so that all that is wrong is seen at once.
    """
    kinds = _KINDS if len(asked) == len(_KINDS) else ("the metadata",)
    answered = [one for one in asked if one.answer is not None]
    if not answered:
        _none(issuer, asked, kinds, spelling, findings)
        return None
    for kind, one in zip(kinds, asked, strict=True):
        _found(issuer, one, kind, spelling, findings)
    url, document = _chosen(issuer, answered)
    _issuer(issuer, url, document.get("issuer"), spelling, findings)
    _agreement(answered, url, findings)
    jwks_uri = _jwks_uri(issuer, url, document, spelling, findings)
    signing = document.get("id_token_signing_alg_values_supported")
    if isinstance(signing, list) and signing:
        names = quoted(", ".join(name for name in signing if isinstance(name, str)))
        findings.fine("metadata", f"its ID tokens are signed by {names}; its access tokens may be by others")
    return jwks_uri


def _none(
    issuer: Issuer, asked: Sequence[Exchange], kinds: Sequence[str], spelling: Spelling, findings: Findings
) -> None:
    """No document. One line for addresses that failed alike."""
    unreachable = any(one.is_unreachable for one in asked)
    absent = all(one.error is not None and one.error.status == 404 for one in asked)
    failures: dict[str, list[str]] = {}
    cures: dict[str, str] = {}
    for kind, one in zip(kinds, asked, strict=True):
        if one.error is not None:
            what = failure(one.error, one.url, issuer)
            failures.setdefault(what, []).append(f"{kind} at {one.url}")
            cures[what] = cure(one.error, issuer, spelling, option="metadata_url")
    for what, addresses in failures.items():
        at = " and ".join(addresses)
        advice = _absent_cure(spelling) if absent else cures[what]
        findings.wrong("discovery", f"{what}: {at}", cure=advice, unreachable=unreachable)


def _absent_cure(spelling: Spelling) -> str:
    return (
        f"see that {spelling.name('issuer')} is the issuer's whole name, path included, as it stands in iss; if it "
        f"publishes no metadata there, set {spelling.name('metadata_url')} or {spelling.name('jwks_uri')}"
    )


def _found(issuer: Issuer, one: Exchange, kind: str, spelling: Spelling, findings: Findings) -> None:
    if one.error is None:
        findings.fine("discovery", f"{kind} at {one.url}")
    elif one.is_absent:
        findings.fine("discovery", f"{kind}: {failure(one.error, one.url, issuer)}, and one document is enough")
    else:
        advice = cure(one.error, issuer, spelling, option="metadata_url")
        found = f"{kind} at {one.url}: {failure(one.error, one.url, issuer)}"
        findings.warn("discovery", found, expected="a document, or status 404", cure=advice)


def _chosen(issuer: Issuer, answered: Sequence[Exchange]) -> tuple[str, dict[str, Any]]:
    """The document that a server uses: the first that passes; else the one that comes nearest."""
    documents = [(one.url, one.answer.document) for one in answered if one.answer is not None]
    for url, document in documents:
        try:
            read_jwks_uri(document, issuer, url)
        except FetchError:
            continue
        return url, document
    return next((one for one in documents if one[1].get("issuer") == issuer.url), documents[0])


def _issuer(issuer: Issuer, url: str, said: object, spelling: Spelling, findings: Findings) -> None:
    if said == issuer.url:
        findings.fine("issuer", f"{issuer.url}, to the letter")
        return
    advice = _issuer_cure(issuer, url, said, spelling)
    findings.wrong("issuer", quoted(said), expected=issuer.url, cure=advice)


def _issuer_cure(issuer: Issuer, url: str, said: object, spelling: Spelling) -> str:
    if not isinstance(said, str):
        return f"see that {url} is an issuer's metadata: it has to name its issuer (RFC 8414 §2)"
    try:
        check_url(said, "issuer")
    except ConfigurationError:
        return (
            "the issuer has to call itself by its https URL: correct its own settings (behind a proxy, its public URL)"
        )
    line = spelling.line("issuer", quoted(said))
    near = difference(said, issuer.url)
    if near:
        return f"{near}; set {line}"
    if not _is_private(url) or _is_private(said):
        return f"if that is your issuer, set {line}: its tokens bear that name"
    here = (
        f"{spelling.line('metadata_url', url)} (or {spelling.name('jwks_uri')})"
        if url.startswith("https:")
        else f"{spelling.name('metadata_url')} or {spelling.name('jwks_uri')} to an https address here"
    )
    return (
        f"it is asked at a private address and calls itself by its public name, as its tokens do: set {line}, "
        f"and, if this machine can't ask it by that name, {here}"
    )


def _is_private(url: str) -> bool:
    """Whether a URL's host means something to few machines alone."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or any(host.endswith(f".{end}") for end in _PRIVATE)


def _agreement(answered: Sequence[Exchange], used: str, findings: Findings) -> None:
    """RFC 9068 §4: what two documents say of one issuer must agree."""
    said = [
        tuple(quoted(one.answer.document.get(name)) for name in ("issuer", "jwks_uri"))
        for one in answered
        if one.answer is not None
    ]
    if len(said) != len(_KINDS):
        return
    if said[0] == said[1]:
        findings.fine("agreement", "both documents name the same issuer and the same keys")
        return
    found, expected = (f"issuer {issuer}, jwks_uri {jwks_uri}" for issuer, jwks_uri in reversed(said))
    advice = f"let the issuer publish the same in both (RFC 9068 §4); a server uses {used}"
    findings.warn("agreement", f"RFC 8414: {found}", expected=f"as OpenID Connect Discovery: {expected}", cure=advice)


def _jwks_uri(issuer: Issuer, url: str, document: dict[str, Any], spelling: Spelling, findings: Findings) -> str | None:
    said = document.get("jwks_uri")
    try:
        jwks_uri = read_jwks_uri(document | {"issuer": issuer.url}, issuer, url)
    except FetchError:
        instead = f" in the place of {spelling.name('metadata_url')}" if issuer.metadata_url else ""
        https = f"https{said[4:]}" if isinstance(said, str) and said.startswith("http:") else "https://…"
        advice = (
            f"the issuer has to publish the https address of its keys; if it has one, set "
            f"{spelling.line('jwks_uri', quoted(https))}{instead}"
        )
        findings.wrong("jwks_uri", quoted(said), expected="an https address", cure=advice)
        return None
    findings.fine("jwks_uri", jwks_uri)
    return jwks_uri
