"""One question to an issuer: what came back, or at what it failed and what to do about that."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from resource_server.clock import Clock
from resource_server.diagnosis.findings import quoted
from resource_server.diagnosis.spelling import Spelling
from resource_server.issuers.fetch import MAX_DOCUMENT, TIMEOUT, Fault, Fetch, Fetched, FetchError
from resource_server.issuers.issuer import Issuer

_UNREACHABLE: Final = frozenset({Fault.NAME, Fault.CONNECTION, Fault.TIMEOUT, Fault.PROXY})
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, or the error in its place."""

    url: str
    began: float
    ended: float
    """By this machine's clock, in seconds since the epoch."""
    answer: Fetched | None = None
    error: FetchError | None = None

    @property
    def is_unreachable(self) -> bool:
        """Whether nobody was there who could answer: the network's fault, or a server's that is down."""
        error = self.error
        return error is not None and (error.fault in _UNREACHABLE or _is_down(error.status or 0))

    @property
    def is_absent(self) -> bool:
        """Whether the server says that there is no such document."""
        return self.error is not None and self.error.status in (400, 401, 403, 404, 405, 410)


def _is_down(status: int) -> bool:
    return status >= 500 or status == _TOO_MANY


async def ask(url: str, fetch: Fetch, clock: Clock) -> Exchange:
    """Ask once. Never raises for the issuer's faults."""
    began = clock.wall()
    try:
        answer = await fetch(url)
    except FetchError as error:
        return Exchange(url, began, clock.wall(), error=error)
    return Exchange(url, began, clock.wall(), answer=answer)


def plain_proxy(proxy: str) -> str:
    """A proxy's URL without its credentials."""
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def failure(error: FetchError, url: str, issuer: Issuer) -> str:
    """At what it failed, in words. By a proxy, only the proxy's name is looked up, and only it connected to."""
    host = urlsplit(url).netloc
    first = f"the proxy {plain_proxy(issuer.proxy)}" if issuer.proxy else host
    reason = str(error).removeprefix(f"{url}: ")
    if error.fault is Fault.STATUS:
        to = f", a redirect to {quoted(error.location)}; none is followed" if error.location else ""
        return f"status {error.status}{to}"
    return {
        Fault.NAME: f"no name server knows {first} (DNS)",
        Fault.CONNECTION: f"{first} accepts no connection",
        Fault.TIMEOUT: f"no whole answer within {TIMEOUT:.0f} s (time-out)",
        Fault.CERTIFICATE: f"its TLS certificate is not trusted: {reason.partition(': ')[2] or reason}",
        Fault.TLS: f"{host} does not speak TLS as it should",
        Fault.PROXY: f"the proxy does not let this machine through to {host}",
        Fault.BROKEN: "the answer ends early, or is no HTTP",
        Fault.URL: "this is no address",
    }.get(error.fault, reason)


def cure(error: FetchError, issuer: Issuer, spelling: Spelling, *, option: str) -> str:
    """What to do about it; ``option`` is the setting by which another address can be given."""
    address = f"{spelling.name(option)} gives another address"
    if issuer.proxy and error.fault in (Fault.NAME, Fault.CONNECTION):
        return f"start the proxy, or correct {spelling.name('proxy')}"
    by_proxy = "the configured proxy" if issuer.proxy else f"a proxy that {spelling.name('proxy')} names"
    return {
        Fault.NAME: f"see that the host is spelt right and that this machine's name server knows it; {address}",
        Fault.CONNECTION: f"start the issuer, or open the way to it (firewall, network, {by_proxy}); {address}",
        Fault.TIMEOUT: f"see that the way to it is open (firewall, network, {by_proxy}); {address}",
        Fault.CERTIFICATE: _certificate_cure(str(error), issuer, spelling),
        Fault.TLS: f"see that the port is the one for https; {address}",
        Fault.PROXY: f"let the proxy allow the host, or correct {spelling.name('proxy')}",
        Fault.STATUS: _status_cure(error, spelling, option, address),
        Fault.BROKEN: f"see what answers there: it may be no web server, or a proxy that cuts answers; {address}",
        Fault.DOCUMENT: _document_cure(str(error), address),
        Fault.URL: f"the issuer has to name an https address; {address}",
    }[error.fault]


def _certificate_cure(reason: str, issuer: Issuer, spelling: Spelling) -> str:
    if "expired" in reason or "not yet valid" in reason:
        return "the issuer has to renew its certificate; if it is new, correct this machine's clock"
    if "mismatch" in reason:
        return "ask the issuer by a host that its certificate names, or let it have one for this host"
    if issuer.ca_file is not None:
        return (
            f"{spelling.name('ca_file')} names {issuer.ca_file}, which replaces the system's: add the issuer's CA to it"
        )
    return f"{spelling.line('ca_file', '/path/to/ca.pem')}, a file with the certificate of the issuer's CA"


def _status_cure(error: FetchError, spelling: Spelling, option: str, address: str) -> str:
    status = error.status or 0
    if error.location.startswith("https:"):
        return f"if the document is there and no login page, set {spelling.line(option, quoted(error.location))}"
    if _is_down(status):
        return "the issuer has a fault of its own, or is starting or overloaded: look there, and try again"
    if status in (401, 403):
        return f"let the issuer publish it to everybody, as the standards demand; {address}"
    return f"see that the address is right, to the letter; {address}"


def _document_cure(reason: str, address: str) -> str:
    if "compressed" in reason:
        return "let the issuer, or the proxy before it, send it uncompressed, as was asked for"
    if "larger" in reason:
        return f"let the issuer publish less: {MAX_DOCUMENT} bytes are read at most"
    return f"something else answers there, such as a login page: look at it with curl; {address}"
