"""``serve`` on real input that says nothing by itself: npm's oidc-provider, asked about opaque tokens (RFC 7662)."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.exchange import Answer, bearer, send
from tests.integration.identity_provider import (
    API,
    OPAQUE_API,
    OTHER_OPAQUE_API,
    RESOURCE_SERVER,
    IdentityProvider,
)
from tests.integration.serving import Served, serving
from tests.integration.test_serve_identity_provider import (  # noqa: F401 - the same tests, with the tokens of this module
    ALL,
    REFUSED,
    ROUTES,
    call,
    test_a_machines_token_opens_the_routes_of_its_scopes,
    test_a_role_opens_what_it_is_for,
    test_a_users_token_opens_the_routes_of_scopes_and_of_what_the_user_owns,
)
from tests.integration.test_serve_outage import check_unavailable

ODD_CLIENT = ("resource server", "of: 100% +& more/")  # unlike itself once it is form-urlencoded
INVALID = {"error": "invalid_token", "error_description": "The access token is invalid", "status": 401}


def settings(provider: IdentityProvider, client: tuple[str, str] = RESOURCE_SERVER, **more: str) -> dict[str, str]:
    """What oidc-provider needs: it sends no sub for the token of a machine."""
    return {
        "ISSUER": provider.issuer,
        "AUDIENCE": OPAQUE_API,
        "INTROSPECTION_ENDPOINT": provider.metadata["introspection_endpoint"],
        "INTROSPECTION_MAY_OMIT": "sub",
        "CLIENT_ID": client[0],
        "CLIENT_SECRET": client[1],
    } | more


@pytest.fixture(scope="module")
def provider(identity_provider: IdentityProvider) -> IdentityProvider:
    """Asked for tokens of both formats, as a test says."""
    return identity_provider


@pytest.fixture(scope="module", name="identity_provider")
def opaque_provider(identity_provider: IdentityProvider) -> IdentityProvider:
    """Asked for opaque tokens."""
    return identity_provider.asked_for(OPAQUE_API)


@pytest.fixture(scope="module")
def minimal(identity_provider: IdentityProvider) -> Iterator[Served]:
    """With client_secret_basic and nothing else that is optional."""
    with serving(**settings(identity_provider)) as server:
        yield server


@pytest.fixture(scope="module")
def both(identity_provider: IdentityProvider) -> Iterator[Served]:
    """For tokens of both formats; it forgets in a fraction of a second, and names itself in the form."""
    client = ("resource-server-post", "secret-of-resource-server-post")
    more = {"AUDIENCE": f"{API},{OPAQUE_API}", "CLIENT_AUTH_METHOD": "client_secret_post", "INTROSPECTION_TTL": "0.25"}
    with serving(**settings(identity_provider, client, **more)) as server:
        yield server


@pytest.fixture(scope="module")
def forgetful(identity_provider: IdentityProvider) -> Iterator[Served]:
    """It remembers nothing, and has every token introspected; its name and secret have to be form-urlencoded."""
    more = {"AUDIENCE": f"{API},{OPAQUE_API}", "INTROSPECTION_TTL": "0", "TOKEN_FORMAT": "introspection"}
    with serving(**settings(identity_provider, ODD_CLIENT, **more)) as server:
        yield server


def revoked(provider: IdentityProvider) -> str:
    token = provider.client_credentials(resource=OPAQUE_API)
    provider.revoke(token)
    return token


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        pytest.param(lambda idp: idp.client_credentials(resource=OTHER_OPAQUE_API), "wrong_audience", id="other API"),
        pytest.param(lambda idp: idp.authorization_code()["refresh_token"], "invalid_claim", id="refresh token"),
        pytest.param(lambda idp: idp.authorization_code()["id_token"], "wrong_token_type", id="ID token"),
        pytest.param(lambda idp: idp.client_credentials(resource=API), "wrong_audience", id="a JWT for another API"),
        pytest.param(revoked, "revoked", id="revoked token"),
        pytest.param(lambda idp: idp.client_credentials()[:-1], "revoked", id="a cut token"),
        pytest.param(lambda idp: "unknown", "revoked", id="a made-up token"),
        pytest.param(lambda idp: RESOURCE_SERVER[1], "revoked", id="the secret itself"),
    ],
)
def test_what_is_no_token_for_this_api_is_refused(
    minimal: Served, identity_provider: IdentityProvider, make: Any, kind: str
) -> None:
    """D06, D10, D14, D16: one answer for all of them; what is active and no access token is no exception."""
    before = len(minimal.audit)
    answer = call(minimal, make(identity_provider))
    assert (answer.status, answer.challenges, answer.body) == (401, [REFUSED], INVALID)
    assert minimal.out.wait_for(lambda text: text.count("\n") > before)
    assert minimal.audit[-1]["kind"] == kind


def undated(answer: Answer) -> tuple[Any, ...]:
    """All of it but what depends on the second in which it was sent, and on how many orders there were."""
    content = answer.body[:1] if isinstance(answer.body, list) else answer.body
    if isinstance(content, dict):
        content = {name: value for name, value in content.items() if name not in ("exp", "id")}
    return answer.status, [field for field in answer.fields if field[0] not in ("date", "content-length")], content


CALLERS = [("alice", ALL), ("alice", "orders:read"), ("eve", "users:read"), ("root", "profile:write"), (None, ALL)]


@pytest.mark.parametrize(("user", "scope"), CALLERS)
def test_callers_cannot_tell_the_formats_apart(
    both: Served, provider: IdentityProvider, user: str | None, scope: str
) -> None:
    """T20, ``auto``: a JWT and an opaque token of the same grant get the same answers, field by field, on one API."""
    tokens = [
        provider.authorization_code("ES256", user, scope, resource)["access_token"]
        if user
        else provider.client_credentials("ES256", scope, resource)
        for resource in (API, OPAQUE_API)
    ]
    assert [token.count(".") for token in tokens] == [2, 0]
    for route in ROUTES:
        jwt, opaque = (undated(call(both, token, route)) for token in tokens)
        assert opaque == jwt
    for target in ("/unknown", "/orders/", "/api/v1/users?page=2", "/orders?access_token=x"):
        jwt, opaque = (undated(send(both.port, "DELETE", target, bearer(token))) for token in tokens)
        assert opaque == jwt


@pytest.mark.parametrize("client", ["cc", "code"])
def test_a_revoked_token_is_refused_when_its_answer_is_no_longer_remembered(
    both: Served, identity_provider: IdentityProvider, client: str
) -> None:
    """RS-7662-4-b, RFC 7009: at the latest after INTROSPECTION_TTL."""
    token = issued(identity_provider, client)
    assert call(both, token).status == 200
    identity_provider.revoke(token, client=client)
    ends = time.monotonic() + 0.25
    while True:
        began = time.monotonic()
        answer = call(both, token)
        if answer.status != 200:
            break
        assert began < ends
    assert (answer.status, answer.challenges) == (401, [REFUSED])


@pytest.mark.parametrize("client", ["cc", "code"])
def test_a_ttl_of_0_refuses_a_revoked_token_at_once(
    forgetful: Served, identity_provider: IdentityProvider, client: str
) -> None:
    """RS-7662-4-b; authenticated as a client whose name and secret need the form-urlencoding of RFC 6749 §2.3.1."""
    token = issued(identity_provider, client)
    assert [call(forgetful, token).status for _ in range(3)] == [200] * 3
    identity_provider.revoke(token, client=client)
    assert (call(forgetful, token).status, call(forgetful, token).status) == (401, 401)


def issued(provider: IdentityProvider, client: str) -> str:
    return provider.client_credentials() if client == "cc" else provider.authorization_code()["access_token"]


def test_a_jwt_that_the_issuer_does_not_introspect_is_refused_for_itself_alone(
    forgetful: Served, provider: IdentityProvider
) -> None:
    """T24: 400 unsupported_token_type, however often, neither breaks the circuit nor is it 503."""
    jwt = provider.client_credentials(resource=API)
    for _ in range(10):
        answer = call(forgetful, jwt)
        assert (answer.status, answer.challenges, answer.body) == (401, [REFUSED], INVALID)
    assert call(forgetful, provider.client_credentials(resource=OPAQUE_API)).status == 200
    assert send(forgetful.port, "GET", "/readyz").status == 200


def test_a_signed_answer_is_demanded_and_believed(identity_provider: IdentityProvider, tmp_path: Path) -> None:
    """RFC 9701, by ES256; authenticated by private_key_jwt (RFC 7523): no secret is configured at all."""
    key = tmp_path / "key.json"
    key.write_text(json.dumps(identity_provider.client_key))
    key.chmod(0o600)
    chosen = settings(identity_provider, INTROSPECTION_SIGNED="true", ALGORITHMS="ES256")
    del chosen["CLIENT_SECRET"]
    chosen |= {"CLIENT_AUTH_METHOD": "private_key_jwt", "CLIENT_ID": "resource-server-key", "CLIENT_KEY_FILE": str(key)}
    with serving(**chosen) as served:
        machine, user = (issued(identity_provider, client) for client in ("cc", "code"))
        assert [call(served, token, "users").status for token in (machine, user, machine)] == [200] * 3
        assert call(served, user).body["roles"] == ["customer"]
        other = identity_provider.client_credentials(resource=OTHER_OPAQUE_API)
        for token in (revoked(identity_provider), "unknown", other):
            answer = call(served, token)
            assert (answer.status, answer.challenges) == (401, [REFUSED])
    assert [line["kind"] for line in served.audit] == ["revoked", "revoked", "wrong_audience"]


def test_a_credential_of_ours_that_is_wrong_is_never_the_clients_fault(identity_provider: IdentityProvider) -> None:
    """RS-7662-2.3-a: 503 and an error that names the setting, not the secret; nobody's token is called invalid."""
    with serving(**settings(identity_provider, (RESOURCE_SERVER[0], "wrong-canary-7d2e"))) as served:
        for token in (identity_provider.client_credentials(), "unknown"):
            check_unavailable(call(served, token))
        assert send(served.port, "GET", "/api/v1/me").status == 401
    assert {line["kind"] for line in served.audit} == {"issuer_unavailable", "no_credentials"}
    [error] = [line for line in served.err.text.splitlines() if "ERROR" in line]
    assert "refuses our credential with status 401: see CLIENT_ID, its secret and CLIENT_AUTH_METHOD" in error
    written = served.err.text + served.out.text
    assert not [secret for secret in ("canary-7d2e", "Basic ") if secret in written]
