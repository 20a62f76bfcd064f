"""``serve`` while the issuer is away, and when its keys change (DESIGN §9)."""

import json
import socket
from pathlib import Path

import pytest

from resource_server.development.minting import Mint, SigningKey
from tests.integration.exchange import Answer, bearer, send
from tests.integration.identity_provider import API
from tests.integration.key_server import key_server
from tests.integration.serving import Served, serving

UNAVAILABLE = {
    "error": "temporarily_unavailable",
    "error_description": "Authorization cannot be verified at the moment",
    "status": 503,
}
INVALID = 'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"'


def me(served: Served, token: str) -> Answer:
    return send(served.port, "GET", "/api/v1/me", bearer(token))


def check_unavailable(answer: Answer) -> None:
    assert answer.status == 503
    assert answer.challenges == []
    assert answer.body == UNAVAILABLE
    [seconds] = answer.all("retry-after")
    assert 1 <= int(seconds) <= 10
    assert answer.all("cache-control") == ["no-store"]


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_an_issuer_that_is_down_at_the_start_is_never_the_clients_fault(free_port: int) -> None:
    """D26, ruling 17: 503 for whom the issuer alone could judge; others are answered as ever."""
    mint = Mint(f"http://127.0.0.1:{free_port}")
    with serving(ISSUER=mint.issuer, AUDIENCE=API) as served:
        check_unavailable(me(served, mint.access_token()))
        check_unavailable(me(served, mint.access_token(key=SigningKey.generate())))
        assert send(served.port, "GET", "/healthz").status == 200
        ready = send(served.port, "GET", "/readyz")
        assert (ready.status, ready.all("retry-after")) == (503, ["30"])
        assert ready.body["issuers"] == [{"issuer": mint.issuer, "keys": "unavailable"}]
        missing = send(served.port, "GET", "/api/v1/me")
        assert (missing.status, missing.challenges) == (401, ['Bearer realm="api"'])
        for broken in ("opaque", mint.access_token(iss="https://other"), mint.access_token(header={"typ": "JWT"})):
            assert (me(served, broken).status, me(served, broken).challenges) == (401, [INVALID])
    unavailable = [line for line in served.audit if line["kind"] == "issuer_unavailable"]
    assert len(unavailable) == 2
    assert all(line["reason"].startswith(f"{mint.issuer}: ") for line in unavailable)
    assert all("subject" not in line and "issuer" not in line for line in unavailable)


def test_known_keys_go_on_while_the_issuer_is_down(free_port: int) -> None:
    """DESIGN §9: known tokens, and new ones of known keys; an unknown key nobody can judge now (ruling 16)."""
    with key_server(free_port) as keys, serving(ISSUER=keys.issuer, AUDIENCE=API) as served:
        first = keys.mint.access_token()
        assert me(served, first).status == 200
        keys.stop()
        assert me(served, first).status == 200
        assert me(served, keys.mint.access_token()).status == 200
        check_unavailable(me(served, keys.mint.access_token(key=SigningKey.generate())))
        assert me(served, keys.mint.access_token()).status == 200
        assert send(served.port, "GET", "/readyz").status == 200


def test_a_new_key_is_fetched_once_for_all_its_tokens() -> None:
    """DESIGN §9, known mistakes no. 2: the first calls after a rotation are no 401."""
    with key_server() as keys, serving(ISSUER=keys.issuer, AUDIENCE=API) as served:
        assert me(served, keys.mint.access_token()).status == 200
        keys.mint.keys.insert(0, SigningKey.generate("ES256"))
        before = keys.requests.count("/jwks.json")
        assert [me(served, keys.mint.access_token()).status for _ in range(5)] == [200] * 5
        assert keys.requests.count("/jwks.json") == before + 1


def test_strangers_cannot_make_it_ask_the_issuer() -> None:
    """T22, D09: unknown keys force two fetches at once and then one in ten seconds; other issuers none."""
    with key_server() as keys, serving(ISSUER=keys.issuer, AUDIENCE=API) as served:
        assert me(served, keys.mint.access_token()).status == 200
        before = len(keys.requests)
        for _ in range(10):
            token = keys.mint.access_token(key=SigningKey.generate("ES256"), iss=f"{keys.issuer}/other")
            assert me(served, token).status == 401
        assert len(keys.requests) == before
        for _ in range(10):
            token = keys.mint.access_token(key=SigningKey.generate("ES256"))
            assert me(served, token).status == 401
        assert keys.requests.count("/jwks.json") - 1 in (2, 3)


def test_a_key_set_in_a_file_needs_no_network(tmp_path: Path) -> None:
    """DESIGN §5: JWKS_FILE skips discovery."""
    mint = Mint("https://id.example.invalid", [SigningKey.generate("Ed25519")])
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(mint.jwks()))
    path.chmod(0o644)
    with serving(ISSUER=mint.issuer, AUDIENCE=API, JWKS_FILE=str(path)) as served:
        assert me(served, mint.access_token()).body["iss"] == mint.issuer
        answer = me(served, mint.access_token(key=SigningKey.generate("Ed25519")))
        assert (answer.status, answer.challenges) == (401, [INVALID])


def test_a_key_set_that_is_no_json_is_our_fault_and_not_the_clients(tmp_path: Path) -> None:
    """D26."""
    mint = Mint("https://id.example.invalid")
    path = tmp_path / "keys.json"
    path.write_text("<html>")
    path.chmod(0o644)
    with serving(ISSUER=mint.issuer, AUDIENCE=API, JWKS_FILE=str(path)) as served:
        check_unavailable(me(served, mint.access_token()))
        assert send(served.port, "GET", "/readyz").status == 503
