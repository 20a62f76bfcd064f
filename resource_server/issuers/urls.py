"""Which addresses may be trusted with the question whose tokens are good (T23)."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from resource_server.configuration_error import ConfigurationError

_EXAMPLE: Final = "https://id.example.com"


def check_url(url: str, name: str, *, loopback: bool = True, query: bool = False) -> None:
    """Demand https, or plain http on a loopback literal or exactly ``localhost`` where that is allowed.

    Raises :class:`ConfigurationError`. Neither user information nor a fragment may stand in the URL.
    """
    if not url:
        raise ConfigurationError(name, f"is missing: give it as {_EXAMPLE}")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        raise ConfigurationError(name, f"is not a URL: give it as {_EXAMPLE}") from None
    unfit = "@" in parts.netloc or "#" in url or ("?" in url and not query) or not url.isascii() or " " in url
    if not parts.hostname or unfit or not url.isprintable():
        raise ConfigurationError(name, f"must be a plain URL without user, query and fragment: give it as {_EXAMPLE}")
    if parts.scheme == "https" or (parts.scheme == "http" and loopback and is_loopback_host(parts.hostname)):
        return
    raise ConfigurationError(name, f"must be https (plain http is for a loopback issuer alone): give it as {_EXAMPLE}")


def is_loopback_host(host: str) -> bool:
    """Whether a host is a loopback address literal or exactly ``localhost``; asks no name server."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def connectable(url: str) -> tuple[str, str]:
    """What to connect to, and the Host to name there.

    ``localhost`` is connected to by its address: a name server that lies must not lead plain http elsewhere.
    """
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname == "localhost":
        port = f":{parts.port}" if parts.port else ""
        return urlunsplit(parts._replace(netloc=f"127.0.0.1{port}")), parts.netloc
    return url, parts.netloc


def difference(one: str, other: str) -> str:
    """How two names that look alike differ, for whoever must change one; empty if they don't look alike.

    Names of issuers and audiences are compared to the letter (RFC 9068 §4).
    """
    if one.rstrip("/") == other.rstrip("/"):
        return "differs only by a trailing slash"
    if one.lower() == other.lower():
        return "differs only by upper and lower case"
    return "differs only by http and https" if one.split("://")[-1] == other.split("://")[-1] else ""
