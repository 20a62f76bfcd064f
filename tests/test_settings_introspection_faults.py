"""What is missing, or contradicts itself, in the settings by which an issuer is asked about its tokens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.settings import Settings
from tests.configuring import GOOD, Configuration
from tests.issuers.key_kinds import private_key
from tests.test_settings_introspection import ASKED, CANARY, without


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    return Configuration(monkeypatch, tmp_path)


@pytest.fixture
def sentence() -> Callable[[], str]:
    """What ends the start; no secret is in it."""

    def load() -> str:
        with pytest.raises(ConfigurationError) as caught:
            Settings.load().resource_server()
        assert CANARY not in f"{caught.value!r}"
        return str(caught.value)

    return load


USELESS = "is of no use without RESOURCE_SERVER_INTROSPECTION_ENDPOINT: set it, too"
P = "RESOURCE_SERVER_"
SENTENCES: list[Any] = [
    pytest.param(GOOD | {name: value}, f"{P}{name} {USELESS}", id=f"{name}-without-an-endpoint")
    for name, value in {
        "CLIENT_ID": "api",
        "CLIENT_SECRET": CANARY,
        "CLIENT_SECRET_FILE": "/secret",
        "CLIENT_AUTH_METHOD": "bearer",
        "CLIENT_KEY_FILE": "/key",
        "CLIENT_CERTIFICATE_FILE": "/c",
        "CLIENT_CERTIFICATE_KEY_FILE": "/k",
        "INTROSPECTION_TTL": "5",
        "INTROSPECTION_MAY_OMIT": "aud",
        "INTROSPECTION_SIGNED": "true",
        "INTROSPECT_JWT_EVERY": "5",
        "TOKEN_PREFIX": "a",
    }.items()
] + [
    pytest.param(
        GOOD | {"TOKEN_FORMAT": "introspection"},
        f"{P}TOKEN_FORMAT is introspection, but there is no introspection_endpoint",
        id="format-without-an-endpoint",
    ),
    pytest.param(
        ASKED | {"TOKEN_FORMAT": "jwt"},
        f"{P}TOKEN_FORMAT is jwt, so introspection_endpoint is of no use: leave one out",
        id="endpoint-for-jwts",
    ),
    pytest.param(ASKED | {"TOKEN_FORMAT": "x"}, f"{P}TOKEN_FORMAT must be auto, jwt or introspection", id="format"),
    pytest.param(
        ASKED | {"TOKEN_FORMAT": "introspection", "INTROSPECT_JWT_EVERY": "5"},
        f"{P}INTROSPECT_JWT_EVERY is of no use where all tokens are introspected",
        id="every-of-all",
    ),
    pytest.param(
        without("CLIENT_ID"),
        f"{P}CLIENT_ID is missing: name the client that this API is at the issuer",
        id="no-client",
    ),
    pytest.param(
        without("CLIENT_SECRET"),
        f"{P}CLIENT_SECRET is missing: {P}CLIENT_AUTH_METHOD needs it",
        id="no-secret",
    ),
    pytest.param(
        ASKED | {"CLIENT_SECRET_FILE": "/secret"},
        f"{P}CLIENT_SECRET_FILE contradicts {P}CLIENT_SECRET: set one of them",
        id="two-secrets",
    ),
    pytest.param(
        ASKED | {"CLIENT_AUTH_METHOD": "none"},
        f"{P}CLIENT_AUTH_METHOD must be one of client_secret_basic, client_secret_basic_raw, client_secret_post, "
        "client_secret_jwt, bearer, private_key_jwt, tls_client_auth",
        id="no-such-method",
    ),
    pytest.param(
        without("CLIENT_SECRET", CLIENT_AUTH_METHOD="private_key_jwt"),
        f"{P}CLIENT_KEY_FILE is missing: {P}CLIENT_AUTH_METHOD needs a private key",
        id="no-key",
    ),
    pytest.param(
        without("CLIENT_SECRET", CLIENT_AUTH_METHOD="tls_client_auth"),
        f"{P}CLIENT_CERTIFICATE_FILE is missing: tls_client_auth needs a certificate and its key",
        id="no-certificate",
    ),
    pytest.param(
        ASKED | {"CLIENT_AUTH_METHOD": "client_secret_jwt", "CLIENT_SECRET": "s" * 31},
        f"{P}CLIENT_SECRET must have at least 32 bytes to sign assertions with",
        id="short-secret",
    ),
    pytest.param(
        ASKED | {"INTROSPECTION_TTL": "-1"}, f"{P}INTROSPECTION_TTL must be from 0 to 600 seconds", id="ttl-negative"
    ),
    pytest.param(
        ASKED | {"INTROSPECTION_TTL": "600.5"}, f"{P}INTROSPECTION_TTL must be from 0 to 600 seconds", id="ttl-too-long"
    ),
    pytest.param(
        ASKED | {"INTROSPECTION_TTL": "nan"}, f"{P}INTROSPECTION_TTL must be from 0 to 600 seconds", id="ttl-nan"
    ),
    pytest.param(
        ASKED | {"INTROSPECT_JWT_EVERY": "601"}, f"{P}INTROSPECT_JWT_EVERY must be from 0 to 600 seconds", id="every"
    ),
    pytest.param(
        ASKED | {"INTROSPECTION_MAY_OMIT": "active"},
        f"{P}INTROSPECTION_MAY_OMIT must be a list of some of iss, sub, client_id, aud, exp, iat, token_type",
        id="active-may-not-be-omitted",
    ),
    pytest.param(
        ASKED | {"INTROSPECTION_MAY_OMIT": "token_type,aud"},
        f"{P}INTROSPECTION_MAY_OMIT names both aud and token_type, so refresh tokens would pass: demand one of them, "
        "or name in markers the values of a claim that tells access tokens of this issuer",
        id="nothing-tells-the-kind",
    ),
    pytest.param(
        ASKED | {"INTROSPECTION_ENDPOINT": "http://id.example.com/introspect"},
        f"{P}INTROSPECTION_ENDPOINT must be https (plain http is for a loopback issuer alone): give it as "
        "https://id.example.com",
        id="plain-http",
    ),
    pytest.param(
        ASKED | {"INTROSPECTION_ENDPOINT": "http://127.0.0.1/introspect"},
        f"{P}INTROSPECTION_ENDPOINT must be https (plain http is for a loopback issuer alone): give it as "
        "https://id.example.com",
        id="loopback-of-an-https-issuer",
    ),
    pytest.param(
        ASKED | {"INTROSPECTION_ENDPOINT": f"https://api:{CANARY}@id.example.com/"},
        f"{P}INTROSPECTION_ENDPOINT must be a plain URL without user, query and fragment: give it as "
        "https://id.example.com",
        id="user-in-the-url",
    ),
    pytest.param(
        GOOD | {"STORE_KEY": CANARY}, f"{P}STORE_KEY is of no use without {P}REDIS_URL: set it, too", id="key-alone"
    ),
    pytest.param(
        GOOD | {"STORE_KEY_FILE": "/key"},
        f"{P}STORE_KEY_FILE is of no use without {P}REDIS_URL: set it, too",
        id="key-file-alone",
    ),
    pytest.param(
        GOOD | {"REDIS_URL": "redis://127.0.0.1"},
        f"{P}STORE_KEY must be one or two keys of at least 32 random bytes",
        id="no-store-key",
    ),
    pytest.param(
        GOOD | {"REDIS_URL": "redis://127.0.0.1", "STORE_KEY": "k" * 31},
        f"{P}STORE_KEY must be one or two keys of at least 32 random bytes",
        id="short-store-key",
    ),
    pytest.param(
        GOOD | {"REDIS_URL": "redis://127.0.0.1", "STORE_KEY": CANARY, "STORE_KEY_FILE": "/key"},
        f"{P}STORE_KEY_FILE contradicts {P}STORE_KEY: set one of them",
        id="two-store-keys",
    ),
    pytest.param(
        GOOD | {"REDIS_URL": f"http://:{CANARY}@127.0.0.1", "STORE_KEY": CANARY},
        f"{P}REDIS_URL must be the URL of a Redis or Valkey server, as in redis://127.0.0.1:6379",
        id="no-store",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("variables", "expected"), SENTENCES)
def test_what_is_missing_or_contradicts_itself_ends_the_start(
    configuration: Configuration, sentence: Callable[[], str], variables: dict[str, str], expected: str
) -> None:
    """DESIGN §3: in one sentence that names the setting and the cure."""
    configuration.set(**variables)
    assert sentence() == expected


@pytest.mark.parametrize(
    ("method", "useless"),
    [
        ("client_secret_basic", "CLIENT_KEY_FILE"),
        ("client_secret_post", "CLIENT_CERTIFICATE_FILE"),
        ("bearer", "CLIENT_CERTIFICATE_KEY_FILE"),
        ("private_key_jwt", "CLIENT_SECRET"),
        ("private_key_jwt", "CLIENT_SECRET_FILE"),
        ("tls_client_auth", "CLIENT_SECRET"),
        ("tls_client_auth", "CLIENT_KEY_FILE"),
    ],
)
def test_a_credential_that_the_method_does_not_use_ends_the_start(
    configuration: Configuration, sentence: Callable[[], str], method: str, useless: str
) -> None:
    """DESIGN §3: who sets a private key and forgets the method would go on sending the secret."""
    needed = {"CLIENT_SECRET": CANARY} if method not in ("private_key_jwt", "tls_client_auth") else {}
    configuration.set(**without("CLIENT_SECRET", CLIENT_AUTH_METHOD=method) | needed, **{useless: CANARY})
    assert sentence() == (
        f"{P}{useless} is of no use with {P}CLIENT_AUTH_METHOD {method}: leave it out, or name its method"
    )


@pytest.mark.parametrize("setting", ["CLIENT_SECRET_FILE", "STORE_KEY_FILE"])
@pytest.mark.parametrize("fault", ["missing", "empty", "writable"])
def test_a_file_of_a_secret_that_is_none_ends_the_start(
    configuration: Configuration, sentence: Callable[[], str], setting: str, fault: str
) -> None:
    """T37: missing, empty, or written by others."""
    path = configuration.write("" if fault == "empty" else CANARY, mode=0o666 if fault == "writable" else 0o600)
    if fault == "missing":
        Path(path).unlink()
    configuration.set(**without("CLIENT_SECRET"), REDIS_URL="redis://127.0.0.1")
    configuration.set(**{"CLIENT_SECRET": CANARY} if setting == "STORE_KEY_FILE" else {"STORE_KEY": CANARY})
    configuration.set(**{setting: path})
    expected = {"missing": "can't be read", "empty": "empty file", "writable": "others may write"}[fault]
    assert sentence().startswith(f"{P}{setting} names a")
    assert expected in sentence()


@pytest.mark.parametrize("fault", ["missing", "writable", "nonsense", "public"])
def test_a_private_key_file_that_is_none_ends_the_start(
    configuration: Configuration, sentence: Callable[[], str], fault: str
) -> None:
    """T37."""
    content = CANARY.encode() if fault == "nonsense" else private_key("RSA").as_pem(private=fault != "public")
    path = configuration.write(content, mode=0o620 if fault == "writable" else 0o600)
    if fault == "missing":
        Path(path).unlink()
    configuration.set(**without("CLIENT_SECRET"), CLIENT_AUTH_METHOD="private_key_jwt", CLIENT_KEY_FILE=path)
    assert sentence().startswith(f"{P}CLIENT_KEY_FILE ")


def test_a_secret_that_is_no_utf_8_ends_the_start(configuration: Configuration, sentence: Callable[[], str]) -> None:
    """Replaced by something else, it would be refused by the issuer, and nobody would know why."""
    configuration.set(**without("CLIENT_SECRET"), CLIENT_SECRET_FILE=configuration.write(b"caf\xe9"))
    assert sentence() == f"{P}CLIENT_SECRET_FILE holds no text in UTF-8"
