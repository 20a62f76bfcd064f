import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.public import PublicPaths


@pytest.mark.parametrize(
    ("path", "public"),
    [
        pytest.param("/healthz", True, id="exact"),
        pytest.param("/healthz/", False, id="slash-at-the-end"),
        pytest.param("/healthzz", False, id="longer"),
        pytest.param("/health", False, id="shorter"),
        pytest.param("/Healthz", False, id="another-case"),
        pytest.param("//healthz", False, id="two-slashes"),
        pytest.param("/healthz\n", False, id="line-feed-at-the-end"),
        pytest.param("/%68ealthz", False, id="encoded-twice"),
        pytest.param("/", False, id="root"),
        pytest.param("", False, id="empty"),
        pytest.param("/static/", True, id="prefix-itself"),
        pytest.param("/static/app.js", True, id="below-the-prefix"),
        pytest.param("/static/a/b..c/.d", True, id="dots-within-names"),
        pytest.param("/static", False, id="prefix-without-its-slash"),
        pytest.param("/statically", False, id="prefix-of-a-longer-name"),
        pytest.param("/x/static/app.js", False, id="prefix-further-on"),
        pytest.param("/static/../orders", False, id="climbing"),
        pytest.param("/static/a/../../orders", False, id="climbing-from-below"),
        pytest.param("/static/..", False, id="climbing-at-the-end"),
        pytest.param("/static/./a", False, id="standing-still"),
        pytest.param("/static/%2e%2e/orders", True, id="what-only-a-second-decoding-would-climb"),
    ],
)
def test_path_is_public_to_the_letter(path: str, public: bool) -> None:
    """T4, known mistakes GHSA-pxq7-h93f-9jrg: no looseness by which a protected path passes for a public one."""
    assert PublicPaths(["/healthz", "/static/*"]).contains(path) is public


def test_climbing_path_is_public_only_by_its_exact_name() -> None:
    """The rule about dots is about prefixes."""
    assert PublicPaths(["/a/../b"]).contains("/a/../b") is True


@pytest.mark.parametrize("path", ["", "/", "/healthz", "/static/app.js"])
def test_nothing_is_public_by_default(path: str) -> None:
    """DESIGN §3: the zero value is strict."""
    assert PublicPaths().contains(path) is False


def test_exact_paths_alone_open_no_prefix() -> None:
    """A star elsewhere than after the last slash is a character like any other."""
    paths = PublicPaths(["/docs", "/a*", "/b/*c"])
    assert [paths.contains(path) for path in ("/docs", "/docs/x", "/a*", "/ab", "/b/xc")] == [
        True, False, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["healthz", "", "*", "https://api.example.com/healthz"])
def test_path_without_its_slash_ends_the_construction(path: str) -> None:
    """DESIGN §3: an option that could never match fails with a sentence."""
    with pytest.raises(ConfigurationError) as caught:
        PublicPaths(["/ok", path])
    assert str(caught.value) == f"public must hold paths that begin with a slash, unlike {path!r}"
