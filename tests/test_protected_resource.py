import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.protected_resource import check_resource, metadata, metadata_path, metadata_url


@pytest.mark.parametrize(
    ("resource", "path", "query"),
    [
        pytest.param("https://h.example", "", "", id="origin"),
        pytest.param("https://h.example/", "", "", id="origin-with-a-slash"),
        pytest.param("https://h.example/a/b", "/a/b", "", id="path"),
        pytest.param("https://h.example/a/", "/a/", "", id="path-with-a-slash"),
        pytest.param("https://h.example/a?b=c", "/a", "?b=c", id="query"),
        pytest.param("https://h.example/?b=c", "", "?b=c", id="query-of-the-origin"),
        pytest.param("https://h.example/%61", "/%61", "", id="as-written"),
    ],
)
def test_document_is_inserted_between_host_and_path(resource: str, path: str, query: str) -> None:
    """RS-9728-3-a, RS-9728-5.1-a: built from the configured identifier, never from a Host header."""
    assert metadata_path(resource) == f"/.well-known/oauth-protected-resource{path}"
    assert metadata_url(resource) == f"https://h.example/.well-known/oauth-protected-resource{path}{query}"


def test_document_is_at_the_port_of_the_identifier() -> None:
    """RS-9728-3-a."""
    url = "https://h.example:8443/.well-known/oauth-protected-resource/v1"
    assert metadata_url("https://h.example:8443/v1") == url


def test_document_holds_the_identifier_to_the_letter() -> None:
    """RS-9728-2-a, RS-8707-2-a: a URL class would add a slash."""
    document = metadata("https://api.example.com", ["https://id.example.com/"])
    assert document == {
        "resource": "https://api.example.com",
        "authorization_servers": ["https://id.example.com/"],
        "bearer_methods_supported": ["header"],
    }


def test_scopes_are_published_where_there_are_any() -> None:
    """RS-9728-2-b."""
    assert metadata("https://a.example", ["https://id.example"], ["b", "a"])["scopes_supported"] == ["a", "b"]


def test_what_has_no_value_is_left_out() -> None:
    """RS-9728-3.2-a: no [], null or ""."""
    document = metadata("https://a.example", [], [])
    assert document == {"resource": "https://a.example", "bearer_methods_supported": ["header"]}


@pytest.mark.parametrize(
    "resource",
    [
        "https://api.example.com",
        "https://api.example.com/",
        "https://API.Example.COM/v1",
        "HTTPS://api.example.com",
        "https://api.example.com:8443/a?b=c",
        "https://[2001:db8::1]/",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    ],
)
def test_absolute_https_identifier_is_accepted(resource: str) -> None:
    """RS-8707-2-a, RS-MCP-can-a; T23: http only for loopback."""
    check_resource(resource)


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("", id="empty"),
        pytest.param("api.example.com", id="no-scheme"),
        pytest.param("//api.example.com", id="scheme-relative"),
        pytest.param("/orders", id="path"),
        pytest.param("urn:example:api", id="urn"),
        pytest.param("https:///orders", id="no-host"),
        pytest.param("https://:443", id="port-alone"),
        pytest.param("http://api.example.com", id="http"),
        pytest.param("http://localhost.example.com", id="http-of-a-name-like-localhost"),
        pytest.param("http://127.0.0.2", id="http-of-another-loopback-address"),
        pytest.param("ftp://api.example.com", id="ftp"),
        pytest.param("https://api.example.com#x", id="fragment"),
        pytest.param("https://api.example.com#", id="empty-fragment"),
        pytest.param('https://api.example.com/"', id="quote"),
        pytest.param("https://api.example.com/\\", id="backslash"),
        pytest.param("https://api.example.com/a b", id="space"),
        pytest.param(" https://api.example.com", id="space-in-front"),
        pytest.param("https://api.example.com\n", id="line-feed-at-the-end"),
        pytest.param("https://api.\texample.com", id="tab-that-url-parsers-drop"),
        pytest.param("https://bücher.example", id="not-ascii"),
        pytest.param("https://[2001:db8::1", id="bracket-not-closed"),
        pytest.param("https://[nonsense]/", id="brackets-around-no-address"),
        pytest.param("https://api.example.com:port", id="port-of-no-number"),
        pytest.param("https://api.example.com:65536", id="port-too-large"),
    ],
)
def test_other_identifier_ends_the_construction_with_a_sentence(resource: str) -> None:
    """RS-9728-2-a, RS-8707-2-a, RS-6750-3-d: it stands in every challenge."""
    with pytest.raises(ConfigurationError) as caught:
        check_resource(resource)
    assert str(caught.value) == (
        "resource must be this API's https URL without a fragment: give it as https://api.example.com"
    )
