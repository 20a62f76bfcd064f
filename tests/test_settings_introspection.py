"""How an issuer is asked about its tokens, as an operator writes it down."""

import json
from pathlib import Path

import pytest

from resource_server.issuers.client_authentication import (
    BearerCredential,
    PrivateKeyJwt,
    SecretBasic,
    SecretJwt,
    SecretPost,
    TlsClient,
)
from resource_server.issuers.introspection import Introspection
from resource_server.settings import Settings
from resource_server.stores.redis import RedisStore
from tests.configuring import GOOD, Configuration
from tests.issuers.key_kinds import private_key

CANARY = "canary-secret-of-at-least-32-bytes"
ENDPOINT = "https://id.example.com/introspect"
ASKED = GOOD | {"INTROSPECTION_ENDPOINT": ENDPOINT, "CLIENT_ID": "api", "CLIENT_SECRET": CANARY}


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    return Configuration(monkeypatch, tmp_path)


def introspection() -> Introspection:
    [issuer] = Settings.load().issuers_trusted()
    assert issuer.introspection is not None
    return issuer.introspection


def without(*names: str, **more: str) -> dict[str, str]:
    return {name: value for name, value in ASKED.items() if name not in names} | more


def test_every_default_is_the_strict_one(configuration: Configuration) -> None:
    """DESIGN §5."""
    configuration.set(**ASKED)
    assert introspection() == Introspection(endpoint=ENDPOINT, client=SecretBasic("api", CANARY))
    assert introspection() == Introspection(
        endpoint=ENDPOINT,
        client=SecretBasic("api", CANARY, raw=False),
        ttl=30.0,
        may_omit=(),
        signed=False,
        prefix="",
        jwt_every=None,
    )
    assert Settings.load().resource_server().store is None


@pytest.mark.parametrize(
    ("name", "text", "option", "value"),
    [
        ("INTROSPECTION_TTL", "0", "ttl", 0.0),
        ("INTROSPECTION_TTL", "600", "ttl", 600.0),
        ("INTROSPECTION_MAY_OMIT", "iss,aud", "may_omit", ("iss", "aud")),
        ("INTROSPECTION_MAY_OMIT", '["token_type"]', "may_omit", ("token_type",)),
        ("INTROSPECTION_SIGNED", "true", "signed", True),
        ("INTROSPECT_JWT_EVERY", "0", "jwt_every", 0.0),
        ("INTROSPECT_JWT_EVERY", "60", "jwt_every", 60.0),
        ("TOKEN_PREFIX", "ory_at_", "prefix", "ory_at_"),
    ],
)
def test_each_setting_reaches_the_endpoint(
    configuration: Configuration, name: str, text: str, option: str, value: object
) -> None:
    """DESIGN §5: every setting is a variable."""
    configuration.set(**ASKED, **{name: text})
    assert getattr(introspection(), option) == value


def test_the_same_stands_in_a_table_of_the_file(configuration: Configuration) -> None:
    """DESIGN §5: per issuer, in lower case."""
    text = f"""
        [[issuers]]
        issuer = "https://id.example.com"
        audience = "https://api.example.com"
        grants = "everything"
        introspection_endpoint = "{ENDPOINT}"
        client_id = "api"
        client_secret = "{CANARY}"
        introspection_ttl = 5
        introspection_may_omit = ["aud"]
        token_prefix = "ours_"
    """
    configuration.set(CONFIG=configuration.write(text))
    assert introspection() == Introspection(
        endpoint=ENDPOINT, client=SecretBasic("api", CANARY), ttl=5.0, may_omit=("aud",), prefix="ours_"
    )


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("client_secret_basic", SecretBasic("api", CANARY)),
        ("client_secret_basic_raw", SecretBasic("api", CANARY, raw=True)),
        ("client_secret_post", SecretPost("api", CANARY)),
        ("client_secret_jwt", SecretJwt("api", CANARY)),
        ("bearer", BearerCredential("api", CANARY)),
    ],
)
@pytest.mark.parametrize("where", ["variable", "file"])
def test_a_secret_is_used_by_each_method_that_needs_one(
    configuration: Configuration, method: str, expected: object, where: str
) -> None:
    """docs/settings.md; a line's end in the file is no part of the secret."""
    configuration.set(**ASKED | {"CLIENT_AUTH_METHOD": method})
    if where == "file":
        configuration.set(CLIENT_SECRET="", CLIENT_SECRET_FILE=configuration.write(CANARY + "\n"))
    assert introspection().client == expected


@pytest.mark.parametrize(("of", "algorithm"), [("RSA", "PS256"), ("P-256", "ES256"), ("Ed25519", "Ed25519")])
@pytest.mark.parametrize("written", ["pem", "jwk"])
def test_a_private_key_is_read_from_its_file(
    configuration: Configuration, of: str, algorithm: str, written: str
) -> None:
    """Pain 18: private_key_jwt at the introspection endpoint."""
    key = private_key(of)
    content = key.as_pem(private=True) if written == "pem" else json.dumps(key.as_dict(private=True))
    configuration.set(
        **without("CLIENT_SECRET"), CLIENT_AUTH_METHOD="private_key_jwt", CLIENT_KEY_FILE=configuration.write(content)
    )
    client = introspection().client
    assert isinstance(client, PrivateKeyJwt)
    assert (client.client_id, client.algorithm) == ("api", algorithm)
    assert client.key.thumbprint() == key.thumbprint()


def test_a_certificate_and_its_key_are_named(configuration: Configuration) -> None:
    """RFC 8705 §2."""
    certificate, key = configuration.write("c", name="c.pem"), configuration.write("k", name="k.pem")
    configuration.set(
        **without("CLIENT_SECRET"),
        CLIENT_AUTH_METHOD="tls_client_auth",
        CLIENT_CERTIFICATE_FILE=certificate,
        CLIENT_CERTIFICATE_KEY_FILE=key,
    )
    assert introspection().client == TlsClient("api", Path(certificate), Path(key))


@pytest.mark.parametrize("text", ["k" * 32, f"{'k' * 32},{'o' * 32}"], ids=["one", "two"])
@pytest.mark.parametrize("where", ["variable", "file"])
def test_a_store_is_shared_under_one_key_or_two(configuration: Configuration, text: str, where: str) -> None:
    """T37: two for rotation; in a file one a line."""
    configuration.set(**ASKED, REDIS_URL="unix:///run/valkey.sock")
    if where == "file":
        configuration.set(STORE_KEY_FILE=configuration.write(text.replace(",", "\n") + "\n"))
    else:
        configuration.set(STORE_KEY=text)
    assert isinstance(Settings.load().resource_server().store, RedisStore)


def test_no_secret_is_in_a_text_of_the_settings(configuration: Configuration) -> None:
    """T37."""
    configuration.set(**ASKED, REDIS_URL=f"redis://:{CANARY}@127.0.0.1", STORE_KEY=CANARY)
    settings = Settings.load()
    server = settings.resource_server()
    told = f"{settings!r}{settings}{settings.issuers_trusted()!r}{server!r}{server.store!r}{settings.model_dump_json()}"
    assert CANARY not in told
