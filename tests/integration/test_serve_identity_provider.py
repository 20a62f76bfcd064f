"""``serve`` on real input: tokens of npm's oidc-provider, of each algorithm, by two grants, over real sockets."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.exchange import METADATA, Answer, bearer, send
from tests.integration.identity_provider import ALGORITHMS, API, OPAQUE_API, OTHER_API, IdentityProvider
from tests.integration.serving import Served, serving

PROFILE = b'{"display_name":"Somebody"}'
ORDER = b'{"item":"lamp"}'
REFUSED = 'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"'
ALL = "users:read profile:write orders:read orders:write"

ROUTES = {
    "me": ("GET", "/api/v1/me", b""),
    "users": ("GET", "/api/v1/users", b""),
    "profile": ("PUT", "/api/v1/users/alice/profile", PROFILE),
    "users as admin": ("GET", "/api/admin/users", b""),
    "posts": ("GET", "/admin/posts", b""),
    "settings": ("GET", "/admin/settings", b""),
    "dashboard": ("GET", "/admin/dashboard", b""),
    "orders": ("GET", "/orders", b""),
    "order": ("POST", "/orders", ORDER),
}


@pytest.fixture(scope="module")
def minimal(identity_provider: IdentityProvider) -> Iterator[Served]:
    """Configured by an issuer and an audience, and nothing else."""
    with serving(ISSUER=identity_provider.issuer, AUDIENCE=API) as server:
        yield server


def call(served: Served, token: str, route: str = "me") -> Answer:
    method, target, body = ROUTES[route]
    kind = ["Content-Type: application/json"] if body else []
    return send(served.port, method, target, bearer(token), *kind, body=body)


def statuses(served: Served, token: str) -> dict[str, int]:
    """What each route of the bundled API answers."""
    return {route: call(served, token, route).status for route in ROUTES}


def of(**open_routes: int) -> dict[str, int]:
    """403 everywhere but where it is said otherwise."""
    return dict.fromkeys(ROUTES, 403) | {name.replace("_", " "): status for name, status in open_routes.items()}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_machines_token_opens_the_routes_of_its_scopes(
    minimal: Served, identity_provider: IdentityProvider, algorithm: str
) -> None:
    """RFC 6749 §4.4, RFC 9068: RS256, PS256, ES256, Ed25519 and its older name."""
    token = identity_provider.client_credentials(algorithm, "users:read orders:read")
    assert statuses(minimal, token) == of(me=200, users=200, orders=200)
    me = call(minimal, token).body
    assert me["sub"] == me["client_id"] == f"cc-{algorithm}"
    assert (me["scope"], me["iss"], me["roles"]) == ("orders:read users:read", identity_provider.issuer, [])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_users_token_opens_the_routes_of_scopes_and_of_what_the_user_owns(
    minimal: Served, identity_provider: IdentityProvider, algorithm: str
) -> None:
    """RFC 6749 §4.1 with PKCE: alice, who is a customer."""
    token = identity_provider.authorization_code(algorithm, "alice", ALL)["access_token"]
    assert statuses(minimal, token) == of(me=200, users=200, profile=200, orders=200, order=201)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        pytest.param("eve", of(me=200, posts=200), id="an editor"),
        pytest.param(
            "root",
            of(me=200, posts=200, profile=200, settings=200, dashboard=200, users_as_admin=200),
            id="an admin",
        ),
    ],
)
def test_a_role_opens_what_it_is_for(
    minimal: Served, identity_provider: IdentityProvider, user: str, expected: dict[str, int]
) -> None:
    """RFC 9068 §2.2.3.1; the scope that both have is for their own profile, and alice's is none."""
    token = identity_provider.authorization_code("ES256", user, "profile:write")["access_token"]
    assert statuses(minimal, token) == expected


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("which", ["other API", "ID token", "refresh token", "opaque token"])
def test_what_is_no_token_for_this_api_is_refused(
    minimal: Served, identity_provider: IdentityProvider, algorithm: str, which: str
) -> None:
    """D06, D10, D14: one challenge for all of them."""
    if which in ("ID token", "refresh token"):
        token = identity_provider.authorization_code(algorithm)[which.lower().replace(" ", "_")]
    else:
        resource = OTHER_API if which == "other API" else OPAQUE_API
        token = identity_provider.client_credentials(algorithm, resource=resource)
    answer = call(minimal, token)
    assert answer.status == 401
    assert answer.challenges == [REFUSED]
    assert answer.body == {
        "error": "invalid_token",
        "error_description": "The access token is invalid",
        "status": 401,
    }


def changed(token: str, part: int) -> str:
    """One character in the middle of a part is another one."""
    parts = token.split(".")
    middle = len(parts[part]) // 2
    other = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + other + parts[part][middle + 1 :]
    return ".".join(parts)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "payload", "signature"])
def test_a_token_that_was_changed_on_the_way_is_refused(
    minimal: Served, identity_provider: IdentityProvider, algorithm: str, part: int
) -> None:
    """D07, right after its original was accepted, and so remembered."""
    token = identity_provider.client_credentials(algorithm)
    assert call(minimal, token).status == 200
    answer = call(minimal, changed(token, part))
    assert (answer.status, answer.challenges) == (401, [REFUSED])


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"JWKS_URI": "jwks_uri"}, id="the key set's address"),
        pytest.param({"JWKS_FILE": "jwks_file"}, id="the key set in a file"),
        pytest.param({"ALGORITHMS": "ES256", "LEEWAY": "0", "RESOURCE": API}, id="algorithm, leeway, resource"),
        pytest.param({"ALGORITHMS": '["PS256","ES256"]', "AUDIENCE": f"urn:other,{API}"}, id="lists"),
    ],
)
def test_other_ways_to_configure_it(
    identity_provider: IdentityProvider, tmp_path: Path, settings: dict[str, str]
) -> None:
    """DESIGN §5; an algorithm that is not on the list is refused."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": identity_provider.jwks()}))
    keys.chmod(0o600)
    known = {"jwks_uri": identity_provider.jwks_uri, "jwks_file": str(keys)}
    chosen = {"AUDIENCE": API} | {name: known.get(value, value) for name, value in settings.items()}
    with serving(ISSUER=identity_provider.issuer, **chosen) as served:
        assert call(served, identity_provider.client_credentials("ES256")).status == 200
        rsa = call(served, identity_provider.client_credentials("RS256"))
        if "ALGORITHMS" in settings:
            metadata = f', resource_metadata="{METADATA}"' if "RESOURCE" in settings else ""
            assert (rsa.status, rsa.challenges) == (401, [REFUSED + metadata])
        else:
            assert rsa.status == 200


def test_the_audit_names_verified_callers_and_no_others(identity_provider: IdentityProvider) -> None:
    """T35: the ID token's and the other API's subject stay out of the log; nothing is written about grants."""
    with serving(ISSUER=identity_provider.issuer, AUDIENCE=API) as served:
        answer: dict[str, Any] = identity_provider.authorization_code("RS256", "alice", "users:read")
        other = identity_provider.client_credentials("RS256", resource=OTHER_API)
        for token, route in [
            (answer["access_token"], "users"),
            (answer["id_token"], "users"),
            (answer["refresh_token"], "users"),
            (other, "users"),
            (answer["access_token"], "dashboard"),
        ]:
            call(served, token, route)
    kinds = [(line["kind"], line.get("subject"), line.get("issuer")) for line in served.audit]
    assert kinds == [
        ("wrong_token_type", None, None),
        ("malformed_token", None, None),
        ("wrong_audience", None, None),
        ("missing_role", "alice", identity_provider.issuer),
    ]
