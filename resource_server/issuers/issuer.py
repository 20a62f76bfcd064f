"""An issuer that is trusted, as configured."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers import algorithms as algorithm_table

MAX_LEEWAY: Final = 60.0

_EXAMPLE: Final = "https://id.example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An authorization server whose access tokens are accepted (RFC 9068, RFC 8414).

    Its keys come from its metadata (OpenID Connect Discovery, else RFC 8414), or from ``jwks_uri`` or ``jwks_file``,
    which skip discovery. Raises :class:`ConfigurationError`. Opens no connection.
    """

    url: str
    """The issuer identifier, to the letter as in the ``iss`` claim. https, or http on loopback for development."""
    audience: str | Sequence[str]
    """This API's identifier, or several; a token must name one of them in ``aud``."""
    jwks_uri: str | None = None
    jwks_file: Path | None = None
    algorithms: Sequence[str] = algorithm_table.DEFAULT
    leeway: float = 30.0
    """Seconds of clock difference that are forgiven, at most 60."""
    scope_claim: str = "scope"
    roles_claim: str | Sequence[str] = "roles"
    """A top-level claim's name, or a path of names, outermost first: ``("realm_access", "roles")``."""
    groups_claim: str | Sequence[str] = "groups"
    entitlements_claim: str | Sequence[str] = "entitlements"
    audiences: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_url(self.url, "issuer")
        wanted = (self.audience,) if isinstance(self.audience, str) else tuple(self.audience)
        if not wanted or not all(isinstance(name, str) and name for name in wanted):
            raise ConfigurationError(
                "audience", "is missing: name this API's identifier, as it stands in the aud claim of its tokens"
            )
        if self.jwks_uri is not None and self.jwks_file is not None:
            raise ConfigurationError("jwks_file", "contradicts jwks_uri: set one of them")
        if self.jwks_uri is not None:
            check_url(self.jwks_uri, "jwks_uri", loopback=self.is_loopback, query=True)
        if not 0 <= self.leeway <= MAX_LEEWAY:
            raise ConfigurationError("leeway", f"must be from 0 to {MAX_LEEWAY:.0f} seconds")
        try:
            object.__setattr__(self, "algorithms", algorithm_table.check(self.algorithms))
        except ValueError as error:
            raise ConfigurationError("algorithms", str(error)) from None
        for name in ("roles_claim", "groups_claim", "entitlements_claim"):
            value = getattr(self, name)
            path = (value,) if isinstance(value, str) else tuple(value)
            if not path or not all(path):
                raise ConfigurationError(name, "must be a claim's name or a path of names")
            object.__setattr__(self, name, path)
        object.__setattr__(self, "audiences", frozenset(wanted))

    @property
    def is_loopback(self) -> bool:
        """Whether the issuer runs on this machine, which alone permits plain http for it and its keys."""
        return urlsplit(self.url).scheme == "http"


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
