"""The exported document, the tools of others that read it, and the bundled API that it speaks of."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resource_server.development.minting import Mint, SigningKey
from tests.integration.installation import UnavailableError, give_up, install
from tests.integration.serving import Served, serving
from tests.openapi.names import AUDIENCE, EXPORTED, ISSUER, LINTER, TOOLS

MISSING = "TOOLS FOR OPENAPI"


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """As it is committed."""
    loaded: dict[str, Any] = json.loads(EXPORTED.read_text("utf-8"))
    return loaded


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where they are, installed by make; a machine that cannot have them skips, CI fails."""
    if not (TOOLS / ".installed").exists():
        give_up(UnavailableError("make .venv-contract/.installed"), MISSING)
    return TOOLS / "bin"


@pytest.fixture(scope="session")
def linter() -> Path:
    """The npm package, installed."""
    try:
        install(LINTER)
    except UnavailableError as reason:
        give_up(reason, MISSING)
    return LINTER


@pytest.fixture(scope="session")
def mint() -> Mint:
    """An issuer that is known by a file of keys alone."""
    return Mint(ISSUER, [SigningKey.generate("ES256")])


@pytest.fixture(scope="session")
def served(mint: Mint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The bundled API under ``serve``."""
    keys = tmp_path_factory.mktemp("keys") / "jwks.json"
    keys.write_text(json.dumps(dict(mint.jwks())), "utf-8")
    with serving(ISSUER=ISSUER, AUDIENCE=AUDIENCE, RESOURCE=AUDIENCE, JWKS_FILE=str(keys)) as server:
        yield server
