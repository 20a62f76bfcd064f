"""From an issuer's name to the address of its keys: its metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.fetch import Fetch, FetchError
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.urls import check_url


def metadata_urls(issuer: str) -> tuple[str, str]:
    """Where an issuer's metadata may be: OpenID appends its path, RFC 8414 §3 inserts before the issuer's path."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    openid = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    oauth = urlunsplit(parts._replace(path=f"/.well-known/oauth-authorization-server{path}"))
    return openid, oauth


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an issuer says of itself, as far as it is used here."""

    jwks_uri: str
    authorization_endpoint: str | None = None
    """Where its users log in; for the page of the docs."""
    token_endpoint: str | None = None


async def discover(issuer: Issuer, fetch: Fetch) -> Metadata:
    """Ask an issuer for its metadata. Raises :class:`FetchError`, naming what each address said.

    Metadata that calls itself by another name is not used (RFC 8414 §3.3).
    """
    reasons = []
    for url in (issuer.metadata_url,) if issuer.metadata_url is not None else metadata_urls(issuer.url):
        try:
            document = (await fetch(url)).document
            return Metadata(
                read_jwks_uri(document, issuer, url),
                _endpoint(document, "authorization_endpoint", issuer),
                _endpoint(document, "token_endpoint", issuer),
            )
        except FetchError as error:
            reasons.append(str(error))
    raise FetchError("; ".join(reasons))


def _endpoint(document: dict[str, Any], name: str, issuer: Issuer) -> str | None:
    """One that browsers are sent to: of a good address, or none."""
    url = document.get(name)
    try:
        check_url(url if isinstance(url, str) else "", name, loopback=issuer.is_loopback, query=True)
    except ConfigurationError:
        return None
    return str(url)


def read_jwks_uri(document: dict[str, Any], issuer: Issuer, url: str) -> str:
    """The address of the keys, from the metadata that was found at a URL. Raises :class:`FetchError`."""
    if document.get("issuer") != issuer.url:
        raise FetchError(f"{url}: the document's issuer is not {issuer.url}")
    jwks_uri = document.get("jwks_uri")
    if not isinstance(jwks_uri, str):
        raise FetchError(f"{url}: the document has no jwks_uri")
    try:
        check_url(jwks_uri, "jwks_uri", loopback=issuer.is_loopback, query=True)
    except ConfigurationError as error:
        raise FetchError(f"{url}: {error}") from error
    return jwks_uri
