"""Where the document and its tools are, and the names by which the API and its issuer know each other."""

from pathlib import Path
from typing import Any, Final

from tests.integration.serving import ROOT

EXPORTED: Final = ROOT / "openapi/openapi.json"
LINTER: Final = Path(__file__).parent / "npm"
TOOLS: Final = ROOT / ".venv-contract"
"""The generator of clients and the tester have an environment of their own."""

ISSUER: Final = "https://id.example.com"
AUDIENCE: Final = "https://api.example.com"
EVERYTHING: Final[dict[str, Any]] = {
    "scope": "orders:read orders:write users:read profile:write",
    "roles": ["admin", "editor"],
}
"""Claims of a token that opens every route."""
