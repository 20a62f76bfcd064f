"""What `serve` is configured by: the environment and a TOML file, strictly."""

from pathlib import Path
from typing import Any

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.settings import Settings
from tests.configuring import GOOD, Configuration


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    return Configuration(monkeypatch, tmp_path)


def test_every_default_is_the_strict_one(configuration: Configuration) -> None:
    """DESIGN §5: a table of all settings."""
    configuration.set(**GOOD)
    assert Settings.load().model_dump() == {
        "config": None,
        "issuers": (),
        "issuer": "https://id.example.com",
        "audience": ("https://api.example.com",),
        "preset": "rfc9068",
        "metadata_url": None,
        "jwks_uri": None,
        "jwks_file": None,
        "ca_file": None,
        "proxy": None,
        "proxy_file": None,
        "max_stale": 43_200.0,
        "token_format": "auto",
        "introspection_endpoint": None,
        "client_id": "",
        "client_secret": None,
        "client_secret_file": None,
        "client_auth_method": "client_secret_basic",
        "client_key_file": None,
        "client_certificate_file": None,
        "client_certificate_key_file": None,
        "introspection_ttl": 30.0,
        "introspection_may_omit": (),
        "introspection_signed": False,
        "introspect_jwt_every": None,
        "token_prefix": "",
        "grants": None,
        "accept_typ": ("at+jwt",),
        "markers": (),
        "foreign_markers": {},
        "audience_is_no_client_id": False,
        "audience_claim": "aud",
        "client_id_claim": "client_id",
        "required_claims": ("jti",),
        "scope_shape": "text",
        "roles_shape": "names",
        "tenants": (),
        "tenant_claim": "tid",
        "allow_any_tenant_of_the_world": False,
        "algorithms": ("RS256", "PS256", "ES256", "Ed25519", "EdDSA"),
        "leeway": 30.0,
        "scope_claim": "scope",
        "roles_claim": "roles",
        "groups_claim": "groups",
        "entitlements_claim": "entitlements",
        "memory": 64 * 1024 * 1024,
        "workers": 1,
        "realm": "api",
        "resource": None,
        "trusted_proxies": (),
        "forwarding": "x-forwarded",
        "cors_origins": (),
        "require_https": False,
        "failed_authentications": None,
        "disclose_requirements": True,
        "docs": False,
        "docs_client_id": "",
        "docs_scopes": (),
        "docs_parameters": {},
        "docs_authorization_endpoint": None,
        "docs_token_endpoint": None,
        "redis_url": None,
        "store_key": None,
        "store_key_file": None,
        "audit": True,
        "audit_key": None,
        "audit_key_file": None,
        "allow_loopback_issuer": False,
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        pytest.param("AUDIENCE", "https://api.example.com", ("https://api.example.com",), id="one name"),
        pytest.param("AUDIENCE", "a, b ,c", ("a", "b", "c"), id="commas"),
        pytest.param("AUDIENCE", '["a,b", "c"]', ("a,b", "c"), id="JSON, with a comma inside"),
        pytest.param("ALGORITHMS", "ES256,Ed25519", ("ES256", "Ed25519"), id="algorithms"),
        pytest.param("ALGORITHMS", "", ("RS256", "PS256", "ES256", "Ed25519", "EdDSA"), id="empty is not set"),
        pytest.param("TRUSTED_PROXIES", "10.0.0.0/8,::1", ("10.0.0.0/8", "::1"), id="networks"),
        pytest.param("ROLES_CLAIM", "https://example.com/roles", "https://example.com/roles", id="a claim's name"),
        pytest.param("ROLES_CLAIM", "a.b,c", "a.b,c", id="a name with a dot and a comma"),
        pytest.param("ROLES_CLAIM", '["realm_access", "roles"]', ("realm_access", "roles"), id="a path"),
        pytest.param("LEEWAY", "60", 60.0, id="leeway at its bound"),
        pytest.param("LEEWAY", "0", 0.0, id="no leeway"),
        pytest.param("WORKERS", "4", 4, id="a whole number"),
        pytest.param("FAILED_AUTHENTICATIONS", "20/1m", "20/1m", id="a rate"),
        pytest.param("DOCS", "true", True, id="a truth value"),
        pytest.param("AUDIT", "0", False, id="a truth value as a digit"),
        pytest.param("JWKS_FILE", "/keys.json", Path("/keys.json"), id="a path to a file"),
    ],
)
def test_a_variable_is_read(configuration: Configuration, name: str, text: str, value: object) -> None:
    """DESIGN §5: JSON or comma list."""
    configuration.set(**GOOD | {name: text})
    assert getattr(Settings.load(), name.lower()) == value


def test_the_toml_file_has_the_same_names_in_lower_case(configuration: Configuration) -> None:
    """DESIGN §5."""
    text = """
        issuer = "https://id.example.com"
        audience = ["https://api.example.com", "urn:api"]
        algorithms = ["ES256"]
        leeway = 5
        roles_claim = ["realm_access", "roles"]
        docs = true
    """
    configuration.set(CONFIG=configuration.write(text))
    settings = Settings.load()
    assert settings.issuer == "https://id.example.com"
    assert settings.audience == ("https://api.example.com", "urn:api")
    assert settings.algorithms == ("ES256",)
    assert settings.leeway == 5.0
    assert settings.roles_claim == ("realm_access", "roles")
    assert settings.docs is True


def test_the_environment_wins_over_the_toml_file(configuration: Configuration) -> None:
    """DESIGN §5: an operator overrides one line without editing the file."""
    configuration.set(
        CONFIG=configuration.write('issuer = "https://one.example.com"\naudience = "a"'),
        ISSUER="https://two.example.com",
    )
    settings = Settings.load()
    assert settings.issuer == "https://two.example.com"
    assert settings.audience == ("a",)


def test_a_dotenv_file_is_not_read(
    configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may write into the working directory must not decide who is let in."""
    configuration.write("RESOURCE_SERVER_ISSUER=https://evil.example.com", name=".env")
    monkeypatch.chdir(tmp_path)
    configuration.set(AUDIENCE="a")
    assert Settings.load().issuer == ""


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        pytest.param(
            "RESOURCE_SERVER_ISSUR",
            "RESOURCE_SERVER_ISSUR is no setting: did you mean RESOURCE_SERVER_ISSUER?",
            id="misspelt",
        ),
        pytest.param(
            "RESOURCE_SERVER_AUDIENCES",
            "RESOURCE_SERVER_AUDIENCES is no setting: did you mean RESOURCE_SERVER_AUDIENCE?",
            id="plural",
        ),
        pytest.param(
            "resource_server_config",
            "resource_server_config is no setting: did you mean RESOURCE_SERVER_CONFIG?",
            id="lower case, which only some readers would read",
        ),
        pytest.param(
            "RESOURCE_SERVER_ZZZ",
            "RESOURCE_SERVER_ZZZ is no setting: see docs/settings.md for those that are, and remove it",
            id="like nothing",
        ),
    ],
)
def test_a_variable_that_is_no_setting_is_refused(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch, variable: str, sentence: str
) -> None:
    """DESIGN §5: a misspelt option must not go unnoticed."""
    configuration.set(**GOOD)
    monkeypatch.setenv(variable, "x")
    with pytest.raises(ConfigurationError) as refused:
        Settings.load()
    assert str(refused.value) == sentence


def test_variables_of_others_are_no_business_of_ours(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration.set(**GOOD)
    monkeypatch.setenv("RESOURCE_SERVERS", "x")
    monkeypatch.setenv("ISSUER", "https://evil.example.com")
    assert Settings.load().issuer == "https://id.example.com"


def test_a_misspelt_toml_key_is_refused(configuration: Configuration) -> None:
    """DESIGN §5, for the file."""
    configuration.set(**GOOD, CONFIG=configuration.write("leway = 5"))
    with pytest.raises(ConfigurationError) as refused:
        Settings.load()
    sentence = "leway in the file that RESOURCE_SERVER_CONFIG names is no setting: did you mean leeway?"
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("issuer = ", id="cut off"),
        pytest.param("leeway = 1\nleeway = 2\n", id="a key twice"),
        pytest.param(b"issuer = '\xff'", id="no UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_refused(configuration: Configuration, text: str | bytes) -> None:
    """DESIGN §5: one sentence; its end is the parser's."""
    configuration.set(CONFIG=configuration.write(text))
    with pytest.raises(ConfigurationError) as refused:
        Settings.load()
    assert str(refused.value).startswith("RESOURCE_SERVER_CONFIG names a file that is no TOML: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param(
            {"LEEWAY": "abc"},
            "RESOURCE_SERVER_LEEWAY is not understood (input should be a valid number, unable to parse string as a"
            " number): Seconds of clock difference that are forgiven, from 0 to 60.",
            id="no number",
        ),
        pytest.param(
            {"ALGORITHMS": '["RS256"'},
            "RESOURCE_SERVER_ALGORITHMS is not understood (value error, expecting ',' delimiter: line 1 column 9"
            " (char 8)): The signature algorithms that are accepted.",
            id="broken JSON",
        ),
        pytest.param(
            {"AUDIENCE": "[1]"},
            "RESOURCE_SERVER_AUDIENCE is not understood (input should be a valid string): This API's identifier, or"
            " several: what tokens must name in aud.",
            id="numbers for names",
        ),
        pytest.param(
            {"DOCS": "perhaps"},
            "RESOURCE_SERVER_DOCS is not understood (input should be a valid boolean, unable to interpret input):"
            " Serve /docs and /openapi.json.",
            id="neither yes nor no",
        ),
        pytest.param(
            {"MEMORY": "-1"},
            "RESOURCE_SERVER_MEMORY is not understood (input should be greater than or equal to 0): Bytes of verified"
            " tokens that are remembered.",
            id="less than nothing",
        ),
    ],
)
def test_a_value_that_is_not_understood_is_refused_without_quoting_it(
    configuration: Configuration, values: dict[str, str], sentence: str
) -> None:
    """T37: a value may be a secret in the wrong place."""
    configuration.set(**GOOD | values)
    with pytest.raises(ConfigurationError) as refused:
        Settings.load()
    assert str(refused.value) == sentence


def test_settings_cannot_be_changed(configuration: Configuration) -> None:
    """T38: configuration is read once; a change is a new process."""
    configuration.set(**GOOD)
    settings: Any = Settings.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.issuer = "https://evil.example.com"
