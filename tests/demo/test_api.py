"""Each row of DESIGN §6: without a token, with one that does not allow it, with a good one."""

from typing import Any

import pytest
from fastapi import FastAPI

from resource_server import ResourceServer
from resource_server.demo.api import create_api
from resource_server.testing import FakeIssuer
from tests.calls import INVALID, MISSING, call
from tests.demo.conftest import METADATA
from tests.turnable_clock import START

LACKS = 'error="insufficient_scope", error_description="The access token lacks the required scope"'
PROFILE = {"display_name": "Alice"}
ORDER = {"item": "chair", "quantity": 2}

# method, path, body, scope of the challenge
ROUTES = [
    pytest.param("GET", "/api/v1/me", None, "", id="me"),
    pytest.param("GET", "/api/v1/users", None, "users:read", id="users"),
    pytest.param("PUT", "/api/v1/users/alice/profile", PROFILE, "profile:write", id="profile"),
    pytest.param("GET", "/api/admin/users", None, "", id="admin-users"),
    pytest.param("GET", "/admin/posts", None, "", id="posts"),
    pytest.param("GET", "/admin/settings", None, "", id="settings"),
    pytest.param("GET", "/orders", None, "orders:read", id="orders"),
    pytest.param("POST", "/orders", ORDER, "orders:write", id="place-order"),
    pytest.param("GET", "/orders/events", None, "orders:read", id="events"),
    pytest.param("GET", "/admin/dashboard", None, "", id="dashboard"),
]
routes = pytest.mark.parametrize(("method", "path", "body", "scope"), ROUTES)


@routes
async def test_without_a_token_a_route_challenges_with_its_scopes(
    app: FastAPI, method: str, path: str, body: Any, scope: str
) -> None:
    """DESIGN §6, D01."""
    response = await call(app, method, path, json=body)
    named = f' scope="{scope}",' if scope else ""
    assert (response.status_code, response.content) == (401, MISSING)
    assert response.headers.get_list("www-authenticate") == [f'Bearer realm="api",{named} {METADATA}']
    assert response.headers["cache-control"] == "no-store"


@routes
async def test_a_broken_token_is_told_nothing_but_that(
    app: FastAPI, issuer: FakeIssuer, method: str, path: str, body: Any, scope: str
) -> None:
    """DESIGN §6, D06 to D10: one text for every broken token."""
    for token in ("x", issuer.token(aud="https://other.example.com"), FakeIssuer(issuer.url).token()):
        response = await call(app, method, path, json=body, token=token)
        assert (response.status_code, response.content) == (401, INVALID)
        assert response.headers["www-authenticate"] == (
            f'Bearer realm="api", error="invalid_token", error_description="The access token is invalid", {METADATA}'
        )


@pytest.mark.parametrize(
    ("method", "path", "body", "claims", "scope"),
    [
        pytest.param("GET", "/api/v1/users", None, {"scope": "users"}, "users:read", id="users"),
        pytest.param("PUT", "/api/v1/users/alice/profile", PROFILE, {}, "profile:write", id="own-profile"),
        pytest.param("GET", "/orders", None, {"scope": "orders:write"}, "orders:read", id="orders"),
        pytest.param("POST", "/orders", ORDER, {"scope": "orders:read"}, "orders:write", id="place-order"),
        pytest.param("GET", "/orders", None, {"roles": ["admin"]}, "orders:read", id="a-role-is-no-scope"),
        pytest.param("GET", "/orders/events", None, {"scope": "orders:write"}, "orders:read", id="events"),
    ],
)
async def test_without_the_scope_a_route_says_which(
    app: FastAPI, issuer: FakeIssuer, method: str, path: str, body: Any, claims: dict[str, Any], scope: str
) -> None:
    """DESIGN §6, D21."""
    response = await call(app, method, path, json=body, token=issuer.token(**claims))
    assert response.status_code == 403
    assert response.headers["www-authenticate"] == f'Bearer realm="api", {LACKS}, scope="{scope}", {METADATA}'
    assert response.json() == {
        "error": "insufficient_scope",
        "error_description": "The access token lacks the required scope",
        "scope": scope,
        "status": 403,
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "claims", "roles"),
    [
        pytest.param("GET", "/api/admin/users", None, {"scope": "users:read"}, ["admin"], id="admin-users"),
        pytest.param("GET", "/admin/posts", None, {"roles": ["customer"]}, ["admin", "editor"], id="posts"),
        pytest.param("GET", "/admin/settings", None, {"roles": ["editor"]}, ["admin"], id="settings"),
        pytest.param("GET", "/admin/dashboard", None, {"roles": ["customer"]}, ["admin"], id="dashboard"),
        pytest.param("GET", "/admin/dashboard", None, {"roles": ["Admin"]}, ["admin"], id="case"),
        pytest.param("GET", "/admin/dashboard", None, {"scope": "admin"}, ["admin"], id="a-scope-is-no-role"),
    ],
)
async def test_without_the_role_there_is_no_challenge(
    app: FastAPI, issuer: FakeIssuer, method: str, path: str, body: Any, claims: dict[str, Any], roles: list[str]
) -> None:
    """DESIGN §6, D22: an ordinary customer gets 403 without a challenge; the bundled API names the roles (T5)."""
    response = await call(app, method, path, json=body, token=issuer.token(**claims))
    assert response.status_code == 403
    assert "www-authenticate" not in response.headers
    assert response.json() == {
        "error": "access_denied",
        "error_description": "You are not allowed to do this",
        "status": 403,
        "required_roles": roles,
    }


async def test_somebody_else_s_profile_is_not_a_matter_of_scope(app: FastAPI, issuer: FakeIssuer) -> None:
    """T3: no scope would do for bob's profile, so there is no challenge."""
    for claims in ({"scope": "profile:write"}, {}, {"sub": "bob", "client_id": "bob", "scope": "profile:write"}):
        token = issuer.token(**claims)
        response = await call(app, "PUT", "/api/v1/users/bob/profile", json=PROFILE, token=token)
        assert response.status_code == 403
        assert "www-authenticate" not in response.headers
        assert response.json()["error"] == "access_denied"


@pytest.mark.parametrize(
    ("method", "path", "body", "claims", "status", "answer"),
    [
        pytest.param(
            "GET",
            "/api/v1/me",
            None,
            {"scope": "b a", "roles": ["editor"]},
            200,
            {
                "sub": "alice",
                "client_id": "example-client",
                "scope": "a b",
                "iss": "https://id.example.com",
                "roles": ["editor"],
                "exp": int(START) + 300,
            },
            id="me",
        ),
        pytest.param(
            "GET",
            "/api/v1/users",
            None,
            {"scope": "users:read"},
            200,
            [{"id": name, "display_name": name.title()} for name in ("alice", "eve", "root")],
            id="users",
        ),
        pytest.param(
            "PUT",
            "/api/v1/users/alice/profile",
            PROFILE,
            {"scope": "profile:write"},
            200,
            {"id": "alice", "display_name": "Alice"},
            id="own-profile",
        ),
        pytest.param(
            "PUT",
            "/api/v1/users/bob/profile",
            PROFILE,
            {"roles": ["admin"]},
            200,
            {"id": "bob", "display_name": "Alice"},
            id="admin-s-power",
        ),
        pytest.param(
            "GET",
            "/api/admin/users",
            None,
            {"roles": ["admin"]},
            200,
            [{"id": name, "display_name": name.title(), "origin": "bundled"} for name in ("alice", "eve", "root")],
            id="admin-users",
        ),
        pytest.param(
            "GET", "/admin/posts", None, {"roles": ["editor"]}, 200, [{"id": "1", "title": "On refusals"}], id="editor"
        ),
        pytest.param(
            "GET", "/admin/posts", None, {"roles": ["admin"]}, 200, [{"id": "1", "title": "On refusals"}], id="posts"
        ),
        pytest.param("GET", "/admin/settings", None, {"roles": ["admin"]}, 200, {"theme": "plain"}, id="settings"),
        pytest.param("GET", "/admin/dashboard", None, {"roles": ["admin"]}, 200, {"orders_today": 3}, id="dashboard"),
        pytest.param(
            "GET",
            "/orders",
            None,
            {"scope": "orders:read"},
            200,
            [{"id": 1, "item": "lamp", "quantity": 1}],
            id="orders",
        ),
        pytest.param(
            "POST",
            "/orders",
            ORDER,
            {"scope": "orders:write"},
            201,
            {"id": 2, "item": "chair", "quantity": 2},
            id="place-order",
        ),
    ],
)
async def test_a_good_token_is_served(
    app: FastAPI,
    issuer: FakeIssuer,
    method: str,
    path: str,
    body: Any,
    claims: dict[str, Any],
    status: int,
    answer: Any,
) -> None:
    """DESIGN §6; T31: for the caller's eyes alone."""
    response = await call(app, method, path, json=body, token=issuer.token(**claims))
    assert (response.status_code, response.json()) == (status, answer)
    assert response.headers["cache-control"] == "private"


async def test_placed_orders_are_kept_by_the_application_they_were_placed_in(
    server: ResourceServer, issuer: FakeIssuer
) -> None:
    """Nothing is shared by two applications of one process."""
    first, second = create_api(server), create_api(server)
    token = issuer.token(scope="orders:read orders:write")
    await call(first, "POST", "/orders", json=ORDER, token=token)
    assert [len((await call(app, "GET", "/orders", token=token)).json()) for app in (first, second)] == [2, 1]


async def test_the_last_thousand_orders_are_kept(app: FastAPI, issuer: FakeIssuer) -> None:
    """Whoever may write must not fill memory; ids are not given twice."""
    token = issuer.token(scope="orders:read orders:write")
    for _ in range(1001):
        response = await call(app, "POST", "/orders", json={"item": "x"}, token=token)
    assert response.json() == {"id": 1002, "item": "x", "quantity": 1}
    orders = (await call(app, "GET", "/orders", token=token)).json()
    assert (len(orders), orders[0]["id"], orders[-1]["id"]) == (1000, 3, 1002)
