"""An https issuer on a real socket, with an authority of its own: loopback is no door behind it (T23)."""

import json
from pathlib import Path
from typing import Any

import pytest

from resource_server import Issuer, ResourceServer
from resource_server.demo.api import create_api
from tests.calls import Exchange
from tests.faults.scene import API, check_unavailable
from tests.faults.scripted_issuer import ScriptedIssuer
from tests.issuers.certificates import SelfSigned, self_signed
from tests.issuers.loopback import Script, answers, serve
from tests.turnable_clock import TurnableClock


@pytest.fixture
def certificate(tmp_path: Path) -> SelfSigned:
    return self_signed(tmp_path)


@pytest.fixture
def loopback(issuer: ScriptedIssuer) -> ScriptedIssuer:
    """What any local user may serve by plain http, with keys that the test's tokens are signed with."""
    return issuer


def publishing(document: dict[str, Any]) -> Script:
    """A document that is only filled in once its server has an address."""

    async def script(writer: Any) -> None:
        await answers(json.dumps(document).encode())(writer)

    return script


async def ask(time: TurnableClock, certificate: SelfSigned, url: str, token: str) -> Exchange:
    issuer = Issuer(url=url, audience=API, ca_file=certificate.file)
    app = create_api(ResourceServer(issuer, clock=time.clock, observers=()))
    return await Exchange(app, "GET", "/api/v1/me", headers=[("authorization", f"Bearer {token}")]).run()


async def test_the_keys_of_an_https_issuer_are_fetched_by_https(
    time: TurnableClock, certificate: SelfSigned, loopback: ScriptedIssuer
) -> None:
    """T23, known pain 24: the positive control, by the CA file alone."""
    document: dict[str, Any] = {}
    async with serve(publishing(document), tls=certificate.tls) as served:
        url = served.url.removesuffix("/doc")
        document |= {"issuer": url, "jwks_uri": f"{url}/keys"} | loopback.mint.jwks()
        assert (await ask(time, certificate, url, loopback.token(iss=url))).status == 200
        assert served.connections == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_an_https_issuer_s_metadata_names_on_loopback_gets_no_connection(
    time: TurnableClock, certificate: SelfSigned, loopback: ScriptedIssuer, host: str
) -> None:
    """T23: a local user's server there would decide whose tokens are good."""
    document: dict[str, Any] = {}
    async with serve(publishing(document), tls=certificate.tls) as served:
        url = served.url.removesuffix("/doc")
        document |= {"issuer": url, "jwks_uri": f"{loopback.url}/keys".replace("127.0.0.1", host)}
        check_unavailable(await ask(time, certificate, url, loopback.token(iss=url)))
        assert loopback.connections == 0
        assert served.connections == 2, "both addresses of the metadata"


async def test_an_https_issuer_whose_certificate_is_not_trusted_is_503(
    time: TurnableClock, certificate: SelfSigned, loopback: ScriptedIssuer, tmp_path: Path
) -> None:
    """D26: whoever stands in the way decides nothing; it is no fault of the client's."""
    other = tmp_path / "other"
    other.mkdir()
    async with serve(answers(b"{}"), tls=certificate.tls) as served:
        url = served.url.removesuffix("/doc")
        check_unavailable(await ask(time, self_signed(other), url, loopback.token(iss=url)))
        assert served.requests == []
