import dataclasses
from pathlib import Path
from typing import Any

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.urls import is_loopback_host

URL = "https://id.example.com"
API = "https://api.example.com"


def issuer_of(**options: Any) -> Issuer:
    return Issuer(**({"url": URL, "audience": API} | options))


def option_refused(**options: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        issuer_of(**options)
    return caught.value


def test_the_defaults_are_strict() -> None:
    """Design §3: the zero value is strict."""
    issuer = Issuer(url=URL, audience=API)
    assert issuer.audiences == {API}
    assert issuer.algorithms == ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
    assert issuer.leeway == 30.0
    assert (issuer.jwks_uri, issuer.jwks_file) == (None, None)
    assert (issuer.scope_claim, issuer.roles_claim) == ("scope", ("roles",))
    assert not issuer.is_loopback


def test_its_identifier_may_come_first_as_that_of_a_resource_server_does() -> None:
    """DESIGN §4: ``Issuer(url, audience=…)``; all else has a name, or two texts could be mistaken for each other."""
    assert Issuer("https://id.example.com", audience="x") == Issuer(url="https://id.example.com", audience="x")
    with pytest.raises(TypeError):
        Issuer("https://id.example.com", "x")  # type: ignore[call-arg]


def test_an_issuer_is_frozen() -> None:
    """T38: configuration is read once."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Issuer(url=URL, audience=API).url = "https://evil.example"  # type: ignore[misc]


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example.com",
        "https://id.example.com/",
        "https://id.example.com/realms/main",
        "https://id.example.com:8443",
        "http://localhost:9000",
        "http://127.0.0.1:9000/realm",
        "http://127.9.9.9",
        "http://[::1]:9000",
    ],
)
def test_an_issuer_is_https_or_on_loopback_and_kept_to_the_letter(url: str) -> None:
    """RS-9068-4-c, T23: nothing is normalised, not even a trailing slash."""
    assert Issuer(url=url, audience=API).url == url


@pytest.mark.parametrize(
    "url",
    [
        "", "id.example.com", "//id.example.com", "https://", "https:///path", "https:id.example.com", "ftp://id.example.com",
        "file:///etc/passwd", "http://id.example.com", "http://10.0.0.1", "http://169.254.169.254", "http://0.0.0.0:9000",
        "http://localhost.example.com", "http://localhost.", "http://notlocalhost", "http://127.0.0.1.example.com",
        "http://2130706433", "http://127.1", "http://[::]", "http://localhost@evil.example", "http://evil.example#localhost",
        "http://user@localhost", "https://user:secret@id.example.com", "https://@id.example.com", "https://id.example.com?x=1",
        "https://id.example.com?", "https://id.example.com#", "https://id.example.com#x", "https://id.example.com:port",
        "https://id.example.com:99999", "https://[::1", "https://id.example.com/ x", " https://id.example.com",
        "https://id.example.com\n", "https://id.exa\tmple.com", "https://id.example.com/\x00", "https://id.exämple.com",
    ],
    ids=ascii,
)  # fmt: skip
def test_any_other_issuer_is_refused(url: str) -> None:
    """T23, RS-8414-2-a: plain http for a loopback literal or exactly localhost alone; no user, query, fragment."""
    assert option_refused(url=url).option == "issuer"


def test_a_refused_url_is_not_quoted() -> None:
    """T37: it may hold a password."""
    assert "secret" not in str(option_refused(url="https://user:secret@id.example.com"))


@pytest.mark.parametrize("audience", ["", [], [""], [API, ""], [None], [1], [b"x"]], ids=repr)
def test_an_issuer_without_audience_is_refused(audience: object) -> None:
    """RS-8725-3.9-a, design §5: no audience, no start."""
    assert option_refused(audience=audience).option == "audience"


def test_several_audiences_are_a_set() -> None:
    """Ruling 13: additional audiences by an explicit list only, kept to the letter."""
    assert Issuer(url=URL, audience=[API, API + "/"]).audiences == {API, API + "/"}


@pytest.mark.parametrize("leeway", [0, 30, 60])
def test_a_leeway_of_up_to_60_seconds_is_accepted(leeway: float) -> None:
    """Ruling 40."""
    assert Issuer(url=URL, audience=API, leeway=leeway).leeway == leeway


@pytest.mark.parametrize("leeway", [-1, -0.001, 60.001, 61, float("inf"), float("nan")])
def test_any_other_leeway_is_refused(leeway: float) -> None:
    """Ruling 40, RS-7519-4.1.4-a: small, and a number."""
    assert str(option_refused(leeway=leeway)) == "leeway must be from 0 to 60 seconds"


@pytest.mark.parametrize("algorithms", [[], "RS256", ["none"], ["HS256"], ["RS256", "HS256"]], ids=repr)
def test_contradictory_algorithms_are_refused(algorithms: object) -> None:
    """RS-7518-3.1-a."""
    assert option_refused(algorithms=algorithms).option == "algorithms"


def test_the_keys_have_one_source() -> None:
    """Design §3: contradictory options fail at construction."""
    assert option_refused(jwks_uri=URL + "/keys", jwks_file=Path("keys.json")).option == "jwks_file"


@pytest.mark.parametrize("jwks_uri", ["https://keys.example.net/jwks?tenant=1", URL + "/keys"])
def test_keys_may_lie_on_another_https_host(jwks_uri: str) -> None:
    """RFC 8414 §2: a jwks_uri may have a query."""
    assert Issuer(url=URL, audience=API, jwks_uri=jwks_uri).jwks_uri == jwks_uri


@pytest.mark.parametrize(
    "jwks_uri", ["", "http://127.0.0.1/keys", "http://localhost/keys", "http://id.example.com/keys"]
)
def test_the_keys_of_an_https_issuer_are_https(jwks_uri: str) -> None:
    """T23: the exception for loopback holds only if the issuer itself is on loopback."""
    assert option_refused(jwks_uri=jwks_uri).option == "jwks_uri"


def test_the_keys_of_a_loopback_issuer_may_be_on_loopback() -> None:
    """T23."""
    issuer = Issuer(url="http://localhost:9000", audience=API, jwks_uri="http://127.0.0.1:9000/keys")
    assert issuer.is_loopback
    assert option_refused(url="http://localhost:9000", jwks_uri="http://keys.example.com").option == "jwks_uri"


@pytest.mark.parametrize("name", ["roles_claim", "groups_claim", "entitlements_claim"])
def test_a_claim_is_named_by_a_text_or_by_a_path(name: str) -> None:
    """Design §5."""
    assert getattr(issuer_of(**{name: "a"}), name) == ("a",)
    assert getattr(issuer_of(**{name: ["a", "b"]}), name) == ("a", "b")
    for wrong in ("", (), ("a", "")):
        assert option_refused(**{name: wrong}).option == name


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("LOCALHOST", False),
        ("localhost.localdomain", False),
        ("0.0.0.0", False),
        ("::", False),
        ("128.0.0.1", False),
        ("127.0.0.1 ", False),
        ("", False),
    ],
)
def test_loopback_is_a_literal_or_exactly_localhost(host: str, loopback: bool) -> None:
    """T23: no name server is asked."""
    assert is_loopback_host(host) is loopback
