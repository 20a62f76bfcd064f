"""RFC 8414 and OpenID Connect Discovery: where an issuer's keys are."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from resource_server import ConfigurationError
from resource_server.issuers.fetch import Fetched, FetchError, HttpFetch
from resource_server.issuers.issuer import Issuer
from resource_server.testing import FakeIssuer
from tests.issuers.loopback import Script, answers, says, serve
from tests.rfc.checklist import requirement
from tests.rfc.probe import ORIGIN, Probe
from tests.turnable_clock import TurnableClock

TENANT = "https://id.example.com/tenant/a"
OPENID, OAUTH = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"


class Documents:
    """A network that holds these documents, and notes what was asked for."""

    def __init__(self, **documents: Any) -> None:
        self.documents = documents
        self.asked: list[str] = []

    async def __call__(self, url: str) -> Fetched:
        self.asked.append(url)
        if url not in self.documents:
            raise FetchError(f"{url}: status 404")
        return Fetched(self.documents[url])


@pytest.fixture
def tenant(time: TurnableClock) -> FakeIssuer:
    """An issuer whose identifier has a path."""
    return FakeIssuer(TENANT, now=lambda: time.wall)


@pytest.fixture
def probe(tenant: FakeIssuer, time: TurnableClock) -> Callable[[dict[str, Any]], Probe]:
    """Make an API in a network of these documents."""
    return lambda documents: Probe(tenant, time, bundled=False, options={"fetch": Documents(**documents)})


def metadata(issuer: str = TENANT, jwks_uri: str = "https://id.example.com/keys") -> dict[str, str]:
    return {"issuer": issuer, "jwks_uri": jwks_uri}


@requirement("RS-8414-3.3-a")
@pytest.mark.parametrize(
    "said", ["https://evil.example.com", TENANT + "/", TENANT.upper(), "https://id.example.com", "", None, [TENANT]]
)
@pytest.mark.parametrize("where", [TENANT + OPENID, "https://id.example.com" + OAUTH + "/tenant/a"])
async def test_rs_8414_3_3_a_metadata_under_another_name_is_not_used(
    probe: Callable[[dict[str, Any]], Probe], tenant: FakeIssuer, said: object, where: str
) -> None:
    """RFC 8414 §3.3: the tokens may be good, but nobody can tell."""
    keys = {"https://id.example.com/keys": tenant.mint.jwks()}
    await probe(keys | {where: metadata()}).control()
    api = probe(keys | {where: metadata() | {"issuer": said}})
    assert await api.status(api.token()) == 503


@requirement("RS-8414-3-a")
async def test_rs_8414_3_a_the_well_known_path_is_inserted(
    probe: Callable[[dict[str, Any]], Probe], tenant: FakeIssuer
) -> None:
    """RFC 8414 §3.1: between the host and the issuer's own path."""
    keys = {"https://id.example.com/keys": tenant.mint.jwks()}
    await probe(keys | {"https://id.example.com/.well-known/oauth-authorization-server/tenant/a": metadata()}).control()


@requirement("RS-8414-3-a")
async def test_rs_8414_3_a_a_slash_at_the_end_is_dropped(time: TurnableClock) -> None:
    """RFC 8414 §3.1."""
    issuer = FakeIssuer("https://id.example.com/", now=lambda: time.wall)
    documents = {
        "https://id.example.com/.well-known/oauth-authorization-server": metadata(issuer.url),
        "https://id.example.com/keys": issuer.mint.jwks(),
    }
    await Probe(issuer, time, bundled=False, options={"fetch": Documents(**documents)}).control()


@requirement("RS-OIDD-4.1-a")
@pytest.mark.parametrize("url", [TENANT, TENANT + "/", "https://id.example.com", "https://id.example.com/"])
async def test_rs_oidd_4_1_a_the_well_known_path_is_appended(time: TurnableClock, url: str) -> None:
    """OpenID Connect Discovery 1.0 §4.1: to the issuer, without its slash at the end; §4.3: the names are equal."""
    issuer = FakeIssuer(url, now=lambda: time.wall)
    where = url.rstrip("/") + "/.well-known/openid-configuration"
    documents = {where: metadata(url), "https://id.example.com/keys": issuer.mint.jwks()}
    await Probe(issuer, time, bundled=False, options={"fetch": Documents(**documents)}).control()
    documents[where] = metadata(url.rstrip("/") if url.endswith("/") else url + "/")
    other = Probe(issuer, time, bundled=False, options={"fetch": Documents(**documents)})
    assert await other.status(other.token()) == 503


@requirement("RS-9068-4-h")
async def test_rs_9068_4_h_two_metadata_documents_are_never_mixed(
    probe: Callable[[dict[str, Any]], Probe], tenant: FakeIssuer
) -> None:
    """RFC 9068 §4: they can't disagree, because where one is used the other one is not asked for."""
    other = FakeIssuer(TENANT, now=tenant.mint.clock)
    api = probe(
        {
            TENANT + OPENID: metadata(),
            "https://id.example.com" + OAUTH + "/tenant/a": metadata(jwks_uri="https://id.example.com/other-keys"),
            "https://id.example.com/keys": tenant.mint.jwks(),
            "https://id.example.com/other-keys": other.mint.jwks(),
        }
    )
    await api.control()
    assert await api.status(other.token(scope="orders:read")) == 401
    assert set(api.options["fetch"].asked) == {TENANT + OPENID, "https://id.example.com/keys"}


@requirement("RS-8414-2-a")
@pytest.mark.parametrize(
    "jwks_uri",
    [
        "http://id.example.com/keys",
        "http://127.0.0.1/keys",
        "http://localhost/keys",
        "file:///etc/passwd",
        "ftp://id.example.com/keys",
        "//id.example.com/keys",
        "/keys",
        "",
        None,
        ["https://id.example.com/keys"],
    ],
)
async def test_rs_8414_2_a_keys_are_fetched_by_https_alone(
    probe: Callable[[dict[str, Any]], Probe], tenant: FakeIssuer, jwks_uri: Any
) -> None:
    """RFC 8414 §2; T23: an https issuer's metadata can't lead to plain http, not even on loopback."""
    documents = {"https://id.example.com/keys": tenant.mint.jwks(), str(jwks_uri): tenant.mint.jwks()}
    await probe(documents | {TENANT + OPENID: metadata()}).control()
    api = probe(documents | {TENANT + OPENID: metadata(jwks_uri=jwks_uri)})
    assert await api.status(api.token()) == 503
    assert [url for url in api.options["fetch"].asked if not url.startswith("https://id.example.com/")] == []


@requirement("RS-8414-2-a")
@pytest.mark.parametrize("url", ["http://id.example.com/keys", "http://127.0.0.1:9000/keys", "file:///keys", "keys"])
def test_rs_8414_2_a_no_other_scheme_can_be_configured(url: str) -> None:
    """RFC 8414 §2: neither for the keys nor, off loopback, for the issuer."""
    with pytest.raises(ConfigurationError, match="https"):
        Issuer(url="https://id.example.com", audience=ORIGIN, jwks_uri=url)
    with pytest.raises(ConfigurationError, match="https"):
        Issuer(url="http://id.example.com", audience=ORIGIN)


def _redirecting(target: str) -> Script:
    return answers(b"", status="302 Found", headers=f"location: {target}\r\n")


async def _dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


@requirement("RS-8414-2-a")
@pytest.mark.parametrize("fault", ["redirect", "huge", "drip", "silence", "html"])
async def test_rs_8414_2_a_an_issuer_that_misbehaves_is_an_issuer_that_is_down(small: Probe, fault: str) -> None:
    """RFC 8414 §2, over real sockets: no redirect, a size, a time; the client's token is not to blame."""
    async with serve(answers(b'{"keys": []}')) as target:
        scripts: dict[str, Script] = {
            "redirect": _redirecting(target.url),
            "huge": answers(b'{"keys": [' + b" " * 10_000_000 + b"]}"),
            "drip": _dripping,
            "silence": lambda _writer: asyncio.sleep(3600),
            "html": says(b"HTTP/1.1 200 OK\r\n\r\n<!doctype html>"),
        }
        async with serve(scripts[fault]) as served:
            trust = {"url": served.url.removesuffix("/doc"), "jwks_uri": served.url}
            api = small.but(trust=trust, fetch=HttpFetch(within=0.3))
            response = await api.ask(token=api.token(iss=trust["url"]))
            assert (response.status_code, served.connections) == (503, 1)
        assert target.connections == 0


@requirement("RS-8414-2-a")
async def test_rs_8414_2_a_a_certificate_that_nobody_vouches_for_is_no_issuers(small: Probe, tmp_path: Path) -> None:
    """RFC 8414 §6.1, RFC 9525: TLS is validated."""
    async with _tls(tmp_path) as (port, connections):
        trust = {"url": "https://localhost", "jwks_uri": f"https://localhost:{port}/keys"}
        api = small.but(trust=trust, fetch=HttpFetch(within=2))
        response = await api.ask(token=api.token(iss="https://localhost"))
        assert response.status_code == 503
        assert connections == []


@asynccontextmanager
async def _tls(folder: Path) -> AsyncIterator[tuple[int, list[int]]]:
    """A server for localhost with a certificate of its own making; the list grows with each TLS session."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).add_extension(names, critical=False)
    now = datetime.now(UTC)
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    form = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path = folder / "localhost.pem"
    path.write_bytes(pem + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    connections: list[int] = []

    def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], connections
    finally:
        server.close()
        await server.wait_closed()
