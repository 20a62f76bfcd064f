"""Certificates on the way to an issuer: which are believed, and what the operator reads of those that are not."""

from pathlib import Path

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.fetch import FetchError, HttpFetch
from tests.issuers.certificates import self_signed
from tests.issuers.loopback import answers, serve

GOOD = b'{"keys": []}'


async def refusal(url: str, fetch: HttpFetch) -> str:
    with pytest.raises(FetchError) as caught:
        await fetch(url)
    return str(caught.value).removeprefix(f"{url}: ")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """For two authorities that know nothing of each other."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    return one, other


async def test_an_authority_of_one_s_own_is_trusted_by_its_file(tmp_path: Path) -> None:
    """Known pain 24: a company's CA; more than once, as its certificates are read once."""
    certificate = self_signed(tmp_path)
    async with serve(answers(GOOD), tls=certificate.tls) as served:
        fetch = HttpFetch(ca_file=certificate.file)
        for _ in range(3):
            assert (await fetch(served.url)).document == {"keys": []}
        assert served.url.startswith("https://")


async def test_a_file_of_authorities_stands_in_the_place_of_all_others(folders: tuple[Path, Path]) -> None:
    """Known pain 24: what is trusted *instead*; a certificate of another authority is refused, with the reason."""
    ours, theirs = (self_signed(folder) for folder in folders)
    async with serve(answers(GOOD), tls=theirs.tls) as served:
        assert await refusal(served.url, HttpFetch(ca_file=ours.file)) == "ConnectError: self-signed certificate"
        assert served.requests == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({"days": -1.0}, "certificate has expired", id="expired"),
        pytest.param({"address": "127.0.0.2"}, "IP address mismatch, certificate is not valid for", id="another-host"),
    ],
)
async def test_a_failure_names_what_is_wrong_with_the_certificate(
    tmp_path: Path, options: dict[str, float | str], reason: str
) -> None:
    """Known pain 9: an operator has to know whether to add an authority, to renew, or to correct a name."""
    certificate = self_signed(tmp_path, **options)  # type: ignore[arg-type]
    async with serve(answers(GOOD), tls=certificate.tls) as served:
        said = await refusal(served.url, HttpFetch(ca_file=certificate.file))
        assert said.startswith(f"ConnectError: {reason}")
        assert served.requests == []


async def test_the_environment_is_not_asked_for_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design §3: who may set a variable may not choose whose keys are believed."""
    certificate = self_signed(tmp_path)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(certificate.file))
    async with serve(answers(GOOD), tls=certificate.tls) as served:
        assert await refusal(served.url, HttpFetch()) == "ConnectError: self-signed certificate"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(None, "FileNotFoundError", id="missing"),
        pytest.param(b"", "SSLError", id="empty"),
        pytest.param(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "SSLError", id="no-pem"),
        pytest.param(b"\x30\x82\x01\x0a", "SSLError", id="der"),
    ],
)
def test_a_file_that_holds_no_authority_ends_the_start(tmp_path: Path, content: bytes | None, why: str) -> None:
    """Design §5: one sentence; or else every fetch would fail for a reason that nobody finds."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        HttpFetch(ca_file=file)
    assert str(caught.value) == f"ca_file can't be used ({why}): give a file of certificates in PEM: {str(file)!r}"
