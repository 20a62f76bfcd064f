"""Who is calling, and by which scheme: what trusted proxies say about a request, and nothing else (T29).

The forwarding headers of a stranger are ignored. Only one configured family of them is read at all.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final

from resource_server.configuration_error import ConfigurationError
from resource_server.refusals import Kind, Refusal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NODE = re.compile(r'(?:"?\[(?P<six>[0-9A-Fa-f:.]+)\](?::\d{1,5})?"?|"?(?P<four>[0-9.]+)(?::\d{1,5})?"?)')


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
        try:
            self._trusted = [network(text) for text in trusted_proxies]
        except ValueError as error:
            raise ConfigurationError(
                "trusted_proxies", f"must be addresses or networks such as 10.0.0.0/8: {error}"
            ) from None
        if family not in ("x-forwarded", "forwarded"):
            raise ConfigurationError("forwarding", "must be x-forwarded or forwarded, whichever your proxies write")
        self._family = family
        self._require_https = require_https

    def client(self, scope: Mapping[str, Any]) -> Client:
        """The client of an ASGI scope.

        Raises :class:`Refusal`: PLAIN_HTTP where the original request was not secure and a trusted proxy says so or
        https is required; MALFORMED_FORWARDING where a trusted proxy sends headers that can't be read one way.
        """
        peer = _peer(scope)
        secure = scope.get("scheme") in ("https", "wss")
        if not self._trusted or peer is None or not self._is_trusted(peer):
            if self._require_https and not secure:
                raise Refusal(Kind.PLAIN_HTTP, "the request came by plain http")
            return Client(peer, secure)
        hops, proto = self._read(scope)
        if proto is not None and proto not in ("https", "wss"):
            raise Refusal(Kind.PLAIN_HTTP, "a trusted proxy says that the original request came by plain http")
        secure = secure or proto is not None
        if self._require_https and not secure:
            raise Refusal(Kind.PLAIN_HTTP, "the request came by plain http")
        return Client(self._first_untrusted(peer, hops), secure)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)

    def _first_untrusted(self, peer: Address, hops: list[str]) -> Address | None:
        """From the right, so that what a stranger wrote on the left is never reached."""
        nearest: Address | None = peer
        for hop in reversed(hops):
            nearest = _node(hop)
            if nearest is None or not self._is_trusted(nearest):
                break
        return nearest

    def _read(self, scope: Mapping[str, Any]) -> tuple[list[str], str | None]:
        if self._family == "forwarded":
            return _read_forwarded(_lines(scope, b"forwarded"))
        hops = [hop.strip() for line in _lines(scope, b"x-forwarded-for") for hop in line.split(",")]
        protos = _lines(scope, b"x-forwarded-proto")
        if len(protos) > 1:
            raise Refusal(Kind.MALFORMED_FORWARDING, "several X-Forwarded-Proto fields")
        proto = protos[0].strip().lower() if protos else None
        if proto not in (None, "http", "https", "ws", "wss"):
            raise Refusal(Kind.MALFORMED_FORWARDING, "X-Forwarded-Proto is no scheme")
        return hops, proto


def network(text: str) -> Network:
    """Read an address or a network in CIDR notation. Raises :class:`ValueError`."""
    return ipaddress.ip_network(text, strict=True)


def _peer(scope: Mapping[str, Any]) -> Address | None:
    client = scope.get("client")
    if not client:
        return None
    try:
        return _unmapped(ipaddress.ip_address(client[0]))
    except ValueError:
        return None  # a Unix socket, or a test client's made-up name


def _unmapped(address: Address) -> Address:
    """``::ffff:10.0.0.1`` is 10.0.0.1: one caller must not have two names."""
    return getattr(address, "ipv4_mapped", None) or address


def _lines(scope: Mapping[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1") for known, value in scope["headers"] if known == name]


def _node(text: str) -> Address | None:
    """One hop: an address, with or without a port; None for a hop that hides itself (RFC 7239 §6)."""
    if text.strip('"').lower() == "unknown" or re.fullmatch(r'"?_[A-Za-z0-9._-]+(:\w+)?"?', text):
        return None
    match = _NODE.fullmatch(text)
    try:
        bare = ipaddress.ip_address(match["six"] or match["four"]) if match else ipaddress.ip_address(text)
    except ValueError as error:
        raise Refusal(Kind.MALFORMED_FORWARDING, "a hop is no address") from error
    return _unmapped(bare)


def _read_forwarded(lines: list[str]) -> tuple[list[str], str | None]:
    """``Forwarded: for=192.0.2.60;proto=https, for=…`` (RFC 7239 §4)."""
    hops: list[str] = []
    proto: str | None = None
    for element in [element for line in lines for element in line.split(",") if element.strip()]:
        pairs = [pair.strip().partition("=") for pair in element.split(";")]
        members = {name.lower(): value.lower() for name, _, value in pairs}
        if len(members) < len(pairs) or not all(equals for _, equals, _ in pairs):
            raise Refusal(Kind.MALFORMED_FORWARDING, "a Forwarded element repeats or garbles a parameter")
        if "for" in members:
            hops.append(members["for"])
        proto = members.get("proto", proto)
    return hops, proto.strip('"') if proto else None
