"""Who is calling, and by which scheme: what trusted proxies say about a request, and nothing else (T29).

The forwarding headers of a stranger are ignored. Only one configured family of them is read at all.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final

from resource_server.configuration_error import ConfigurationError, listed
from resource_server.refusals import Kind, Refusal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
_NODE = re.compile(
    r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<four>[0-9.]+)|(?P<hidden>unknown|_[a-z0-9._-]+))(?::(?:[0-9]{1,5}|_[a-z0-9._-]+))?",
    re.IGNORECASE,
)
# RFC 7239 allows any text in quotes. We allow no border there: by a quote opened on the left, or in a Host that a proxy
# repeats, a stranger could move the borders of what the proxy wrote.
_PAIR = re.compile(
    r"""[ \t]*(?:(?P<name>[!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"(?P<quoted>[^",;\\]*)"|(?P<plain>[^\s",;=\\]+))[ \t]*)?"""
    r"(?P<border>[,;]|\Z)"
)

Hop = tuple[str | None, str | None]
"""What one proxy says of who called it: the node and the scheme; None for what it does not say."""


@dataclass(frozen=True, slots=True)
class Client:
    """The other end of a request."""

    address: Address | None
    """None where it is unknown, as on a Unix socket; an unknown address is in no network."""
    secure: bool
    """Whether the original request came by https."""


UNKNOWN_CLIENT: Final = Client(None, secure=False)


class Forwarding:
    """Finds the client behind trusted proxies.

    ``trusted_proxies`` are addresses or networks; none by default. ``family`` is ``x-forwarded`` (X-Forwarded-For and
    X-Forwarded-Proto) or ``forwarded`` (RFC 7239). Raises :class:`ConfigurationError`.
    """

    def __init__(
        self,
        trusted_proxies: Sequence[str] = (),
        *,
        family: str = "x-forwarded",
        require_https: bool = False,
    ) -> None:
        proxies = listed("trusted_proxies", trusted_proxies)
        try:
            self._trusted = [network(text) for text in proxies]
        except ValueError as error:
            raise ConfigurationError(
                "trusted_proxies", f"must be addresses or networks such as 10.0.0.0/8: {error}"
            ) from None
        if family not in _HOPS:
            raise ConfigurationError("forwarding", "must be x-forwarded or forwarded, whichever your proxies write")
        self._family = family
        self._require_https = require_https

    def client(self, scope: Mapping[str, Any]) -> Client:
        """The client of an ASGI scope.

        Raises :class:`Refusal`: PLAIN_HTTP where the original request was not secure and a trusted proxy says so or
        https is required; MALFORMED_FORWARDING where a trusted proxy sends headers that can't be read one way.
        """
        peer = scope.get("client")
        client = _direct(peer[0] if peer else None, scope.get("scheme") in ("https", "wss"))
        if self._trusted and client.address is not None and self.is_trusted(client.address):
            client = self._behind(client, scope)
        if self._require_https and not client.secure:
            raise Refusal(Kind.PLAIN_HTTP, "the request came by plain http")
        return client

    def _behind(self, proxy: Client, scope: Mapping[str, Any]) -> Client:
        assert proxy.address is not None  # noqa: S101 - it is trusted
        address, proto = self._original(proxy.address, scope)
        if proto in ("http", "ws"):
            raise Refusal(Kind.PLAIN_HTTP, "a trusted proxy says that the original request came by plain http")
        return Client(address, proxy.secure or proto is not None)

    @property
    def trusts_somebody(self) -> bool:
        """Whether there are trusted proxies."""
        return bool(self._trusted)

    @property
    def trusts_everybody(self) -> bool:
        """Whether any caller may say to be any other."""
        return any(network.prefixlen == 0 for network in self._trusted)

    def is_trusted(self, address: Address) -> bool:
        """Whether an address is a trusted proxy's."""
        return any(address in network for network in self._trusted)

    def _original(self, peer: Address, scope: Mapping[str, Any]) -> tuple[Address | None, str | None]:
        """Who called the outermost trusted proxy, and by which scheme.

        Read from the right, so that what a stranger wrote on the left is never reached.
        """
        address: Address | None = peer
        proto: str | None = None
        for node, said in reversed(_HOPS[self._family](scope)):
            address, proto = _node(node), said
            if address is None or not self.is_trusted(address):
                break
        if proto not in (None, "http", "https", "ws", "wss"):
            raise Refusal(Kind.MALFORMED_FORWARDING, "a proxy names a scheme that is none")
        return address, proto


def network(text: str) -> Network:
    """Read an address or a network in CIDR notation. Raises :class:`ValueError`."""
    found = ipaddress.ip_network(text, strict=True)
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    return IPv4Network((mapped, found.prefixlen - 96)) if mapped else found


def caller_number(address: Address) -> int:
    """Whom an address stands for: itself in IPv4; in IPv6 its /64, of which a caller has all addresses, or more.

    An IPv4 address within an IPv6 one, mapped or translated (RFC 6052 §2.1), is that address: or else all of IPv4 would
    be one caller.
    """
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED:
            address = IPv4Address(int(address) & 0xFFFF_FFFF)
        elif address.ipv4_mapped is not None:
            address = address.ipv4_mapped
    return int(address) if isinstance(address, IPv4Address) else 1 << 64 | int(address) >> 64


@lru_cache(maxsize=4096)  # to read an address takes as long as to recall a token
def _direct(text: str | None, secure: bool) -> Client:  # noqa: FBT001
    """The other end of a connection."""
    try:
        return Client(_unmapped(ipaddress.ip_address(text or "")), secure)
    except ValueError:
        return Client(None, secure)  # a Unix socket, or a test client's made-up name


def _unmapped(address: Address) -> Address:
    """``::ffff:10.0.0.1`` is 10.0.0.1: one caller must not have two names."""
    return getattr(address, "ipv4_mapped", None) or address


def _lines(scope: Mapping[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1") for known, value in scope["headers"] if known == name]


def _node(text: str | None) -> Address | None:
    """One hop: an address, with or without a port; None for a hop that nobody names or that hides (RFC 7239 §6)."""
    match = _NODE.fullmatch(text) if text is not None else None
    if text is None or (match and match["hidden"]):
        return None
    try:
        if "%" in text:
            raise ValueError("a zone, which may be any text and means nothing on another machine (RFC 4007 §6)")
        return _unmapped(ipaddress.ip_address(match["six"] or match["four"] if match else text))
    except ValueError as error:
        raise Refusal(Kind.MALFORMED_FORWARDING, "a hop is no address") from error


def _x_forwarded(scope: Mapping[str, Any]) -> list[Hop]:
    """``X-Forwarded-For: 192.0.2.60, 10.0.0.1`` and ``X-Forwarded-Proto: https``, which is about the first of them."""
    protos = _lines(scope, b"x-forwarded-proto")
    if len(protos) > 1:
        raise Refusal(Kind.MALFORMED_FORWARDING, "several X-Forwarded-Proto fields")
    proto = protos[0].strip().lower() if protos else None
    hops: list[Hop] = [(node.strip(), proto) for line in _lines(scope, b"x-forwarded-for") for node in line.split(",")]
    return hops if hops or not protos else [(None, proto)]


def _forwarded(scope: Mapping[str, Any]) -> list[Hop]:
    """``Forwarded: for=192.0.2.60;proto=https, for="[2001:db8::1]"`` (RFC 7239 §4)."""
    field = ",".join(_lines(scope, b"forwarded"))
    hops: list[Hop] = []
    members: dict[str, str] = {}
    at = 0
    while at < len(field):
        pair = _PAIR.match(field, at)
        if pair is None or (pair["name"] or "").lower() in members:
            raise Refusal(Kind.MALFORMED_FORWARDING, "a Forwarded element repeats or garbles a parameter")
        if pair["name"]:
            members[pair["name"].lower()] = pair["plain"] or pair["quoted"]
        at = pair.end()
        if members and (pair["border"] == "," or at == len(field)):
            hops.append((members.get("for"), members.get("proto", "").lower() or None))
            members = {}
    return hops


_HOPS: Final[Mapping[str, Callable[[Mapping[str, Any]], list[Hop]]]] = {
    "x-forwarded": _x_forwarded,
    "forwarded": _forwarded,
}
