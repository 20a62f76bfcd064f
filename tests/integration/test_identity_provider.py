"""The launcher itself: what the real provider issues, before anything of ours reads it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import jwt
import pytest
from jwt.algorithms import OKPAlgorithm

from tests.integration.identity_provider import ALGORITHMS, API, OPAQUE_API, OTHER_API, IdentityProvider
from tests.integration.installation import FOLDER

KEY_TYPES = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "Ed25519": "OKP", "EdDSA": "OKP"}
REQUIRED = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}  # RFC 9068 section 2.2


def verified(token: str, provider: IdentityProvider) -> dict[str, Any]:
    """The claims, if PyJWT finds the signature good by the published key that the header names."""
    header = jwt.get_unverified_header(token)
    [key] = [key for key in provider.jwks() if key["kid"] == header["kid"]]
    jws = jwt.PyJWS()
    jws.register_algorithm("Ed25519", OKPAlgorithm())  # PyJWT has it under its older name alone
    algorithm = "EdDSA" if key["kty"] == "OKP" else header["alg"]
    payload = jws.decode(token, jwt.PyJWK(key, algorithm).key, algorithms=[header["alg"]])
    claims: dict[str, Any] = json.loads(payload)
    return claims


def header_of(token: str) -> dict[str, Any]:
    return dict(jwt.get_unverified_header(token))


def key_id(provider: IdentityProvider, algorithm: str) -> str:
    [key] = [key for key in provider.jwks() if key["kty"] == KEY_TYPES[algorithm]]
    return str(key["kid"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_machines_token_is_an_rfc_9068_access_token(identity_provider: IdentityProvider, algorithm: str) -> None:
    """RFC 9068 sections 2.1 and 2.2; without a user the client is the subject."""
    token = identity_provider.client_credentials(algorithm, "users:read orders:read")

    kid = key_id(identity_provider, algorithm)
    assert header_of(token) == {"alg": algorithm, "typ": "at+jwt", "kid": kid}
    claims = verified(token, identity_provider)
    assert claims.keys() == REQUIRED | {"scope"}
    assert claims["iss"] == identity_provider.issuer
    assert claims["aud"] == API
    assert claims["sub"] == claims["client_id"] == f"cc-{algorithm}"
    assert claims["scope"] == "users:read orders:read"
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_users_token_is_an_rfc_9068_access_token_with_roles(
    identity_provider: IdentityProvider, algorithm: str
) -> None:
    """RFC 9068 sections 2.1, 2.2 and 2.2.3.1; the scopes of OpenID Connect are not the API's."""
    answer = identity_provider.authorization_code(algorithm, "root", "profile:write")

    token = answer["access_token"]
    kid = key_id(identity_provider, algorithm)
    assert header_of(token) == {"alg": algorithm, "typ": "at+jwt", "kid": kid}
    claims = verified(token, identity_provider)
    assert claims.keys() == REQUIRED | {"scope", "roles"}
    assert claims["iss"] == identity_provider.issuer
    assert claims["aud"] == API
    assert claims["sub"] == "root"
    assert claims["client_id"] == f"code-{algorithm}"
    assert claims["scope"] == "profile:write"
    assert claims["roles"] == ["admin"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_id_token_has_a_good_signature_and_is_no_access_token(
    identity_provider: IdentityProvider, algorithm: str
) -> None:
    """RFC 9068 section 4: only its type and its audience tell it from an access token."""
    answer = identity_provider.authorization_code(algorithm)

    kid = key_id(identity_provider, algorithm)
    assert header_of(answer["id_token"]) == {"alg": algorithm, "kid": kid}
    claims = verified(answer["id_token"], identity_provider)
    assert (claims["sub"], claims["aud"]) == ("alice", f"code-{algorithm}")


def test_the_refresh_token_is_opaque(identity_provider: IdentityProvider) -> None:
    """RFC 6749 section 1.5."""
    answer = identity_provider.authorization_code()

    assert answer["refresh_token"].count(".") == 0
    assert identity_provider.introspect(answer["refresh_token"])["active"]


@pytest.mark.parametrize(("user", "role"), [("alice", "customer"), ("eve", "editor"), ("root", "admin")])
def test_each_user_has_one_role(identity_provider: IdentityProvider, user: str, role: str) -> None:
    answer = identity_provider.authorization_code(user=user)

    assert verified(answer["access_token"], identity_provider)["roles"] == [role]


def test_only_a_key_with_one_possible_algorithm_names_it(identity_provider: IdentityProvider) -> None:
    """RFC 7517 section 4.4: `alg` is optional, so a verifier must get on without it."""
    keys = {key["kty"]: key for key in identity_provider.jwks()}

    assert keys.keys() == {"RSA", "EC", "OKP"}
    assert {kty: key.get("alg") for kty, key in keys.items()} == {"RSA": None, "EC": "ES256", "OKP": None}
    assert {key["use"] for key in keys.values()} == {"sig"}
    assert not any("d" in key for key in keys.values())


def test_a_token_for_another_api_has_another_audience(identity_provider: IdentityProvider) -> None:
    """RFC 8707 section 2."""
    token = identity_provider.client_credentials(resource=OTHER_API)

    assert verified(token, identity_provider)["aud"] == OTHER_API


def test_an_opaque_token_is_active_until_it_is_revoked(identity_provider: IdentityProvider) -> None:
    """RFC 7662 section 2.2, RFC 7009 section 2."""
    token = identity_provider.client_credentials(scope="orders:write", resource=OPAQUE_API)

    assert token.count(".") == 0
    answer = identity_provider.introspect(token)
    assert (answer["active"], answer["aud"], answer["scope"]) == (True, OPAQUE_API, "orders:write")
    identity_provider.revoke(token)
    assert identity_provider.introspect(token) == {"active": False}


def test_the_same_issuer_comes_back_after_an_outage_with_other_keys(oidc_provider: None, tmp_path: Path) -> None:
    """DESIGN section 9: an issuer that is down later, and key rotation."""
    with IdentityProvider.started(tmp_path / "first.log") as first:
        issuer, keys = first.issuer, first.jwks()
    with IdentityProvider.started(tmp_path / "second.log", int(issuer.rpartition(":")[2])) as second:
        assert second.issuer == issuer
        assert {key["kid"] for key in second.jwks()}.isdisjoint(key["kid"] for key in keys)


def test_a_taken_port_is_told_with_the_providers_own_error(identity_provider: IdentityProvider, tmp_path: Path) -> None:
    port = int(identity_provider.issuer.rpartition(":")[2])

    with (
        pytest.raises(RuntimeError, match="EADDRINUSE"),
        IdentityProvider.started(tmp_path / "errors.log", port),
    ):
        pytest.fail("it must not start")


def test_the_provider_ends_when_its_stdin_is_closed(oidc_provider: None) -> None:
    """A killed pytest leaves no orphan."""
    command = ["node", "launch.mjs"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=FOLDER, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.close()
        assert process.wait(timeout=10) == 0
