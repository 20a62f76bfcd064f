"""Two servers to attack: the bundled API under ``serve``, and an application of the library under plain uvicorn."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from resource_server.development.minting import Mint, SigningKey
from tests.hostile.process import Server, server

ISSUER = "https://id.example.com"


@pytest.fixture(scope="package")
def mint() -> Mint:
    """The issuer of both; its tokens outlive the tests."""
    keys = [SigningKey.generate(algorithm) for algorithm in ("ES256", "RS256", "Ed25519")]
    return Mint(ISSUER, keys, lifetime=3600)


@pytest.fixture(scope="package")
def jwks_file(mint: Mint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "jwks.json"
    path.write_text(json.dumps(mint.jwks()), "ascii")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="package")
def served(jwks_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The bundled API: everything is protected."""
    variables = {"ISSUER": ISSUER, "AUDIENCE": "https://api.example.com", "JWKS_FILE": str(jwks_file)}
    settings = {f"RESOURCE_SERVER_{name}": value for name, value in variables.items()}
    with server(tmp_path_factory.mktemp("served"), "resource_server", "serve", "--port", "0", **settings) as running:
        yield running


@pytest.fixture(scope="package")
def routes(jwks_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An application that protects some of its routes, with FastAPI's and uvicorn's defaults for all else."""
    with server(tmp_path_factory.mktemp("routes"), "tests.hostile.routes_app", str(jwks_file)) as running:
        yield running


@pytest.fixture(scope="package")
def user_token(mint: Mint) -> str:
    """A good token of somebody who is no admin."""
    return mint.access_token(scope="orders:read orders:write users:read")


@pytest.fixture(scope="package")
def admin_token(mint: Mint) -> str:
    return mint.access_token(roles=["admin"])
