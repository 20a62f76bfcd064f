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
def settings(mint: Mint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By which ``serve`` trusts the mint."""
    keys = tmp_path_factory.mktemp("keys") / "jwks.json"
    keys.write_text(json.dumps(dict(mint.jwks())), "utf-8")
    return {"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "RESOURCE": AUDIENCE, "JWKS_FILE": str(keys)}


@pytest.fixture(scope="session")
def served(settings: dict[str, str]) -> Iterator[Served]:
    """The bundled API under ``serve``, with a limit as in the document, out of reach of those who try bad tokens."""
    with serving(**settings, FAILED_AUTHENTICATIONS="1000000/1m") as server:
        yield server


@pytest.fixture(scope="session")
def limited(settings: dict[str, str]) -> Iterator[Served]:
    """Likewise, with a limit that one bad token reaches."""
    with serving(**settings, FAILED_AUTHENTICATIONS="1/1h") as server:
        yield server
