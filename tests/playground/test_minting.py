"""What the playground mints and signs: what the development server would issue, or whatever it is told to."""

import json
from typing import Any

import pytest

from resource_server.testing import FakeIssuer
from tests.playground.conftest import Post


async def claims(issuer: FakeIssuer, post: Post, **sent: Any) -> dict[str, Any]:
    found = issuer.mint.read((await post("mint", **sent))["token"])
    assert found is not None
    return found


async def test_a_user_s_token_is_what_a_login_would_give(issuer: FakeIssuer, post: Post) -> None:
    """RFC 9068 §2.2; the scopes are at most the account's."""
    scopes = ["users:read", "orders:read", "unknown", 1]
    found = await claims(issuer, post, account="alice", client="swagger-ui", scopes=scopes)
    assert {name: found[name] for name in ("sub", "client_id", "scope", "roles")} == {
        "sub": "alice",
        "client_id": "swagger-ui",
        "scope": "orders:read",
        "roles": ["customer"],
    }
    assert {"auth_time", "acr"} <= found.keys()


async def test_a_client_s_own_token_has_no_user(issuer: FakeIssuer, post: Post) -> None:
    """RFC 9068 §5."""
    found = await claims(issuer, post, account="example-service", client="example-service", scopes=[])
    assert found["sub"] == found["client_id"] == "example-service"
    assert not {"roles", "scope", "auth_time", "acr"} & found.keys()


async def test_what_is_edited_is_signed_with_the_issuer_s_key(issuer: FakeIssuer, post: Post) -> None:
    """Header parameters that are left out stay out."""
    header = json.dumps({"alg": "ES256", "typ": "at+jwt"}, indent=2)
    token = (await post("sign", header=header, claims='{"sub": "mallory"}', forged=False))["token"]
    assert issuer.mint.read(token) == {"sub": "mallory"}
    assert token.split(".")[0] == "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9"


async def test_a_stranger_s_signature_is_told_from_the_issuer_s(
    issuer: FakeIssuer, post: Post, explained: Post
) -> None:
    """DESIGN §6: bad_signature, with the kid of a key that exists."""
    shown = await explained((await post("mint", account="alice", client="swagger-ui", scopes=["orders:read"]))["token"])
    for forged, kind in ((True, "bad_signature"), (False, None)):
        signed = await post("sign", header=shown["header"], claims=shown["claims"], forged=forged)
        assert (await explained(signed["token"]))["kind"] == kind


@pytest.mark.parametrize("text", ['{"sub":"a","sub":"b"}', "{", "", "[]", '{"n": NaN}', "\x00é"])
async def test_what_is_no_proper_json_is_signed_as_it_stands(post: Post, explained: Post, text: str) -> None:
    """So that it can be seen to be refused."""
    header = '{"alg": "ES256", "typ": "at+jwt"}'
    token = (await post("sign", header=header, claims=text, forged=False))["token"]
    assert (await explained(token))["kind"] == "malformed_token"
