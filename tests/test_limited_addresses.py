"""Whose limit it is: one address, one IPv6 network, never a proxy for all who are behind it (T33)."""

import logging
from ipaddress import ip_address

import pytest

from resource_server import ConfigurationError, Kind, ResourceServer
from resource_server.forwarding import caller_number
from tests.limiting import PROXY, RATE, Limited
from tests.turnable_clock import TurnableClock


@pytest.fixture
def limited(time: TurnableClock) -> Limited:
    return Limited(time)


SAME = [
    pytest.param("203.0.113.9", "203.0.113.9", id="IPv4"),
    pytest.param("203.0.113.9", "::ffff:203.0.113.9", id="IPv4-mapped"),
    pytest.param("203.0.113.9", "64:ff9b::203.0.113.9", id="translated"),
    pytest.param("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", id="an IPv6 network"),
    pytest.param("fe80::1%eth0", "fe80::2%eth1", id="a link"),
]
OTHERS = [
    pytest.param("203.0.113.9", "203.0.113.8", id="IPv4"),
    pytest.param("::ffff:203.0.113.9", "::ffff:203.0.113.8", id="IPv4-mapped"),
    pytest.param("64:ff9b::203.0.113.9", "64:ff9b::203.0.113.8", id="translated"),
    pytest.param("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::", id="two IPv6 networks"),
    pytest.param("0.0.0.1", "0:0:0:1::", id="like numbers"),
    pytest.param("0.0.0.0", "::", id="zero"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
async def test_one_caller_has_one_limit(limited: Limited, one: str, other: str) -> None:
    """T33: whoever has one IPv6 address has 2⁶⁴ of them."""
    await limited.flood(RATE.at_once, one)
    assert await limited.flood(1, other) == [Kind.RATE_LIMITED]


@pytest.mark.parametrize(("one", "other"), OTHERS)
async def test_two_callers_have_two_limits(limited: Limited, one: str, other: str) -> None:
    """T33: never another address."""
    await limited.flood(RATE.at_once, one)
    assert await limited.flood(RATE.at_once, other) == [Kind.BAD_SIGNATURE] * RATE.at_once
    assert caller_number(ip_address(one)) != caller_number(ip_address(other))


@pytest.mark.parametrize("client", [None, "", "testclient", PROXY], ids=str)
async def test_who_stands_for_nobody_in_particular_is_not_limited(time: TurnableClock, client: str | None) -> None:
    """A Unix socket; a trusted proxy that names nobody, and so stands for all who are behind it."""
    limited = Limited(time, proxy=PROXY)
    assert set(await limited.flood(100, client)) == {Kind.BAD_SIGNATURE}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


async def test_a_proxy_that_names_nobody_is_warned_of_once(
    time: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Its operator has a limit that limits nobody."""
    limited = Limited(time, proxy=PROXY)
    await limited.flood(3, PROXY)
    [warning] = warnings(caplog)
    assert warning == (
        f"a trusted proxy, {PROXY}, does not say who calls: those behind it have no limit of failed authentications "
        "until it writes its forwarding header"
    )


@pytest.mark.parametrize("client", ["127.0.0.1", "10.9.8.7", "192.168.1.1", "::1", "fd00::1", "fe80::1%eth0"])
async def test_an_address_of_the_own_network_that_is_refused_is_warned_of_once(
    limited: Limited, caplog: pytest.LogCaptureFixture, client: str
) -> None:
    """It may be a proxy that nobody has named: then all its callers share one limit."""
    await limited.flood(RATE.at_once, client)
    assert warnings(caplog) == []
    await limited.flood(3, client)
    [warning] = warnings(caplog)
    assert warning == (
        f"{client} has reached the limit of failed authentications: if it is a proxy, all who come through it share "
        "that limit until trusted_proxies names it"
    )


@pytest.mark.parametrize(
    ("client", "proxy"),
    [pytest.param("8.8.8.8", None, id="the internet"), pytest.param("10.9.8.7", PROXY, id="named by a proxy")],
)
async def test_another_address_is_no_reason_to_warn(
    time: TurnableClock, caplog: pytest.LogCaptureFixture, client: str, proxy: str | None
) -> None:
    """Refusals are told by observers; where the proxies are known, an address of the own network is a caller's."""
    await Limited(time, proxy=proxy).flood(100, client)
    assert warnings(caplog) == []


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_where_everybody_is_a_trusted_proxy_there_can_be_no_limit(everybody: str) -> None:
    """T33: any caller could name any address, and use up its limit."""
    with pytest.raises(ConfigurationError) as caught:
        ResourceServer("https://id.example.com", audience="a", trusted_proxies=[everybody], failed_authentications=RATE)
    assert str(caught.value) == (
        "failed_authentications contradicts trusted_proxies, which trust everybody: any caller could use up any "
        "other's limit; name your proxies alone"
    )


@pytest.mark.parametrize("workers", [1, 3, 20])
def test_workers_divide_the_limit_among_them(workers: int) -> None:
    """T13, T33: each process counts for itself, and none knows which one a caller comes to."""
    api = ResourceServer("https://id.example.com", audience="a", workers=workers, failed_authentications=RATE)
    share = api.failed_authentications
    assert share is not None
    assert (share.limit, share.per) == (RATE.limit // workers, RATE.per)


def test_there_must_be_one_for_each_worker() -> None:
    """A limit of none would refuse every token that is new."""
    with pytest.raises(ConfigurationError) as caught:
        ResourceServer("https://id.example.com", audience="a", workers=21, failed_authentications=RATE)
    assert str(caught.value) == "failed_authentications must be one at least for each of 21 workers, who divide them up"
