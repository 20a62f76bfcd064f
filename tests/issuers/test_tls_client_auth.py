"""``tls_client_auth`` (RFC 8705 §2) over a real handshake: a server that demands a client's certificate."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from resource_server import Refusal
from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.client_authentication import TlsClient
from tests.issuers.asked import TOKEN, asking, endpoint, says


@dataclass
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that lives in a test's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority {folder.name}")])
        self.file = folder / "authority.pem"
        certificate = self._sign(self._name, self._key, ca=True)
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def issue(self, name: str, encryption: KeySerializationEncryption | None = None) -> Pair:
        """Make a certificate for 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, ca=False)
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
        return pair

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def demanding(authority: Authority) -> ssl.SSLContext:
    """A server's side: without a certificate of the authority there is no connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.issue("server")
    context.load_cert_chain(pair.certificate, pair.key)
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_of(pair: Pair, client_id: str = "api") -> TlsClient:
    return TlsClient(client_id, pair.certificate, pair.key)


async def test_the_certificate_proves_who_asks_and_the_form_says_it(authority: Authority) -> None:
    """RFC 8705 §2: client_id in the form, and no secret anywhere."""
    async with endpoint(says(), tls=demanding(authority)) as address:
        asks = asking(address.url, client=client_of(authority.issue("api")), ca_file=authority.file)
        for _ in range(3):
            assert await asks.ask(TOKEN) is not None
        await asks.aclose()
    assert address.connections == 1
    [certificate] = address.certificates
    assert isinstance(certificate, dict)
    assert certificate["subject"] == ((("commonName", "api"),),)
    assert address.requests[0].form == {"token": TOKEN, "token_type_hint": "access_token", "client_id": "api"}
    assert "authorization" not in address.requests[0].headers


async def test_without_a_certificate_of_the_authority_nobody_is_let_in(authority: Authority, tmp_path: Path) -> None:
    """The control of the one above: it is the certificate that opens."""
    folder = tmp_path / "other"
    folder.mkdir()
    stranger = Authority(folder).issue("api")
    async with endpoint(says(), tls=demanding(authority)) as address:
        asks = asking(address.url, client=client_of(stranger), ca_file=authority.file)
        with pytest.raises(Refusal):
            await asks.ask(TOKEN)
        await asks.aclose()
        without = asking(address.url, ca_file=authority.file)
        with pytest.raises(Refusal):
            await without.ask(TOKEN)
        await without.aclose()
    assert address.requests == []


async def test_a_server_whose_certificate_nobody_vouches_for_sees_no_token(
    authority: Authority, tmp_path: Path
) -> None:
    """RS-8414-2-a: neither the token nor our credential leaves before the server has proved who it is."""
    folder = tmp_path / "other"
    folder.mkdir()
    trusted = Authority(folder)
    async with endpoint(says(), tls=demanding(authority)) as address:
        for ca_file in (trusted.file, None):
            asks = asking(address.url, client=client_of(authority.issue("api")), ca_file=ca_file)
            with pytest.raises(Refusal, match="ConnectError"):
                await asks.ask(TOKEN)
            await asks.aclose()
    assert address.requests == []


@pytest.mark.parametrize("fault", ["missing", "no-pem", "another-key", "encrypted", "exchanged"])
def test_a_certificate_that_can_t_be_used_ends_the_start(
    authority: Authority, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """DESIGN §3: in a sentence that names the setting; a key with a passphrase asks nobody for it."""
    pair = authority.issue("api", BestAvailableEncryption(b"passphrase") if fault == "encrypted" else None)
    if fault == "missing":
        pair.key.unlink()
    elif fault == "no-pem":
        pair.certificate.write_text("nonsense")
    elif fault == "another-key":
        pair = Pair(pair.certificate, authority.issue("another").key)
    elif fault == "exchanged":
        pair = Pair(pair.key, pair.certificate)
    with pytest.raises(ConfigurationError) as caught:
        asking("https://id.example.com/introspect", client=client_of(pair))
    assert str(caught.value).startswith("client_certificate_file can't be used with its key (")
    assert str(caught.value).endswith("): give both in PEM, the key without a passphrase")
    assert capfd.readouterr() == ("", "")


def test_certificates_to_trust_that_are_none_end_the_start(tmp_path: Path) -> None:
    """DESIGN §3."""
    file = tmp_path / "ca.pem"
    file.write_text("nonsense")
    with pytest.raises(ConfigurationError, match=r"ca_file can't be used"):
        asking("https://id.example.com/introspect", ca_file=file)
