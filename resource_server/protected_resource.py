"""The metadata of a protected resource (RFC 9728): where a client learns which issuer's tokens are accepted."""

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlsplit

from resource_server.configuration_error import ConfigurationError

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def check_resource(resource: str) -> None:
    """Demand an absolute https URI without a fragment (RFC 8707 §2, RFC 9728 §1.2). Raises ConfigurationError.

    It is compared and published to the letter, so it is never rebuilt by a URL class, which would add a slash.
    """
    try:
        parts = urlsplit(resource)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        parts = urlsplit("")
    fit = resource.isascii() and resource.isprintable() and not set(resource) & set(' "\\<>#')
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not (fit and parts.hostname and (parts.scheme == "https" or local)):
        raise ConfigurationError(
            "resource", "must be this API's https URL without a fragment: give it as https://api.example.com"
        )


def check_accepted(resource: str, audience: Collection[str]) -> None:
    """Demand that the identifier is an accepted audience, byte for byte (RFC 8707 §2, RFC 9728 §7.4).

    Clients ask the issuer for tokens by it, and those would be refused here. Raises ConfigurationError.
    """
    if resource not in audience:
        raise ConfigurationError(
            "resource",
            "is none of the audiences, so the tokens that clients ask for by it would be refused: "
            f"add {resource!r} to audience, to the letter",
        )


def metadata_path(resource: str) -> str:
    """Where the document is: the well-known path inserted between the host and the resource's own path (§3.1)."""
    path = urlsplit(resource).path
    return WELL_KNOWN + ("" if path == "/" else path)


def metadata_url(resource: str) -> str:
    """The absolute URL of the document, from configuration alone: a Host header is a stranger's text."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{metadata_path(resource)}" + (f"?{parts.query}" if parts.query else "")


def metadata(resource: str, issuers: Sequence[str], scopes: Collection[str] = ()) -> dict[str, Any]:
    """The document. What has no value is left out (§3.2)."""
    document: dict[str, Any] = {
        "resource": resource,
        "authorization_servers": list(issuers),
        "bearer_methods_supported": ["header"],
        "scopes_supported": sorted(scopes),
    }
    return {name: value for name, value in document.items() if value}
