import ipaddress

import pytest

from resource_server.authorization import all_of, any_of, network
from resource_server.forwarding import UNKNOWN_CLIENT, Client, Forwarding
from resource_server.refusals import Kind, Refusal
from tests.authorization.judging import INSIDE, OUTSIDE, verdict


@pytest.mark.parametrize(
    ("address", "met"),
    [
        pytest.param("10.0.0.1", True, id="in-the-network"),
        pytest.param("10.255.255.255", True, id="last-of-the-network"),
        pytest.param("11.0.0.0", False, id="one-past-the-network"),
        pytest.param("192.0.2.1", True, id="the-single-address"),
        pytest.param("192.0.2.2", False, id="one-past-the-single-address"),
        pytest.param("2001:db8::5", True, id="ipv6"),
        pytest.param("2001:db9::5", False, id="another-ipv6"),
        pytest.param("::1", False, id="loopback"),
    ],
)
async def test_client_must_be_in_one_of_the_networks(address: str, met: bool) -> None:
    """Decision table D24."""
    requirement = network("10.0.0.0/8", "192.0.2.1", "2001:db8::/32")
    client = Client(ipaddress.ip_address(address), secure=True)
    assert await verdict(requirement, client=client) is (None if met else Kind.NETWORK)


@pytest.mark.parametrize("of", ["0.0.0.0/0", "::/0", "10.0.0.0/8"])
async def test_unknown_client_is_in_no_network(of: str) -> None:
    """T29: no client address never satisfies an allow-list, not even one of the whole world."""
    assert await verdict(network(of), client=UNKNOWN_CLIENT) is Kind.NETWORK


@pytest.mark.parametrize("peer", ["10.0.0.7", "::ffff:10.0.0.7"])
@pytest.mark.parametrize("of", ["10.0.0.0/8", "::ffff:10.0.0.0/104"])
async def test_mapped_addresses_are_the_same_addresses(peer: str, of: str) -> None:
    """T29: IPv4-mapped addresses are unmapped first, the caller's and the operator's."""
    client = Forwarding().client({"client": (peer, 1), "headers": []})
    assert await verdict(network(of), client=client) is None


def test_network_is_judged_without_a_token() -> None:
    """Part E2 no. 4: a barred network gets 403 whoever calls."""
    requirement = all_of("scope", lambda token: True, network("10.0.0.0/8"))
    requirement.admit(INSIDE)
    for client in (OUTSIDE, UNKNOWN_CLIENT):
        with pytest.raises(Refusal) as caught:
            requirement.admit(client)
        assert caught.value.kind is Kind.NETWORK


def test_all_networks_of_an_operation_must_admit() -> None:
    """Part E2 no. 4: a router's network and a route's own."""
    requirement = all_of(
        any_of(network("10.0.0.0/8"), network("192.0.2.0/24")), network("10.0.0.0/8"), network("10.0.0.7")
    )
    requirement.admit(INSIDE)
    with pytest.raises(Refusal):
        requirement.admit(Client(ipaddress.ip_address("10.0.0.8"), secure=True))


def test_operation_without_a_network_admits_everybody() -> None:
    """Part E2 no. 4."""
    all_of("scope", any_of(network("10.0.0.0/8"), "admin")).admit(UNKNOWN_CLIENT)
    all_of().admit(UNKNOWN_CLIENT)


async def test_network_may_be_one_alternative() -> None:
    """DESIGN §4: requirements compose."""
    requirement = any_of(network("10.0.0.0/8"), "admin")
    assert await verdict(requirement, client=INSIDE) is None
    assert await verdict(requirement, scopes=["admin"]) is None
    assert await verdict(requirement) is Kind.INSUFFICIENT_SCOPE


def test_network_tells_nothing() -> None:
    """Decision table D24: rule and list are not revealed."""
    assert network("10.0.0.0/8").demands == all_of().demands


@pytest.mark.parametrize("text", ["", "nonsense", "10.0.0.1/8", "10.0.0.0/33", "localhost", "10.0.0.0/8,11.0.0.0/8"])
def test_what_is_no_network_ends_the_construction(text: str) -> None:
    """DESIGN §3."""
    with pytest.raises(ValueError, match=r"needs at least one name|does not appear|host bits set"):
        network(text)


def test_empty_list_of_networks_ends_the_construction() -> None:
    """DESIGN §3."""
    with pytest.raises(ValueError, match="network needs at least one name"):
        network()
