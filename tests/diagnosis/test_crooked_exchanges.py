"""Issuers that are down, late, or not trusted, over real sockets: told apart, and the cure named."""

import json
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from resource_server.commands.doctor import render
from resource_server.diagnosis import Outcome, diagnose
from tests.diagnosis.crooked import (
    KEY,
    KEYS,
    OAUTH,
    OPENID,
    Routes,
    at,
    crooked,
    keys,
    marks,
    told,
)
from tests.issuers.certificates import self_signed
from tests.issuers.loopback import answers, serve
from tests.turnable_clock import START, TurnableClock

UNREACHABLE = [
    pytest.param(
        lambda origin: {OPENID: answers(b"", status="500 Oops")}, "discovery", "status 500: OpenID", id="metadata"
    ),
    pytest.param(lambda origin: {KEYS: answers(b"", status="503 Later")}, "key_set", "status 503: ", id="keys"),
    pytest.param(lambda origin: {KEYS: answers(b"", status="429 Slow")}, "key_set", "status 429: ", id="too-many"),
]


@pytest.mark.parametrize(("routes", "name", "found"), UNREACHABLE)
async def test_a_server_that_is_down_is_unreachable_and_not_wrong(
    time: TurnableClock, routes: Routes, name: str, found: str
) -> None:
    """DESIGN §6: a script tells what may be fine in a minute."""
    async with crooked(routes) as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert (diagnosis.outcome, marks(diagnosis)[name]) == (Outcome.UNREACHABLE, "✘")
    said, _, cure = told(diagnosis, name)
    assert said.startswith(found)
    assert cure.startswith("the issuer has a fault of its own, or is starting or overloaded")


async def test_nobody_there_is_one_line_for_both_addresses(time: TurnableClock) -> None:
    """DESIGN §6."""
    async with crooked() as origin:
        pass
    diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert (diagnosis.outcome, marks(diagnosis)) == (Outcome.UNREACHABLE, {"discovery": "✘"})
    [found] = [check.found for check in diagnosis.checks if not check.passed]
    assert found == (
        f"{origin[7:]} accepts no connection: OpenID Connect Discovery at {origin}{OPENID} "
        f"and RFC 8414 at {origin}{OAUTH}"
    )


@pytest.mark.parametrize(
    ("seconds", "mark", "found"),
    [
        pytest.param(0, None, "the same as the issuer's", id="the-same"),
        pytest.param(30, None, "the issuer's is 30 s ahead of this machine's", id="within-the-leeway"),
        pytest.param(31, "!", "the issuer's is 31 s ahead of this machine's", id="past-the-leeway"),
        pytest.param(60, "!", "the issuer's is 60 s ahead of this machine's", id="a-minute"),
        pytest.param(61, "✘", "the issuer's is 61 s ahead of this machine's", id="more-than-a-minute"),
        pytest.param(300, "✘", "the issuer's is 300 s ahead of this machine's", id="five-minutes"),
        pytest.param(-301, "✘", "the issuer's is 300 s behind this machine's", id="behind"),
    ],
)
async def test_the_issuer_s_clock_is_compared(time: TurnableClock, seconds: int, mark: str | None, found: str) -> None:
    """DESIGN §9: clock skew. At the bounds and one past them; a Date has whole seconds, so behind is forgiven one."""
    date = f"date: {formatdate(START + seconds, usegmt=True)}\r\n"
    async with crooked(lambda origin: {KEYS: keys(KEY.public_jwk, headers=date)}) as origin:
        diagnosis = await diagnose(at(origin), alone=True, clock=time.clock)
    assert marks(diagnosis).get("clock") == mark
    said, expected, cure = told(diagnosis, "clock")
    assert said == found
    assert bool(mark) == bool(expected) == ("by a time server" in cure)


async def test_a_certificate_that_is_not_trusted_names_the_setting(tmp_path: Path) -> None:
    """T23: TLS is validated; the CA of a private network is named, not switched off."""
    certificate = self_signed(tmp_path)
    async with crooked(tls=certificate.tls) as origin:
        without = await diagnose(at(origin), alone=True)
        with_file = await diagnose(at(origin, ca_file=certificate.file), alone=True)
    assert without.outcome is Outcome.WRONG
    found, _, cure = told(without, "discovery")
    assert found.startswith("its TLS certificate is not trusted: self-signed certificate: OpenID Connect Discovery at")
    assert cure == "RESOURCE_SERVER_CA_FILE=/path/to/ca.pem, a file with the certificate of the issuer's CA"
    assert (with_file.outcome, marks(with_file)) == (Outcome.FINE, {})
    assert told(with_file, "certificate")[0] == "good for 30 days"
    assert told(with_file, "ca_file")[0].startswith(f"the certificates in {certificate.file} are trusted")


@pytest.mark.parametrize(
    ("options", "name", "mark", "found", "cure"),
    [
        pytest.param({"days": 5.1}, "certificate", "!", "expires in 5 days", "let the issuer renew it", id="soon"),
        pytest.param(
            {"days": -1}, "discovery", "✘", "certificate has expired", "the issuer has to renew", id="expired"
        ),
        pytest.param(
            {"address": "192.0.2.1"}, "discovery", "✘", "mismatch", "by a host that its certificate names", id="host"
        ),
    ],
)
async def test_a_certificate_s_own_faults_are_told_apart(
    tmp_path: Path, options: dict[str, Any], name: str, mark: str, found: str, cure: str
) -> None:
    """DESIGN §6: none of these is cured by another CA."""
    certificate = self_signed(tmp_path, **options)
    async with crooked(tls=certificate.tls) as origin:
        diagnosis = await diagnose(at(origin, ca_file=certificate.file), alone=True)
    assert marks(diagnosis) == {name: mark}
    said = told(diagnosis, name)
    assert found in said[0]
    assert cure in said[2]


async def test_a_ca_file_of_another_ca_says_that_it_stands_instead_of_the_system_s(tmp_path: Path) -> None:
    """DESIGN §6."""
    (tmp_path / "other").mkdir()
    certificate, other = self_signed(tmp_path), self_signed(tmp_path / "other")
    async with crooked(tls=certificate.tls) as origin:
        diagnosis = await diagnose(at(origin, ca_file=other.file), alone=True)
    assert told(diagnosis, "discovery")[2] == (
        f"RESOURCE_SERVER_CA_FILE names {other.file}, which replaces the system's: add the issuer's CA to it"
    )


async def test_a_proxy_is_named_without_its_credentials(time: TurnableClock) -> None:
    """T37."""
    async with serve(answers(b"", status="407 Proxy Authentication Required")) as proxy:
        url = proxy.url.removesuffix("/doc")
        issuer = at("https://id.example.com", proxy=url.replace("//", "//user:s3cret-canary@"))
        diagnosis = await diagnose(issuer, alone=True, clock=time.clock)
    assert told(diagnosis, "proxy")[0] == f"by {url}"
    found, _, cure = told(diagnosis, "discovery")
    assert found.startswith("the proxy does not let this machine through to id.example.com")
    assert cure == "let the proxy allow the host, or correct RESOURCE_SERVER_PROXY"
    nobody = await diagnose(issuer, alone=True, clock=time.clock)
    found, _, cure = told(nobody, "discovery")
    assert (nobody.outcome, cure) == (Outcome.UNREACHABLE, "start the proxy, or correct RESOURCE_SERVER_PROXY")
    assert found.startswith(
        f"the proxy {url} accepts no connection: OpenID Connect Discovery at https://id.example.com/"
    )
    for one in (diagnosis, nobody):
        assert "s3cret" not in render(one) + json.dumps(one.as_json())
