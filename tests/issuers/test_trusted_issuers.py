import asyncio
import logging
from typing import Any

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.issuers.grants import EVERYTHING, NOTHING, Grants
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.trusted_issuers import MAX_FETCHES, TrustedIssuers
from tests.issuers.key_kinds import signing_key
from tests.turnable_clock import TurnableClock

URL = "https://id.example.com"
API = "https://api.example.com"
KEY = signing_key("ES256", 0)


def issuer(url: str = URL, **options: Any) -> Issuer:
    return Issuer(url=url, audience=API, **({"jwks_uri": f"{url}/keys"} | options))


class Network:
    """Answers with keys; what is ``down`` fails. Counts how many requests were under way at one time."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down: set[str] = set()
        self.now = self.most = 0

    async def __call__(self, url: str) -> Fetched:
        self.asked.append(url)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        if url in self.down:
            raise FetchError(f"{url}: status 500")
        return Fetched({"keys": [KEY.public_jwk]})


def trusted(time: TurnableClock, *issuers: Issuer, fetch: Network | None = None) -> TrustedIssuers:
    return TrustedIssuers(issuers, clock=time.clock, fetch=fetch or Network())


@pytest.mark.parametrize(
    "name",
    [
        None, "", 1, True, [URL], {"iss": URL}, URL + "/", URL.upper(), "https://ID.example.com", "http://id.example.com",
        URL + ":443", " " + URL, pytest.param(URL + "\n", id="line-feed"), "https://id.example.com.evil.example",
        "https://id.example.co", "https://id.example.com\u200b",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_name_that_differs_in_anything_is_no_issuer(time: TurnableClock, name: object) -> None:
    """RS-9068-4-c, RS-8725-3.8-a: code point by code point, nothing normalised."""
    assert trusted(time, issuer()).find(name) is None


def test_a_trusted_issuer_is_found_by_its_name(time: TurnableClock) -> None:
    """RS-9068-4-c: several, each with its own keys."""
    both = trusted(time, issuer(), issuer("https://b.example", grants=Grants(scopes=["read"])))
    first, second = both.find(URL), both.find("https://b.example")
    assert first is not None
    assert second is not None
    assert first.issuer.url == URL
    assert second.issuer.url == "https://b.example"
    assert first.keys is not second.keys
    assert both.names == (URL, "https://b.example")
    assert both.first == URL


async def test_an_unknown_issuer_causes_no_request(time: TurnableClock) -> None:
    """RS-8725-3.8-a, CVE-2026-32301."""
    network = Network()
    assert trusted(time, issuer(), fetch=network).find("https://evil.example") is None
    assert network.asked == []


@pytest.mark.parametrize(
    ("issuers", "message"),
    [
        pytest.param([], "issuer is missing: give it as https://id.example.com", id="none"),
        pytest.param([issuer(), issuer()], f"issuer is given twice: {URL}", id="twice"),
    ],
)
def test_no_issuer_and_two_of_one_name_end_the_start(time: TurnableClock, issuers: list[Issuer], message: str) -> None:
    """Design §5: contradictory configuration."""
    with pytest.raises(ConfigurationError) as caught:
        trusted(time, *issuers)
    assert str(caught.value) == message


def test_a_single_issuer_grants_everything_and_one_of_several_nothing_unless_it_says_so(
    time: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """T1: everything else is dropped, and the start says so."""
    few = Grants(scopes=["read"])
    with caplog.at_level(logging.WARNING):
        assert trusted(time, issuer()).grants(URL) is None
        assert trusted(time, issuer(grants=few)).grants(URL) == few
        assert caplog.records == []
        several = trusted(
            time, issuer(), issuer("https://b.example", grants=few), issuer("https://c.example", grants=EVERYTHING)
        )
    assert several.grants(URL) == NOTHING
    assert several.grants("https://b.example") == few
    assert several.grants("https://c.example") is None
    assert [record.getMessage() for record in caplog.records] == [
        f"tokens of {URL} grant nothing: it is not the only issuer, and has no grants"
    ]


async def test_one_issuer_s_outage_leaves_the_others_ready(time: TurnableClock) -> None:
    """Design §9: a partner that is down takes nobody with it, and is named."""
    network = Network()
    network.down = {f"{URL}/keys"}
    both = trusted(time, issuer(), issuer("https://b.example"), fetch=network)
    assert not both.is_ready
    assert [keys.issuer.url for keys in both.unready] == [URL, "https://b.example"]
    await both.refresh()
    assert both.is_ready
    assert [keys.issuer.url for keys in both.unready] == [URL]


async def test_many_issuers_are_not_fetched_all_at_once(time: TurnableClock) -> None:
    """Design §9: a start with many issuers is no burst of connections."""
    network = Network()
    many = trusted(time, *(issuer(f"https://{number}.example") for number in range(100)), fetch=network)
    await many.refresh()
    assert len(set(network.asked)) == 100
    assert network.most == MAX_FETCHES
    network.most = 0
    running = asyncio.create_task(many.run())
    for _ in range(1000):
        await asyncio.sleep(0)
    assert len(network.asked) == 200
    assert network.most == MAX_FETCHES
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("workers", [0, -1, 1001, 1.5, True, "2"], ids=repr)
def test_a_number_of_workers_that_is_none_ends_the_start(time: TurnableClock, workers: Any) -> None:
    """T13, DESIGN §5: one sentence."""
    with pytest.raises(ConfigurationError) as caught:
        TrustedIssuers([issuer()], clock=time.clock, fetch=Network(), workers=workers)
    assert str(caught.value) == "workers must be how many processes serve this API, from 1 to 1000"
