"""How we prove to an issuer that it is us who ask: each request to the letter (RFC 6749 §2.3, RFC 7523, RFC 8705)."""

import base64
import json
import logging
import traceback
from pathlib import Path
from typing import Any

import jwt
import pytest
from joserfc.jwk import OctKey

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.client_authentication import (
    BearerCredential,
    ClientAuthentication,
    PrivateKeyJwt,
    SecretBasic,
    SecretJwt,
    SecretPost,
    TlsClient,
    read_private_key,
)
from tests.introspecting import GOOD, Endpoint, issuer, kind, server
from tests.issuers.key_kinds import private_key, public_jwk
from tests.turnable_clock import TurnableClock

ISSUER, NOW = "https://id.example.com", 1_800_000_000.7
CANARY = "canary-secret-of-at-least-32-bytes"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def complete(client: ClientAuthentication) -> tuple[dict[str, str], dict[str, str]]:
    """The form and the headers of a request that has nothing else."""
    form: dict[str, str] = {}
    headers: dict[str, str] = {}
    client.complete(form, headers, ISSUER, NOW)
    return form, headers


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("client_id", "secret", "encoded", "raw"),
    [
        pytest.param("api", "secret", "api:secret", "api:secret", id="plain"),
        pytest.param("api", "a b", "api:a+b", "api:a b", id="space"),
        pytest.param("api", "a+b", "api:a%2Bb", "api:a+b", id="plus"),
        pytest.param("api", "a:b", "api:a%3Ab", "api:a:b", id="colon-in-the-secret"),
        pytest.param("api", "100%", "api:100%25", "api:100%", id="percent"),
        pytest.param("api", "a&b=c/d?e#f", "api:a%26b%3Dc%2Fd%3Fe%23f", "api:a&b=c/d?e#f", id="reserved"),
        pytest.param("api", "é€", "api:%C3%A9%E2%82%AC", "api:é€", id="not-ascii"),
        pytest.param("api", "a-b_c.d~e", "api:a-b_c.d~e", "api:a-b_c.d~e", id="unreserved"),
        pytest.param("a b/c", "s", "a+b%2Fc:s", "a b/c:s", id="reserved-in-the-id"),
    ],
)
def test_client_secret_basic_encodes_both_parts_before_it_joins_them(
    client_id: str, secret: str, encoded: str, raw: str
) -> None:
    """RFC 6749 §2.3.1; ``raw`` for servers that compare the bytes."""
    assert complete(SecretBasic(client_id, secret)) == ({}, basic(encoded))
    assert complete(SecretBasic(client_id, secret, raw=True)) == ({}, basic(raw))


def test_a_colon_in_the_id_is_encoded_or_ends_the_start() -> None:
    """RFC 7617 §2: raw, it would shift the border between the id and the secret."""
    assert complete(SecretBasic("a:b", "c")) == ({}, basic("a%3Ab:c"))
    with pytest.raises(ConfigurationError) as caught:
        SecretBasic("a:b", "c", raw=True)
    assert str(caught.value) == "client_id has a colon, which client_secret_basic_raw can't send"


def test_client_secret_post_puts_both_into_the_form() -> None:
    """RFC 6749 §2.3.1: as they are; the form is encoded as a whole."""
    assert complete(SecretPost("api", "a b&c=é")) == ({"client_id": "api", "client_secret": "a b&c=é"}, {})


def test_bearer_sends_a_token_of_our_own() -> None:
    """RFC 7662 §2.1: a separate access token, never the one that is asked about."""
    assert complete(BearerCredential("api", "a.b-c_d~e+f/g=")) == ({}, {"authorization": "Bearer a.b-c_d~e+f/g="})


@pytest.mark.parametrize("token", ["a b", "a\r\nx: y", "é", "a\n", "a,b", "=", '"a"'], ids=repr)
def test_a_bearer_credential_that_is_no_token_ends_the_start_unquoted(token: str) -> None:
    """RFC 6750 §2.1: or else each question would fail, or the header would be another one."""
    with pytest.raises(ConfigurationError) as caught:
        BearerCredential("api", token)
    assert str(caught.value) == "client_secret is no access token, which client_auth_method bearer sends"


WITH_SECRETS = [
    pytest.param(lambda one: SecretBasic("api", one), id="basic"),
    pytest.param(lambda one: SecretPost("api", one), id="post"),
    pytest.param(lambda one: BearerCredential("api", one), id="bearer"),
    pytest.param(lambda one: SecretJwt("api", one), id="jwt"),
]


@pytest.mark.parametrize("make", WITH_SECRETS)
@pytest.mark.parametrize("secret", ["", "\ud800" + CANARY], ids=["empty", "lone-surrogate"])
def test_a_secret_that_is_none_ends_the_start(make: Any, secret: str) -> None:
    """DESIGN §3: at the start and not with each question, where it would be a failure of ours."""
    with pytest.raises(ConfigurationError) as caught:
        make(secret)
    assert str(caught.value).startswith("client_secret ")
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [lambda one: SecretBasic(one, CANARY), lambda one: TlsClient(one, Path("a"), Path("b"))],
    ids=["basic", "tls"],
)
def test_a_client_without_an_id_ends_the_start(make: Any) -> None:
    """DESIGN §3: empty options fail at construction."""
    with pytest.raises(ConfigurationError) as caught:
        make("")
    assert str(caught.value) == "client_id is missing: name the client that this API is at the issuer"


KEYS = [
    pytest.param("RSA", "PS256", id="rsa"),
    pytest.param("P-256", "ES256", id="p-256"),
    pytest.param("P-384", "ES384", id="p-384"),
    pytest.param("P-521", "ES512", id="p-521"),
    pytest.param("Ed25519", "Ed25519", id="ed25519"),
]


def check_assertion(form: dict[str, str], key: Any, algorithm: str) -> dict[str, Any]:
    """A second opinion: PyJWT's, on an assertion that must be good at this moment for this issuer."""
    assert set(form) == {"client_assertion_type", "client_assertion"}
    assert form["client_assertion_type"] == ASSERTION_TYPE
    assertion = form["client_assertion"]
    options: Any = {"require": ["iss", "sub", "aud", "iat", "exp", "jti"], "verify_exp": False, "verify_iat": False}
    algorithms = ["EdDSA"] if algorithm == "Ed25519" else [algorithm]
    if algorithm == "Ed25519":  # the name of RFC 9864, which PyJWT may not know; the signature is that of EdDSA
        header, payload, signature = assertion.split(".")
        jwk = jwt.PyJWK.from_dict(key, algorithm="EdDSA")
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        assert jwk.Algorithm.verify(f"{header}.{payload}".encode(), jwk.key, raw)
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    else:
        verifier = key if isinstance(key, str) else jwt.PyJWK.from_dict(key, algorithm=algorithm).key
        claims = jwt.decode(assertion, verifier, algorithms=algorithms, audience=ISSUER, issuer="api", options=options)
    assert jwt.get_unverified_header(assertion) | {"kid": None} == {"alg": algorithm, "typ": "JWT", "kid": None}
    jti = claims.pop("jti")
    assert len(jti) >= 16
    assert claims == {"iss": "api", "sub": "api", "aud": ISSUER, "iat": 1_800_000_000, "exp": 1_800_000_060}
    return {"jti": jti}


@pytest.mark.parametrize(("of", "algorithm"), KEYS)
@pytest.mark.parametrize("written", ["pem", "jwk"])
def test_private_key_jwt_signs_for_the_issuer_for_a_minute_and_once(of: str, algorithm: str, written: str) -> None:
    """RFC 7523 §3 and its update: ``aud`` is the issuer alone, whatever the endpoint; a new ``jti`` each time."""
    key = private_key(of)
    content = key.as_pem(private=True) if written == "pem" else json.dumps(key.as_dict(private=True)).encode()
    client = PrivateKeyJwt("api", *read_private_key(content))
    first, second = complete(client), complete(client)
    assert first[1] == {}
    one, other = (check_assertion(form, public_jwk(of), algorithm) for form, _ in (first, second))
    assert one["jti"] != other["jti"]


def test_a_jwk_s_kid_and_alg_are_used() -> None:
    """docs/settings.md; a PEM has neither."""
    jwk = private_key("RSA").as_dict(private=True) | {"kid": "2026", "alg": "RS256", "use": "sig"}
    form, _ = complete(PrivateKeyJwt("api", *read_private_key(json.dumps(jwk).encode())))
    assert jwt.get_unverified_header(form["client_assertion"]) == {"alg": "RS256", "typ": "JWT", "kid": "2026"}
    form, _ = complete(PrivateKeyJwt("api", *read_private_key(private_key("RSA").as_pem(private=True))))
    assert "kid" not in jwt.get_unverified_header(form["client_assertion"])


def jwk_of(of: str, **members: Any) -> bytes:
    return json.dumps(private_key(of).as_dict(private=True) | members).encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: b"", id="empty"),
        pytest.param(lambda: CANARY.encode(), id="text"),
        pytest.param(lambda: b"{" + CANARY.encode(), id="no-json"),
        pytest.param(lambda: json.dumps({"kty": CANARY}).encode(), id="no-jwk"),
        pytest.param(lambda: b"[]", id="array"),
        pytest.param(lambda: b"\xff\xfe" + CANARY.encode(), id="no-utf-8"),
        pytest.param(lambda: f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n".encode(), id="pem"),
        pytest.param(lambda: private_key("RSA").as_pem(private=False), id="public-rsa-pem"),
        pytest.param(lambda: private_key("P-256").as_pem(private=False), id="public-ec-pem"),
        pytest.param(lambda: json.dumps(public_jwk("P-256")).encode(), id="public-ec-jwk"),
        pytest.param(lambda: json.dumps(public_jwk("Ed25519")).encode(), id="public-okp-jwk"),
        pytest.param(lambda: json.dumps(OctKey.generate_key(256).as_dict(private=True)).encode(), id="secret-jwk"),
        pytest.param(lambda: json.dumps({"keys": [json.loads(jwk_of("P-256"))]}).encode(), id="jwk-set"),
        pytest.param(lambda: private_key("P-256").as_pem(private=True, password="password"), id="encrypted"),
        pytest.param(lambda: jwk_of("secp256k1"), id="secp256k1"),
        pytest.param(lambda: jwk_of("X25519"), id="x25519"),
        pytest.param(lambda: private_key("X25519").as_pem(private=True), id="x25519-pem"),
        pytest.param(lambda: jwk_of("Ed448"), id="ed448"),
        pytest.param(lambda: jwk_of("RSA", alg="ES256"), id="alg-of-another-kind"),
        pytest.param(lambda: jwk_of("P-256", alg="ES384"), id="alg-of-another-curve"),
        pytest.param(lambda: jwk_of("RSA", alg="HS256"), id="alg-hs256"),
        pytest.param(lambda: jwk_of("RSA", alg="none"), id="alg-none"),
        pytest.param(lambda: jwk_of("RSA", alg="RSA-OAEP"), id="alg-for-encryption"),
        pytest.param(lambda: jwk_of("RSA", alg=CANARY), id="alg-nonsense"),
        pytest.param(lambda: jwk_of("RSA", alg=5), id="alg-a-number"),
        pytest.param(lambda: jwk_of("RSA", use="enc"), id="use-enc"),
        pytest.param(lambda: jwk_of("RSA", key_ops=["decrypt"]), id="key-ops"),
        pytest.param(lambda: jwk_of("RSA", kid=5), id="kid-a-number"),
    ],
)
def test_what_is_no_private_key_that_signs_ends_the_start_unquoted(content: Any) -> None:
    """DESIGN §3, T37: at the start, in one sentence, which shows nothing of it: not with each question."""
    with pytest.raises(ConfigurationError) as caught:
        PrivateKeyJwt("api", *read_private_key(content()))
    assert str(caught.value) == (
        "client_key_file holds no private key that signs: give one of RSA, EC or Ed25519, as PEM or JWK"
    )
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_client_secret_jwt_signs_with_the_secret_s_bytes() -> None:
    """OpenID Connect Core §9."""
    form, headers = complete(SecretJwt("api", CANARY))
    assert headers == {}
    check_assertion(form, CANARY, "HS256")
    form, _ = complete(SecretJwt("api", "é" * 16))
    check_assertion(form, "é" * 16, "HS256")


@pytest.mark.parametrize("secret", ["s" * 31, "é" * 15], ids=["ascii", "two-bytes-each"])
def test_a_secret_of_31_bytes_signs_nothing(secret: str) -> None:
    """RFC 7518 §3.2; at the bound it does, and the bound is in bytes."""
    with pytest.raises(ConfigurationError) as caught:
        SecretJwt("api", secret)
    assert str(caught.value) == "client_secret must have at least 32 bytes to sign assertions with"
    SecretJwt("api", secret + "é")


def test_a_secret_that_looks_like_a_public_key_signs_nothing() -> None:
    """CVE-2024-33663: it is no secret."""
    with pytest.raises(ConfigurationError) as caught:
        SecretJwt("api", private_key("RSA").as_pem(private=False).decode())
    assert str(caught.value) == "client_secret can't sign assertions: give the text that the issuer knows, too"


CLIENTS: list[Any] = [
    pytest.param(lambda: SecretBasic("api", CANARY), id="basic"),
    pytest.param(lambda: SecretBasic("api", CANARY, raw=True), id="basic-raw"),
    pytest.param(lambda: SecretPost("api", CANARY), id="post"),
    pytest.param(lambda: SecretJwt("api", CANARY), id="jwt"),
    pytest.param(lambda: BearerCredential("api", CANARY), id="bearer"),
    pytest.param(lambda: PrivateKeyJwt("api", *read_private_key(jwk_of("P-256"))), id="private-key"),
]


@pytest.mark.parametrize("make", CLIENTS)
async def test_no_credential_is_in_a_repr_an_error_or_a_log(
    make: Any, time: TurnableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """T37: not even where the server refuses it."""
    caplog.set_level(logging.DEBUG)
    client = make()
    secrets = {CANARY, str(private_key("P-256").as_dict(private=True)["d"])}
    asked = issuer(client=client)
    endpoint = Endpoint(time)
    api = server(time, endpoint, asked)
    said = repr(client) + repr(asked) + repr(api) + str(asked.introspection)
    for answer in (OSError("ConnectError"), RuntimeError("a fault"), None):
        endpoint.answer = (lambda question, answer=answer: answer) if answer else None
        try:
            said += str(await kind(api, GOOD))
        except RuntimeError as error:
            said += "".join(traceback.format_exception(error))
    sent = [*endpoint.questions[0].form.values(), *endpoint.questions[0].headers.values()]
    assert any(len(value) > 20 for value in sent)
    for secret in (*secrets, *(value for value in sent if "hint" not in value and len(value) > 30)):
        assert secret not in said + caplog.text


@pytest.mark.parametrize("make", CLIENTS)
async def test_the_token_that_is_asked_about_is_no_credential_of_ours(make: Any, time: TurnableClock) -> None:
    """RS-7662-2.1-b: it stands in the form's ``token`` and nowhere else."""
    endpoint = Endpoint(time)
    await kind(server(time, endpoint, issuer(client=make())), GOOD)
    [question] = endpoint.questions
    assert question.form["token"] == GOOD
    assert question.form["token_type_hint"] == "access_token"
    others = [value for name, value in question.form.items() if name != "token"]
    assert not any(GOOD in value for value in [*others, *question.headers.values(), question.url])
