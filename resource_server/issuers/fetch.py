"""The only outgoing HTTP to issuers: small JSON documents, strictly bounded."""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.opened import Opened
from resource_server.issuers.urls import connectable

if TYPE_CHECKING:
    import httpx2

MAX_DOCUMENT: Final = 1024 * 1024
"""Bytes."""
TIMEOUT: Final = 5.0
"""Seconds for the whole exchange, so that a server that drips bytes can't hold it open."""


class Fault(StrEnum):
    """At what a fetch failed."""

    NAME = "name"
    """No name server knows the host."""
    CONNECTION = "connection"
    """Nobody accepts connections there."""
    TIMEOUT = "timeout"
    CERTIFICATE = "certificate"
    """It is not trusted."""
    TLS = "tls"
    """Any other failure of the handshake."""
    PROXY = "proxy"
    """The configured proxy refuses."""
    STATUS = "status"
    """Any but 200, which the error bears."""
    BROKEN = "broken"
    """The answer ended early, or is no HTTP."""
    DOCUMENT = "document"
    """The answer is whole, and not the one that is wanted."""
    URL = "url"
    """The address is none."""


class FetchError(Exception):
    """A document could not be had. Its text is for the operator."""

    def __init__(
        self, text: str, fault: Fault = Fault.DOCUMENT, *, status: int | None = None, location: str = ""
    ) -> None:
        super().__init__(text)
        self.fault = fault
        self.status = status
        self.location = location
        """Where a redirect leads, without user, query and fragment."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, and what its server says about time."""

    document: dict[str, Any]
    lifetime: float | None = None
    """Seconds for which it may be kept (RFC 9111 §5.2.2.1, less its Age); None where the server does not say."""
    date: float | None = None
    """The server's own clock as it answered, in seconds since the epoch (RFC 9110 §6.6.1; RFC 9111 §5.1)."""
    size: int = 0
    """Bytes of the answer's body."""
    certificate_ends: float | None = None
    """When its server's certificate expires, in seconds since the epoch; None without TLS."""


class Fetch(Protocol):
    """Gets a JSON object from a URL; raises :class:`FetchError`. Tests and special networks bring their own."""

    async def __call__(self, url: str) -> Fetched:
        """Answer the document at an https URL, or at a loopback http one."""
        ...


class HttpFetch:
    """Gets JSON objects by GET, within so many seconds.

    Follows no redirect, accepts no compression (a small answer could become a huge one), reads no proxy or certificate
    settings from the environment, and opens a connection of its own, so that no event loop outlives another in a pool.

    ``ca_file`` holds the certificates (PEM) that are trusted *instead of* the system's; ``proxy`` is the URL of an
    outgoing proxy, which may hold its credentials and is shown nowhere. Raises :class:`ConfigurationError`.
    """

    def __init__(self, *, ca_file: Path | None = None, proxy: str | None = None, within: float = TIMEOUT) -> None:
        self._within = within
        self._proxy = None if proxy is None else _check_proxy(proxy)
        self._tls = None if ca_file is None else _trusting(ca_file)

    async def __call__(self, url: str) -> Fetched:
        """Fetch. Raises :class:`FetchError` and nothing else."""
        import httpx2  # deferred: an API whose keys are in a file needs no client

        opened = Opened()
        try:
            async with asyncio.timeout(self._within):
                headers, body, ends = await self._get(url, opened)
        except (OSError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:  # a time-out is an OSError
            raise FetchError(f"{url}: {_reason(error)}", _fault(error)) from error
        finally:
            await opened.aclose()
        try:
            document = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise FetchError(f"{url}: the answer is no JSON") from error
        if not isinstance(document, dict):
            raise FetchError(f"{url}: the answer is no JSON object")
        return Fetched(document, _lifetime(headers), _date(headers), len(body), ends)

    async def _get(self, url: str, opened: Opened) -> "tuple[httpx2.Headers, bytes, float | None]":
        import httpx2

        target, host = connectable(url)
        headers = {"accept": "application/json", "accept-encoding": "identity", "host": host}
        async with (
            httpx2.AsyncClient(
                follow_redirects=False, trust_env=False, timeout=None, verify=self._context(target), proxy=self._proxy
            ) as client,
            client.stream("GET", target, headers=headers, extensions=opened.extensions) as response,
        ):
            if response.status_code != 200:
                status, location = response.status_code, _location(url, response.headers.get("location", ""))
                raise FetchError(f"{url}: status {status}", Fault.STATUS, status=status, location=location)
            if response.headers.get("content-encoding", "identity") != "identity":
                raise FetchError(f"{url}: the answer is compressed")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_DOCUMENT:
                    raise FetchError(f"{url}: the answer is larger than {MAX_DOCUMENT} bytes")
            return response.headers, bytes(body), _certificate_ends(response)

    def _context(self, url: str) -> ssl.SSLContext:
        """Read the certificates once: that takes tens of milliseconds, in which no request is answered."""
        import httpx2

        if self._tls is None and self._proxy is None and url.startswith("http:"):
            return _trusting_nobody()
        if self._tls is None:
            self._tls = httpx2.create_ssl_context(trust_env=False)
        return self._tls


def _reason(error: Exception) -> str:
    """The kind of failure alone, and what is wrong with a certificate: an operator has to know which CA to add."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{type(error).__name__}: {cause.verify_message}"
    return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _fault(error: Exception) -> Fault:
    """The first that fits, from the particular to the general."""
    import httpx2

    if isinstance(error, TimeoutError):  # first: what it has interrupted stands among its causes
        return Fault.TIMEOUT

    rows: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Fault], ...] = (
        (ssl.SSLCertVerificationError, Fault.CERTIFICATE),
        (ssl.SSLError, Fault.TLS),
        (socket.gaierror, Fault.NAME),
        (httpx2.ProxyError, Fault.PROXY),
        ((TimeoutError, httpx2.TimeoutException), Fault.TIMEOUT),
        ((httpx2.InvalidURL, httpx2.UnsupportedProtocol, ValueError), Fault.URL),
        (httpx2.ConnectError, Fault.CONNECTION),
    )
    causes = list(_causes(error))
    return next((fault for kind, fault in rows if any(isinstance(one, kind) for one in causes)), Fault.BROKEN)


def _location(url: str, location: str) -> str:
    """Where a redirect leads, without what may be a secret in it."""
    try:
        parts = urlsplit(urljoin(url, location)) if location else urlsplit("")
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _certificate_ends(response: "httpx2.Response") -> float | None:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None and response.url.scheme == "https" else None
    certificate = tls.getpeercert() if tls is not None else None
    return float(ssl.cert_time_to_seconds(certificate["notAfter"])) if certificate else None


def _lifetime(headers: "httpx2.Headers") -> float | None:
    """What Cache-Control allows; where its directives contradict each other, the shortest (RFC 9111 §4.2.1)."""
    lifetimes: list[float] = []
    for directive in headers.get("cache-control", "").lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name in ("no-store", "no-cache"):
            lifetimes.append(0.0)
        elif name == "max-age":
            digits = value.strip('"')
            lifetimes.append(float(digits[:10]) if digits.isascii() and digits.isdigit() else 0.0)
    return max(0.0, min(lifetimes) - _age(headers)) if lifetimes else None


def _age(headers: "httpx2.Headers") -> float:
    """Seconds that the answer has spent in a cache (RFC 9111 §5.1)."""
    age = headers.get("age", "0")
    return float(age[:10]) if age.isascii() and age.isdigit() else 0.0


def _date(headers: "httpx2.Headers") -> float | None:
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp() + _age(headers)
    except (ValueError, OverflowError):
        return None


@cache
def _trusting_nobody() -> ssl.SSLContext:
    """For plain http on loopback, which needs none, though the client wants one."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise ConfigurationError(
            "ca_file", f"can't be used ({type(error).__name__}): give a file of certificates in PEM: {str(ca_file)!r}"
        ) from None


def _check_proxy(proxy: str) -> str:
    """Never quote it: it may hold a password."""
    try:
        parts = urlsplit(proxy)
        fit = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fit = False
    if not fit:
        raise ConfigurationError("proxy", "must be the URL of an HTTP proxy, as in http://proxy.example.com:3128")
    return proxy
