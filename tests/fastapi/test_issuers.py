"""Several issuers on one API: whose token it is decides what it may do (T1)."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from resource_server import Grants, Issuer, ResourceServer, claim, owner, role
from resource_server.issuers.fetch import Fetched
from resource_server.testing import FakeIssuer
from tests.calls import bearer
from tests.fastapi.ways import ok

API = "https://api.example.com"
OURS, PARTNER = FakeIssuer("https://id.example.com"), FakeIssuer("https://partner.example")


async def fetch(url: str) -> Fetched:
    return await (OURS if url.startswith(OURS.url) else PARTNER).fetch(url)


def client(partner: Any = None, **options: Any) -> TestClient:
    api = ResourceServer(
        Issuer(url=OURS.url, audience=API, grants="everything"),
        Issuer(url=PARTNER.url, audience=API, grants=partner),
        fetch=fetch,
        observers=(),
        **options,
    )
    app = FastAPI()
    api.install(app)
    app.get("/any", dependencies=[api.requires()])(ok)
    app.get("/orders", dependencies=[api.requires("orders:read")])(ok)
    app.get("/admin", dependencies=[api.requires(role("admin"))])(ok)
    app.get("/tier", dependencies=[api.requires(claim("tier", "gold"))])(ok)
    app.get("/users/{user_id}", dependencies=[api.requires(owner("user_id"))])(ok)
    return TestClient(app)


MIGHTY = {"sub": "alice", "scope": "orders:read", "roles": ["admin"], "tier": "gold"}


@pytest.mark.parametrize("path", ["/any", "/orders", "/admin", "/tier", "/users/alice"])
def test_our_own_issuer_grants_what_it_says(path: str) -> None:
    """T1: the positive control."""
    assert client().get(path, headers=bearer(OURS.token(**MIGHTY))).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"), [("/any", 200), ("/orders", 403), ("/admin", 403), ("/tier", 403), ("/users/alice", 403)]
)
def test_a_partner_without_grants_opens_what_needs_any_token_alone(path: str, status: int) -> None:
    """T1: a partner mints sub: alice and roles: [admin], and neither owns nor administers ours."""
    assert client().get(path, headers=bearer(PARTNER.token(**MIGHTY))).status_code == status


@pytest.mark.parametrize(
    ("path", "status"), [("/any", 200), ("/orders", 200), ("/admin", 403), ("/tier", 200), ("/users/alice", 403)]
)
def test_a_partner_grants_what_is_declared(path: str, status: int) -> None:
    """T1."""
    partner = Grants(scopes=["orders:read"], claims=["tier"])
    assert client(partner).get(path, headers=bearer(PARTNER.token(**MIGHTY))).status_code == status


def test_a_scope_that_includes_others_is_dropped_before_it_does() -> None:
    """T1: dropped before authorization, so a declared hierarchy adds nothing to it."""
    lent = client(Grants(scopes=["orders:read"]), scope_hierarchy={"root": ["orders:read"]})
    assert lent.get("/orders", headers=bearer(PARTNER.token(scope="root"))).status_code == 403
    assert lent.get("/orders", headers=bearer(OURS.token(scope="root"))).status_code == 200


def test_neither_issuer_s_key_signs_for_the_other() -> None:
    """RS-8725-3.8-a."""
    forged = PARTNER.mint.access_token(iss=OURS.url, sub="alice", roles=["admin"])
    answer = client().get("/admin", headers=bearer(forged))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_the_metadata_names_all_issuers() -> None:
    """RFC 9728 §2."""
    api = ResourceServer(
        Issuer(url=OURS.url, audience=API, grants="everything"), Issuer(url=PARTNER.url, audience=API), resource=API
    )
    app = FastAPI()
    api.install(app)
    document = TestClient(app).get("/.well-known/oauth-protected-resource").json()
    assert document["authorization_servers"] == [OURS.url, PARTNER.url]
