"""The Forwarded header (RFC 7239), where a trusted proxy writes it (T29)."""

import pytest

from resource_server.forwarding import Client, Forwarding
from resource_server.refusals import Kind, Refusal

PROXY, INNER, STRANGER = "10.0.0.1", "10.0.0.2", "203.0.113.7"


def client_of(*lines: str, require_https: bool = False) -> Client:
    forwarding = Forwarding(("10.0.0.0/8", "2001:db8:ffff::/48"), family="forwarded", require_https=require_https)
    headers = [(b"forwarded", line.encode("latin-1")) for line in lines]
    return forwarding.client({"scheme": "http", "client": (PROXY, 1), "headers": headers})


def refused(*lines: str, require_https: bool = False) -> Kind:
    with pytest.raises(Refusal) as caught:
        client_of(*lines, require_https=require_https)
    return caught.value.kind


@pytest.mark.parametrize(
    ("field", "address"),
    [
        pytest.param(f"for={STRANGER}", STRANGER, id="address"),
        pytest.param(f"For={STRANGER}", STRANGER, id="name-in-another-case"),
        pytest.param(f'for="{STRANGER}"', STRANGER, id="quoted"),
        pytest.param(f'for="{STRANGER}:47011"', STRANGER, id="port"),
        pytest.param(f'for="{STRANGER}:_port"', STRANGER, id="obfuscated-port"),
        pytest.param('for="[2001:db8:cafe::17]"', "2001:db8:cafe::17", id="ipv6"),
        pytest.param('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17", id="ipv6-and-port"),
        pytest.param("for=[2001:db8:cafe::17]:4711", "2001:db8:cafe::17", id="quotes-forgotten"),
        pytest.param(f"for={STRANGER};by=10.0.0.1;host=api.example.com", STRANGER, id="other-parameters"),
        pytest.param(f"by=10.0.0.1 ; for={STRANGER} ;", STRANGER, id="empty-parameter-and-spaces"),
        pytest.param(f" , for={STRANGER},, ", STRANGER, id="empty-elements"),
        pytest.param(f"for=192.0.2.43, for={STRANGER}, for={INNER}", STRANGER, id="through-two-proxies"),
        pytest.param(f"for={INNER}, for={STRANGER}", STRANGER, id="a-stranger-can-not-pose-as-a-proxy"),
        pytest.param(f'for={STRANGER}, for="[::ffff:{INNER}]"', STRANGER, id="through-an-ipv4-mapped-proxy"),
        pytest.param(f"for=unknown, for={INNER}", None, id="unknown"),
        pytest.param("for=unknown:80", None, id="unknown-and-port"),
        pytest.param("for=_SEVKISEK", None, id="obfuscated"),
        pytest.param('for="_gazonk:_4711"', None, id="obfuscated-and-port"),
        pytest.param(f"for={STRANGER}, for=_hidden", None, id="nothing-is-read-past-a-hidden-hop"),
        pytest.param("for=10.0.0.5, by=10.0.0.1", None, id="nothing-is-read-past-an-element-without-for"),
        pytest.param("by=10.0.0.1;proto=https", None, id="nobody-says-for-whom"),
        pytest.param("", PROXY, id="empty-field"),
    ],
)
def test_client_is_the_first_untrusted_node_from_the_right(field: str, address: str | None) -> None:
    """T29, RFC 7239 §4 and §6."""
    found = client_of(field).address
    assert (str(found) if found else None) == address


def test_lines_are_one_list() -> None:
    """RFC 7239 §4, RFC 9110 §5.3."""
    assert str(client_of(f"for=192.0.2.43, for={STRANGER}", f"for={INNER}").address) == STRANGER


@pytest.mark.parametrize(
    "field",
    [
        pytest.param(f"for={STRANGER};for=10.0.0.2", id="parameter-repeated"),
        pytest.param(f"for={STRANGER};FOR={STRANGER}", id="parameter-repeated-in-another-case"),
        pytest.param(f"for={STRANGER};proto=https;proto=http", id="scheme-repeated"),
        pytest.param("for", id="no-value"),
        pytest.param("for=", id="empty-value"),
        pytest.param('for=""', id="empty-quotes"),
        pytest.param(f"for ={STRANGER}", id="space-before-equals"),
        pytest.param(f"for= {STRANGER}", id="space-after-equals"),
        pytest.param(f"={STRANGER}", id="no-name"),
        pytest.param(f"for={STRANGER} proto=https", id="separator-forgotten"),
        pytest.param(f'for="{STRANGER}', id="quote-not-closed"),
        pytest.param(f'for={STRANGER}"', id="quote-not-opened"),
        pytest.param(f'for="{STRANGER}"x', id="text-after-the-quote"),
        pytest.param(f'for="{STRANGER}\\"', id="backslash"),
        pytest.param("for=nonsense", id="no-address"),
        pytest.param("for=203.0.113.7:port", id="no-port"),
        pytest.param(f"for={STRANGER};proto=gopher", id="no-scheme"),
        pytest.param(f"for={STRANGER}\xa0", id="no-break-space"),
    ],
)
def test_what_can_not_be_read_one_way_is_refused(field: str) -> None:
    """T29: unparsable or duplicated is 400."""
    assert refused(field) is Kind.MALFORMED_FORWARDING


@pytest.mark.parametrize(
    "field",
    [
        pytest.param(f'for="x, for={STRANGER};host="a";b="', id="quote-opened-by-a-stranger"),
        pytest.param(f'a="x, for={STRANGER};host=";for=10.0.0.5;b="', id="quote-closed-by-the-strangers-host"),
        pytest.param(f'for={STRANGER};host="x, for=10.0.0.5;b="', id="element-in-the-strangers-host"),
        pytest.param(f'for={STRANGER};host="x;for=10.0.0.5"', id="parameter-in-the-strangers-host"),
    ],
)
def test_border_can_not_be_moved_by_a_stranger(field: str) -> None:
    """T29, RFC 7239 §8.1: what a stranger wrote is on the left, and in the Host that a proxy may repeat."""
    assert refused(field) is Kind.MALFORMED_FORWARDING


@pytest.mark.parametrize(
    ("field", "secure"),
    [
        pytest.param(f"for={STRANGER};proto=https", True, id="one-proxy"),
        pytest.param(f"for={STRANGER};proto=HTTPS", True, id="another-case"),
        pytest.param(f'for={STRANGER};proto="wss"', True, id="quoted"),
        pytest.param(f"for={STRANGER};proto=https, for={INNER};proto=http", True, id="plain-between-the-proxies"),
        pytest.param(f"for=192.0.2.43;proto=http, for={STRANGER};proto=https", True, id="a-stranger-says-plain"),
        pytest.param(f"for={STRANGER}", False, id="nobody-says"),
        pytest.param(f"for=192.0.2.43;proto=https, for={STRANGER}", False, id="a-stranger-says-secure"),
        pytest.param(f"for={STRANGER}, for={INNER};proto=https", False, id="secure-between-the-proxies-alone"),
    ],
)
def test_scheme_is_that_of_the_original_request(field: str, secure: bool) -> None:
    """T29, DESIGN §2 on D31: as said by the proxy that the client called, never by the client."""
    assert client_of(field).secure is secure
    if secure:
        assert client_of(field, require_https=True).secure is True
    else:
        assert refused(field, require_https=True) is Kind.PLAIN_HTTP


@pytest.mark.parametrize("proto", ["http", "ws", "HTTP"])
def test_plain_http_of_the_original_request_is_refused(proto: str) -> None:
    """RS-6750-5.2-a, decision table D31: without REQUIRE_HTTPS too."""
    assert refused(f"for={STRANGER};proto={proto}, for={INNER};proto=https") is Kind.PLAIN_HTTP


@pytest.mark.parametrize("field", ["for=1.1.1.1;" + " " * 30_000 + '"', "a=" + "b" * 30_000 + '"', "," * 30_000 + '"'])
def test_long_nonsense_is_refused_at_once(field: str) -> None:
    """T17, T28: no expression that backtracks; a quadratic one would be felt here."""
    assert refused(field) is Kind.MALFORMED_FORWARDING
