from typing import Any

import pytest

from resource_server.issuers.discovery import discover, metadata_urls
from resource_server.issuers.fetch import Fetched, FetchError
from resource_server.issuers.issuer import Issuer

URL = "https://id.example.com"
OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"
KEYS = "https://id.example.com/keys"


class Web:
    """A scripted fetch: documents by address; any other address answers 404."""

    def __init__(self, **documents: Any) -> None:
        self.documents = documents
        self.asked: list[str] = []

    async def __call__(self, url: str) -> Fetched:
        self.asked.append(url)
        if url not in self.documents:
            raise FetchError(f"{url}: status 404")
        return Fetched(self.documents[url])


def issuer(url: str = URL) -> Issuer:
    return Issuer(url=url, audience="https://api.example.com")


@pytest.mark.parametrize(
    ("url", "openid", "oauth"),
    [
        (URL, URL + OPENID, URL + OAUTH),
        (URL + "/", URL + OPENID, URL + OAUTH),
        (URL + "/realms/a", URL + "/realms/a" + OPENID, URL + OAUTH + "/realms/a"),
        (URL + "/realms/a/", URL + "/realms/a" + OPENID, URL + OAUTH + "/realms/a"),
        (URL + ":8443/t", URL + ":8443/t" + OPENID, URL + ":8443" + OAUTH + "/t"),
        ("http://[::1]:9000", "http://[::1]:9000" + OPENID, "http://[::1]:9000" + OAUTH),
    ],
)
def test_openid_appends_its_path_and_rfc_8414_inserts_it(url: str, openid: str, oauth: str) -> None:
    """RS-OIDD-4.1-a, RS-8414-3-a."""
    assert metadata_urls(url) == (openid, oauth)


async def test_openid_metadata_is_asked_first_and_alone_if_it_answers() -> None:
    """RS-9068-4-h: one document is used, so two cannot disagree."""
    web = Web(**{URL + OPENID: {"issuer": URL, "jwks_uri": KEYS}})
    assert (await discover(issuer(), web)).jwks_uri == KEYS
    assert web.asked == [URL + OPENID]


async def test_rfc_8414_metadata_is_asked_second() -> None:
    """RS-8414-3-a."""
    web = Web(**{URL + OAUTH: {"issuer": URL, "jwks_uri": KEYS}})
    assert (await discover(issuer(), web)).jwks_uri == KEYS
    assert web.asked == [URL + OPENID, URL + OAUTH]


@pytest.mark.parametrize(
    "named",
    [
        URL + "/",
        "https://ID.example.com",
        "http://id.example.com",
        URL + ":443",
        "https://evil.example",
        None,
        1,
        [URL],
    ],
    ids=ascii,
)
async def test_metadata_that_calls_itself_by_another_name_is_not_used(named: object) -> None:
    """RS-8414-3.3-a, RS-OIDD-4.1-a: exact match, at both addresses."""
    document = {"issuer": named, "jwks_uri": KEYS}
    with pytest.raises(FetchError) as caught:
        await discover(issuer(), Web(**{URL + OPENID: document, URL + OAUTH: document}))
    assert str(caught.value) == (
        f"{URL}{OPENID}: the document's issuer is not {URL}; {URL}{OAUTH}: the document's issuer is not {URL}"
    )


async def test_metadata_without_issuer_is_not_used() -> None:
    """RFC 8414 §2: issuer is required."""
    with pytest.raises(FetchError):
        await discover(issuer(), Web(**{URL + OPENID: {"jwks_uri": KEYS}}))


@pytest.mark.parametrize(
    "jwks_uri",
    [
        None, 1, ["https://id.example.com/keys"], "", "/keys", "http://id.example.com/keys", "http://127.0.0.1/keys",
        "http://localhost:9000/keys", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd",
        "https://user:secret@id.example.com/keys", "https://id.example.com/keys#x", "https://[::1", "https://a b/keys",
    ],
    ids=ascii,
)  # fmt: skip
async def test_the_jwks_uri_of_an_https_issuer_must_be_a_plain_https_url(jwks_uri: object) -> None:
    """T23, RS-8414-2-a: what an https issuer's metadata names is https."""
    with pytest.raises(FetchError) as caught:
        await discover(issuer(), Web(**{URL + OPENID: {"issuer": URL, "jwks_uri": jwks_uri}}))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("jwks_uri", ["http://127.0.0.1:9000/keys", "http://localhost:9000/keys", KEYS])
async def test_a_loopback_issuer_may_name_loopback_or_https(jwks_uri: str) -> None:
    """T23: the configured issuer itself is on loopback."""
    url = "http://localhost:9000"
    web = Web(**{url + OPENID: {"issuer": url, "jwks_uri": jwks_uri}})
    assert (await discover(issuer(url), web)).jwks_uri == jwks_uri


async def test_a_loopback_issuer_may_not_name_plain_http_elsewhere() -> None:
    """T23."""
    url = "http://localhost:9000"
    web = Web(**{url + OPENID: {"issuer": url, "jwks_uri": "http://id.example.com/keys"}})
    with pytest.raises(FetchError):
        await discover(issuer(url), web)
