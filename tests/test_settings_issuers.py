"""Several issuers, and the ways of a provider, as an operator writes them down."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.grants import Grants
from resource_server.issuers.issuer import Issuer
from resource_server.settings import Settings
from resource_server.settings.introspection_settings import IntrospectionSettings
from resource_server.settings.issuer_settings import IssuerSettings
from tests.configuring import GOOD, Configuration

API = "https://api.example.com"
OF_ITS_OWN_KIND = {"issuer", "preset", "proxy_file", *IntrospectionSettings.model_fields}
"""Settings that have no option of the same name."""
TWO = """
[[issuers]]
issuer = "https://id.example.com"
audience = "https://api.example.com"
grants = "everything"

[[issuers]]
issuer = "https://partner.example"
audience = ["https://api.example.com", "urn:api"]
leeway = 5
algorithms = ["ES256"]
grants = { scopes = ["orders:read"], roles = ["editor"] }
"""


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    return Configuration(monkeypatch, tmp_path)


@pytest.fixture
def sentence() -> Callable[[], str]:
    """What ends the start."""

    def load() -> str:
        with pytest.raises(ConfigurationError) as caught:
            Settings.load().resource_server()
        return str(caught.value)

    return load


def test_each_table_is_an_issuer(configuration: Configuration) -> None:
    """DESIGN §5: the same names in lower case, per issuer."""
    configuration.set(CONFIG=configuration.write(TWO))
    first, second = Settings.load().issuers_trusted()
    assert first == Issuer(url="https://id.example.com", audience=(API,), grants="everything")
    assert second == Issuer(
        url="https://partner.example",
        audience=(API, "urn:api"),
        leeway=5,
        algorithms=["ES256"],
        grants=Grants(scopes=["orders:read"], roles=["editor"]),
    )
    server = Settings.load().resource_server()
    assert server.issuers.names == ("https://id.example.com", "https://partner.example")


def test_tables_may_come_as_json_too(configuration: Configuration) -> None:
    """DESIGN §5: every TOML key is a variable."""
    configuration.set(ISSUERS='[{"issuer": "https://id.example.com", "audience": ["a"], "grants": "everything"}]')
    [issuer] = Settings.load().issuers_trusted()
    assert issuer == Issuer(url="https://id.example.com", audience=("a",), grants="everything")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"leeway = 5\n{TWO}",
            "RESOURCE_SERVER_LEEWAY is of no issuer where there are [[issuers]] tables: move it into one of them",
            id="beside-a-setting-for-one",
        ),
        pytest.param(
            TWO + 'audeince = "x"',
            "audeince of [[issuers]] table 2 is no setting: did you mean audience?",
            id="misspelt",
        ),
        pytest.param(
            TWO.replace("leeway = 5", "leeway = 61"),
            "leeway of [[issuers]] table 2 must be from 0 to 60 seconds",
            id="out-of-bounds",
        ),
        pytest.param(
            TWO.replace("leeway = 5", 'leeway = "x"'),
            "leeway of [[issuers]] table 2 is not understood (input should be a valid number, unable to parse string "
            "as a number): Seconds of clock difference that are forgiven, from 0 to 60.",
            id="no-number",
        ),
        pytest.param(
            TWO.replace("https://partner.example", "https://id.example.com"),
            "RESOURCE_SERVER_ISSUER is given twice: https://id.example.com",
            id="the-same-twice",
        ),
        pytest.param(
            TWO.replace('roles = ["editor"]', 'rolls = ["editor"]'),
            "grants of [[issuers]] table 2 is not understood (extra inputs are not permitted): What its word is good",
            id="misspelt-grant",
        ),
        pytest.param(
            TWO.replace("leeway = 5", 'preset = "keyclock"'),
            "preset of [[issuers]] table 2 must be one of ",
            id="no-such-preset",
        ),
    ],
)
def test_a_mistake_in_a_table_is_named_with_its_table(
    configuration: Configuration, sentence: Callable[[], str], text: str, expected: str
) -> None:
    """DESIGN §3: one sentence that names the setting and the cure."""
    configuration.set(CONFIG=configuration.write(text))
    assert sentence().startswith(expected)


def test_a_preset_stands_behind_what_is_not_set(configuration: Configuration) -> None:
    """A preset is data; what the operator sets wins, what he leaves is the provider's way."""
    configuration.set(ISSUER="https://id.example.com/realms/shop", AUDIENCE="api", PRESET="keycloak")
    [issuer] = Settings.load().issuers_trusted()
    assert issuer.roles_claim == ("realm_access", "roles")
    configuration.set(ROLES_CLAIM="roles")
    [issuer] = Settings.load().issuers_trusted()
    assert issuer.roles_claim == ("roles",)
    assert issuer.client_id_claim == "azp"


@pytest.mark.parametrize(
    ("name", "text", "option", "value"),
    [
        ("GRANTS", "everything", "grants", "everything"),
        ("GRANTS", '{"scopes": ["a"]}', "grants", Grants(scopes=["a"])),
        ("MARKERS", '[{"use": "access"}, {"a": ["b", "c"]}]', "markers", [{"use": ("access",)}, {"a": ("b", "c")}]),
        ("FOREIGN_MARKERS", '{"token_use": "id"}', "foreign_markers", {"token_use": ("id",)}),
        ("REQUIRED_CLAIMS", "[]", "required_claims", ()),
        ("REQUIRED_CLAIMS", "uti,jti", "required_claims", ("uti", "jti")),
        ("MAX_STALE", "60", "max_stale", 60.0),
        ("METADATA_URL", "https://10.0.0.1/m", "metadata_url", "https://10.0.0.1/m"),
        ("SCOPE_SHAPE", "array", "scope_shape", "array"),
        ("AUDIENCE_CLAIM", "client_id", "audience_claim", "client_id"),
        ("PROXY", "http://user:canary@proxy.example:3128", "proxy", "http://user:canary@proxy.example:3128"),
    ],
)  # fmt: skip
def test_a_variable_reaches_the_issuer(
    configuration: Configuration, name: str, text: str, option: str, value: Any
) -> None:
    """DESIGN §5: constructor argument = TOML key = variable."""
    configuration.set(**GOOD | {name: text})
    [issuer] = Settings.load().issuers_trusted()
    held = getattr(issuer, option)
    assert (list(held) if isinstance(value, list) else held) == value


def test_every_option_of_an_issuer_is_a_setting() -> None:
    """DESIGN §5: nothing can be said in a program alone."""
    options = {name for name in Issuer.__dataclass_fields__ if Issuer.__dataclass_fields__[name].init}
    assert options - {"url", "introspection"} == set(IssuerSettings.model_fields) - OF_ITS_OWN_KIND


def test_the_defaults_are_those_of_the_issuer(configuration: Configuration) -> None:
    """What is shown as a default is what holds."""
    configuration.set(**GOOD)
    settings = Settings.load()
    [issuer] = settings.issuers_trusted()
    differing = {
        name
        for name in set(IssuerSettings.model_fields) - OF_ITS_OWN_KIND
        if getattr(settings, name) != getattr(issuer, name)
    }
    assert differing == {"roles_claim", "groups_claim", "entitlements_claim"}, "which the issuer makes paths of"


def test_a_proxy_s_credentials_are_shown_nowhere(configuration: Configuration) -> None:
    """T37."""
    configuration.set(**GOOD, PROXY="http://user:canary@proxy.example:3128")
    settings = Settings.load()
    texts = [
        repr(settings),
        settings.model_dump_json(),
        repr(settings.issuers_trusted()),
        repr(settings.resource_server()),
    ]
    assert not any("canary" in text for text in texts)


def test_a_proxy_may_come_from_a_file(configuration: Configuration, sentence: Callable[[], str]) -> None:
    """T37: secrets also from files; two are a contradiction, and neither is quoted."""
    configuration.set(**GOOD, PROXY_FILE=configuration.write("http://user:canary@proxy.example:3128\n"))
    [issuer] = Settings.load().issuers_trusted()
    assert issuer.proxy == "http://user:canary@proxy.example:3128"
    configuration.set(PROXY="http://canary.example")
    assert sentence() == "RESOURCE_SERVER_PROXY_FILE contradicts RESOURCE_SERVER_PROXY: set one of them"


@pytest.mark.parametrize("proxy", ["proxy.example:3128", "socks5://x", "http://", "http://canary:pass@host:port"])
def test_a_proxy_that_is_none_ends_the_start_unquoted(
    configuration: Configuration, sentence: Callable[[], str], proxy: str
) -> None:
    """T37."""
    configuration.set(**GOOD, PROXY=proxy)
    expected = "RESOURCE_SERVER_PROXY must be the URL of an HTTP proxy, as in http://proxy.example.com:3128"
    assert sentence() == expected


@pytest.mark.parametrize("name", ["CA_FILE", "PROXY_FILE", "JWKS_FILE"])
def test_files_that_others_may_write_end_the_start(
    configuration: Configuration, sentence: Callable[[], str], name: str
) -> None:
    """T37: who writes the certificates decides whose keys are taken."""
    path = configuration.write("x", mode=0o666)
    configuration.set(**GOOD, **{name: path})
    assert sentence() == f"RESOURCE_SERVER_{name} names a file that others may write: run chmod go-w {path!r}"


def test_a_ca_file_without_certificates_ends_the_start(
    configuration: Configuration, sentence: Callable[[], str]
) -> None:
    """DESIGN §5."""
    configuration.set(**GOOD, CA_FILE=configuration.write("no certificate"))
    assert sentence().startswith("RESOURCE_SERVER_CA_FILE can't be used (SSLError): give a file of certificates in PEM")


def test_dev_starts_beside_no_table_of_issuers(configuration: Configuration) -> None:
    """T34: it brings its own issuer."""
    from resource_server.dev import _check_private

    configuration.set(CONFIG=configuration.write(TWO))
    with pytest.raises(ConfigurationError, match="RESOURCE_SERVER_ISSUERS is set, but dev brings its own issuer"):
        _check_private(Settings.load())


def test_a_loopback_issuer_in_a_table_counts_where_others_reach_the_server(configuration: Configuration) -> None:
    """T23."""
    configuration.set(CONFIG=configuration.write(TWO.replace("https://partner.example", "http://127.0.0.1:9000")))
    with pytest.raises(ConfigurationError, match="is on loopback while the server listens on 0"):
        Settings.load().check_bind("0.0.0.0")
