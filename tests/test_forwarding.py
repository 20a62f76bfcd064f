"""Who calls: what trusted proxies say, and what strangers only pretend (T29)."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_server.configuration_error import ConfigurationError
from resource_server.forwarding import UNKNOWN_CLIENT, Client, Forwarding, network
from resource_server.refusals import Kind, Refusal

PROXY, INNER, STRANGER, OTHER = "10.0.0.1", "10.0.0.2", "203.0.113.7", "198.51.100.9"
TRUSTED = ("10.0.0.0/8", "2001:db8:ffff::/48")


def request(peer: str | None, *headers: tuple[str, str], scheme: str = "http") -> dict[str, Any]:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "scheme": scheme, "client": (peer, 4711) if peer else None, "headers": raw}


def client_of(
    peer: str | None, *headers: tuple[str, str], scheme: str = "http", family: str = "x-forwarded", **options: Any
) -> Client:
    forwarding = Forwarding(options.pop("trusted_proxies", TRUSTED), family=family, **options)
    return forwarding.client(request(peer, *headers, scheme=scheme))


def address_of(*headers: tuple[str, str], peer: str = PROXY, **options: Any) -> str | None:
    address = client_of(peer, *headers, **options).address
    return str(address) if address else None


def refused(*headers: tuple[str, str], peer: str = PROXY, **options: Any) -> Kind:
    with pytest.raises(Refusal) as caught:
        client_of(peer, *headers, **options)
    return caught.value.kind


def forwarded_for(*hops: str) -> tuple[str, str]:
    return ("x-forwarded-for", ", ".join(hops))


HTTPS = ("x-forwarded-proto", "https")


def test_nobody_is_trusted_by_default() -> None:
    """T29: the default of TRUSTED_PROXIES is none, loopback included."""
    headers = (forwarded_for(STRANGER), HTTPS, ("forwarded", f"for={STRANGER};proto=https"))
    for family in ("x-forwarded", "forwarded"):
        client = client_of("127.0.0.1", *headers, trusted_proxies=(), family=family)
        assert client == Client(ipaddress.ip_address("127.0.0.1"), secure=False)


@pytest.mark.parametrize("family", ["x-forwarded", "forwarded"])
def test_headers_of_an_untrusted_peer_are_ignored(family: str) -> None:
    """T29, RS-9700-4.13-a: even those that can't be read."""
    headers = (forwarded_for(INNER), HTTPS, HTTPS, ("forwarded", "for=10.0.0.2;proto=https;;garbage"))
    assert client_of(STRANGER, *headers, family=family) == Client(ipaddress.ip_address(STRANGER), secure=False)


@pytest.mark.parametrize(
    ("hops", "address"),
    [
        pytest.param((STRANGER,), STRANGER, id="one-hop"),
        pytest.param((OTHER, STRANGER), STRANGER, id="what-a-stranger-wrote-is-not-reached"),
        pytest.param((INNER, STRANGER), STRANGER, id="a-stranger-can-not-pose-as-a-proxy"),
        pytest.param((OTHER, STRANGER, INNER), STRANGER, id="through-two-proxies"),
        pytest.param(("nonsense", STRANGER, INNER), STRANGER, id="nonsense-is-not-reached"),
        pytest.param(("10.0.0.9", INNER), "10.0.0.9", id="a-caller-among-the-trusted"),
        pytest.param((f"{STRANGER}:4711",), STRANGER, id="port"),
        pytest.param(("2001:db8::1",), "2001:db8::1", id="ipv6"),
        pytest.param(("[2001:db8::1]",), "2001:db8::1", id="ipv6-in-brackets"),
        pytest.param(("[2001:db8::1]:443",), "2001:db8::1", id="ipv6-and-port"),
        pytest.param((STRANGER, "2001:db8:ffff::2"), STRANGER, id="through-an-ipv6-proxy"),
        pytest.param((f"::ffff:{STRANGER}",), STRANGER, id="ipv4-mapped"),
        pytest.param((STRANGER, f"::ffff:{INNER}"), STRANGER, id="through-an-ipv4-mapped-proxy"),
        pytest.param((STRANGER, f"[::FFFF:{INNER}]:80"), STRANGER, id="ipv4-mapped-in-brackets"),
        pytest.param(("unknown",), None, id="unknown"),
        pytest.param((INNER, "unknown"), None, id="nothing-is-read-past-an-unknown-hop"),
        pytest.param(("_hidden",), None, id="obfuscated"),
    ],
)
def test_client_is_the_first_untrusted_hop_from_the_right(hops: tuple[str, ...], address: str | None) -> None:
    """T29."""
    assert address_of(forwarded_for(*hops)) == address


def test_hops_on_several_lines_are_one_list() -> None:
    """RFC 9110 §5.3: some proxies add a line of their own instead of a comma."""
    assert address_of(forwarded_for(INNER), forwarded_for(STRANGER)) == STRANGER
    assert address_of(forwarded_for(OTHER, STRANGER), forwarded_for(INNER)) == STRANGER


@pytest.mark.parametrize(
    "hop",
    ["", "nonsense", "203.0.113", "203.0.113.256", "203.0.113.07", "203.0.113.7:", "203.0.113.7:port", "[2001:db8::1",
     "[2001:db8::1]443", "[nonsense]", "2001:db8::1]", '"203.0.113.7"', "203.0.113.7 10.0.0.1", "203.0.113.0/24",
     "http://203.0.113.7", "fe80::1%eth0", "[fe80::1%eth0]:80", "203.0.113.7\x00",
     "２０３.0.113.7".encode().decode("latin-1")],
)  # fmt: skip
def test_hop_that_is_no_address_is_refused(hop: str) -> None:
    """T29: unparsable is 400, never a guess."""
    assert refused(forwarded_for(OTHER, hop)) is Kind.MALFORMED_FORWARDING


@pytest.mark.parametrize("peer", ["::ffff:10.0.0.1", "::FFFF:a00:1"])
def test_mapped_peer_is_unmapped_first(peer: str) -> None:
    """T29: a proxy on a dual-stack socket is the same proxy."""
    assert address_of(forwarded_for(STRANGER), peer=peer) == STRANGER
    assert address_of(peer=f"::ffff:{STRANGER}") == STRANGER


@pytest.mark.parametrize("trusted", ["::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "::ffff:0:0/96"])
def test_mapped_network_is_unmapped_too(trusted: str) -> None:
    """T29: or else it would trust nobody."""
    assert address_of(forwarded_for(STRANGER), trusted_proxies=(trusted,)) == STRANGER


def test_networks_keep_their_size() -> None:
    """T29."""
    assert network("::ffff:10.0.0.0/104") == ipaddress.ip_network("10.0.0.0/8")
    assert network("::/0") == ipaddress.ip_network("::/0")
    assert network("2001:db8::1") == ipaddress.ip_network("2001:db8::1/128")
    assert network("10.1.2.3") == ipaddress.ip_network("10.1.2.3/32")


def test_request_without_a_client_has_no_address() -> None:
    """T29: a Unix socket, which nobody can name as trusted."""
    assert client_of(None, forwarded_for(INNER), HTTPS) == UNKNOWN_CLIENT == Client(None, secure=False)
    assert client_of("testclient", forwarded_for(INNER), HTTPS) == UNKNOWN_CLIENT


def test_proxy_that_says_nothing_calls_for_itself() -> None:
    """T29: as its own health checks do."""
    assert client_of(PROXY) == Client(ipaddress.ip_address(PROXY), secure=False)


def test_proxy_that_does_not_say_for_whom_leaves_the_client_unknown() -> None:
    """T29: or else its own address would stand for the whole world, and satisfy an allow-list."""
    assert client_of(PROXY, HTTPS) == Client(None, secure=True)
    assert client_of(PROXY, ("forwarded", "proto=https"), family="forwarded") == Client(None, secure=True)


@pytest.mark.parametrize(
    ("family", "header"),
    [
        pytest.param("x-forwarded", ("forwarded", f"for={STRANGER};proto=https"), id="only-x-forwarded"),
        pytest.param("forwarded", forwarded_for(STRANGER), id="only-forwarded"),
    ],
)
def test_only_the_configured_family_is_read(family: str, header: tuple[str, str]) -> None:
    """T29: what the proxy does not write is what a stranger wrote."""
    assert client_of(PROXY, header, family=family) == Client(ipaddress.ip_address(PROXY), secure=False)


@pytest.mark.parametrize("proto", ["https", "HTTPS", "wss", " https "])
def test_secure_scheme_of_a_trusted_proxy_is_believed(proto: str) -> None:
    """Decision table D31: TLS may end at the proxy."""
    assert client_of(PROXY, forwarded_for(STRANGER), ("x-forwarded-proto", proto), require_https=True).secure is True


@pytest.mark.parametrize("proto", ["http", "HTTP", "ws"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_plain_http_before_a_trusted_proxy_is_refused(proto: str, scheme: str) -> None:
    """RS-6750-5.2-a, decision table D31: even without REQUIRE_HTTPS, and however the proxy calls us."""
    headers = (forwarded_for(STRANGER), ("x-forwarded-proto", proto))
    assert refused(*headers, scheme=scheme) is Kind.PLAIN_HTTP


@pytest.mark.parametrize("proto", ["", "gopher", "https,http", "https, https", "on", "https\x00"])
def test_scheme_that_is_none_is_refused(proto: str) -> None:
    """T29: unparsable is 400."""
    assert refused(forwarded_for(STRANGER), ("x-forwarded-proto", proto)) is Kind.MALFORMED_FORWARDING
    assert refused(("x-forwarded-proto", proto)) is Kind.MALFORMED_FORWARDING


@pytest.mark.parametrize("second", ["https", "http"])
def test_scheme_said_twice_is_refused(second: str) -> None:
    """T29: duplicated is 400."""
    assert refused(forwarded_for(STRANGER), HTTPS, ("x-forwarded-proto", second)) is Kind.MALFORMED_FORWARDING


@pytest.mark.parametrize(
    ("scheme", "secure"), [("https", True), ("wss", True), ("http", False), ("ws", False), ("HTTPS", False)]
)
def test_scheme_of_the_connection_counts_where_no_proxy_speaks(scheme: str, secure: bool) -> None:
    """DESIGN §2: D31 is enforced by REQUIRE_HTTPS where no trusted proxy says anything."""
    assert client_of(STRANGER, HTTPS, scheme=scheme).secure is secure
    assert client_of(PROXY, scheme=scheme).secure is secure
    for peer in (STRANGER, PROXY):
        if secure:
            assert client_of(peer, scheme=scheme, require_https=True).secure is True
        else:
            assert refused(peer=peer, scheme=scheme, require_https=True) is Kind.PLAIN_HTTP


def test_scheme_of_the_connection_may_be_left_out() -> None:
    """ASGI: `scheme` is optional and means http."""
    assert Forwarding().client({"client": None, "headers": []}) == UNKNOWN_CLIENT


@pytest.mark.parametrize(
    ("trusted", "problem"),
    [
        pytest.param(["nonsense"], "'nonsense' does not appear to be an IPv4 or IPv6 network", id="no-network"),
        pytest.param(["10.0.0.1/8"], "10.0.0.1/8 has host bits set", id="host-bits"),
        pytest.param([""], "'' does not appear to be an IPv4 or IPv6 network", id="empty"),
    ],
)
def test_wrong_trusted_proxies_end_the_construction(trusted: Any, problem: str) -> None:
    """DESIGN §3: in a sentence."""
    with pytest.raises(ConfigurationError) as caught:
        Forwarding(trusted)
    assert str(caught.value) == f"trusted_proxies must be addresses or networks such as 10.0.0.0/8: {problem}"


def test_unknown_family_ends_the_construction() -> None:
    """T29: one configured header family."""
    with pytest.raises(ConfigurationError, match=r"^forwarding must be x-forwarded or forwarded"):
        Forwarding(family="X-Forwarded-For")


@settings(deadline=None, max_examples=200)
@given(st.text('1., [:]f_;x"', max_size=16), st.sampled_from(["x-forwarded", "forwarded"]))
def test_what_strangers_write_on_the_left_changes_no_address(left: str, family: str) -> None:
    """T29, threats "how it is shown": the proxy's own entry stands, or the request is refused."""
    if family == "forwarded":
        header = ("forwarded", f"{left}, for={STRANGER};proto=https")
    else:
        header = forwarded_for(left, STRANGER)
    try:
        assert address_of(header, family=family) == STRANGER
    except Refusal as refusal:
        assert refusal.kind is Kind.MALFORMED_FORWARDING  # noqa: PT017
        assert family == "forwarded"
