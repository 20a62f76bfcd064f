"""A client that is generated from the exported document calls the running API: each answer is a typed result."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from resource_server.development.minting import Mint
from tests.integration.serving import ROOT, Served
from tests.openapi.names import AUDIENCE, EVERYTHING, EXPORTED

HERE = Path(__file__).parent
METADATA = f'resource_metadata="{AUDIENCE}/.well-known/oauth-protected-resource"'
# What a generated client depends on: while they stay, one that was generated is as good as a new one.
CAUSES = [EXPORTED, HERE / "generator.yaml", ROOT / "contract.lock"]


@pytest.fixture(scope="session")
def package(programs: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated package, kept between runs."""
    digest = hashlib.sha256(b"".join(cause.read_bytes() for cause in CAUSES)).hexdigest()[:16]
    kept: Path = request.config.cache.mkdir("generated-client") / digest
    if not kept.exists():
        fresh = tmp_path_factory.mktemp("client") / "fresh"
        generate(programs, EXPORTED, fresh / "bundled_client")
        kept.parent.mkdir(exist_ok=True)
        fresh.rename(kept)
    return kept


def generate(programs: Path, document: Path, target: Path) -> None:
    """What the generator can't express is a failure."""
    target.parent.mkdir()
    command: list[str | Path] = [programs / "openapi-python-client", "generate", "--path", document]
    command += ["--output-path", target, "--meta", "none", "--config", HERE / "generator.yaml", "--fail-on-warning"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def results(programs: Path, package: Path, served: Served, mint: Mint) -> dict[str, Any]:
    """What the client made of each call; one process makes them all."""
    all_, none = mint.access_token(**EVERYTHING), mint.access_token()
    order = {"function": "orders.place_order", "model": "Order"}
    calls: dict[str, dict[str, Any]] = {
        "ready": {"function": "health.read_readiness"},
        "me": {"function": "users.read_me", "token": none},
        "orders": {"function": "orders.list_orders", "token": all_},
        "placed": {**order, "token": all_, "arguments": {"body": {"item": "lamp", "quantity": 2}}},
        "unprocessable": {**order, "token": all_, "arguments": {"body": {"item": "lamp", "quantity": 0}}},
        "missing": {"function": "orders.list_orders"},
        "invalid": {"function": "orders.list_orders", "token": f"{all_[:-8]}AAAAAAAA"},
        "scope": {"function": "orders.list_orders", "token": none},
        "role": {"function": "users.list_users_as_admin", "token": none},
        "not found": {
            "function": "users.write_profile",
            "token": all_,
            "model": "Profile",
            "arguments": {"user_id": "a/b", "body": {"display_name": "A"}},
        },
    }
    return dict(zip(calls, make(programs, package, served, list(calls.values())), strict=True))


def make(programs: Path, package: Path, served: Served, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the client makes of each call."""
    done = subprocess.run(
        [programs / "python", "-W", "error", HERE / "client_calls.py"],
        input=json.dumps({"url": served.url, "calls": calls}),
        env={"PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    made: list[dict[str, Any]] = json.loads(done.stdout)
    return made


@pytest.mark.parametrize(
    ("name", "status", "kind", "value"),
    [
        pytest.param("ready", 200, "Readiness", {"status": "ready"}, id="open"),
        pytest.param("orders", 200, "PlacedOrder", {"id": 1, "item": "lamp", "quantity": 1}, id="list"),
        pytest.param("placed", 201, "PlacedOrder", {"id": 2, "item": "lamp", "quantity": 2}, id="created"),
    ],
)
def test_what_is_allowed_comes_as_its_model(
    results: dict[str, Any], name: str, status: int, kind: str, value: dict[str, Any]
) -> None:
    """The positive control; the order of the calls is fixed, so the numbers are."""
    result = results[name]
    assert (result["status"], result["types"][0], result["values"][0]) == (status, kind, value)


def test_the_token_reaches_the_api(results: dict[str, Any]) -> None:
    """As a Bearer token: the client sends it by the scheme of the document."""
    assert results["me"]["types"] == ["Me"]
    assert results["me"]["values"][0]["sub"] == "alice"


REFUSED = [
    pytest.param(
        "missing",
        {"status": 401, "title": "Unauthorized"},
        f'Bearer realm="api", scope="orders:read", {METADATA}',
        id="no token",
    ),
    pytest.param(
        "invalid",
        {"status": 401, "error": "invalid_token", "error_description": "The access token is invalid"},
        f'Bearer realm="api", error="invalid_token", error_description="The access token is invalid", {METADATA}',
        id="a forged token",
    ),
    pytest.param(
        "scope",
        {"status": 403, "error": "insufficient_scope", "scope": "orders:read"},
        'Bearer realm="api", error="insufficient_scope", '
        f'error_description="The access token lacks the required scope", scope="orders:read", {METADATA}',
        id="no scope",
    ),
    pytest.param("role", {"status": 403, "error": "access_denied", "required_roles": ["admin"]}, None, id="no role"),
    pytest.param("not found", {"status": 404, "title": "Not Found"}, None, id="no such path"),
    pytest.param("unprocessable", {"status": 422, "title": "Unprocessable Content"}, None, id="content"),
]


@pytest.mark.parametrize(("name", "members", "challenge"), REFUSED)
def test_a_refusal_comes_as_its_model_and_not_as_an_exception(
    results: dict[str, Any], name: str, members: dict[str, Any], challenge: str | None
) -> None:
    """A client's author branches on `status` and `error`, and reads the challenge."""
    result = results[name]
    assert result["types"] == ["Refusal"]
    assert result["status"] == members["status"]
    assert result["values"][0].items() >= members.items()
    assert result["challenge"] == challenge


def test_a_limit_comes_as_its_model_with_the_time_to_wait(
    programs: Path, package: Path, limited: Served, mint: Mint
) -> None:
    """D28: whoever guesses waits; whose token was good before does not."""
    me, orders = {"function": "users.read_me"}, {"function": "orders.list_orders"}
    good, new, bad = mint.access_token(**EVERYTHING), mint.access_token(**EVERYTHING), "guess"
    known, refused, over, good_and_new, still = make(
        programs,
        package,
        limited,
        [{**me, "token": good}, *({**orders, "token": token} for token in (bad, bad, new)), {**me, "token": good}],
    )
    assert [one["status"] for one in (known, refused, over, good_and_new, still)] == [200, 401, 429, 429, 200]
    for one in (over, good_and_new):
        assert one["types"] == ["Refusal"]
        assert one["values"] == [{"status": 429, "error": "rate_limited", "error_description": "Too many requests"}]
        assert one["challenge"] is None
        assert 3500 < int(one["retry_after"]) <= 3600


def test_what_the_generator_cannot_express_is_a_failure(programs: Path, tmp_path: Path) -> None:
    """The control: a schema that nothing is."""
    document = json.loads(EXPORTED.read_text("utf-8"))
    document["components"]["schemas"]["Refusal"]["properties"]["status"] = {"$ref": "#/components/schemas/Nothing"}
    broken = tmp_path / "openapi.json"
    broken.write_text(json.dumps(document), "utf-8")
    with pytest.raises(AssertionError, match="Nothing"):
        generate(programs, broken, tmp_path / "broken/bundled_client")
