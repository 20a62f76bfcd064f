"""The decision table of the contract, as data: ``data/refusals.json`` is its copy, byte for byte."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resource_server.challenge import ProtectionSpace
from resource_server.demands import Demands
from resource_server.refusals import TABLE, Kind

METADATA = "https://api.example.com/.well-known/oauth-protected-resource"
BEARER_ONLY = ProtectionSpace(realm="api", resource="https://api.example.com", resource_metadata=METADATA)
BEARER_AND_DPOP = ProtectionSpace(
    realm="api",
    resource="https://api.example.com",
    resource_metadata=METADATA,
    dpop_algorithms=("ES256", "PS256"),
)
DEMANDS = Demands(scopes=("orders:read", "orders:write"), acr_values=("urn:example:mfa",), max_age=300)

# The table's lines, by which the rule for the other scheme is spelled out in the tests.
BARE_BEARER = f'Bearer realm="api", scope="orders:read orders:write", resource_metadata="{METADATA}"'
BARE_DPOP = f'DPoP realm="api", scope="orders:read orders:write", algs="ES256 PS256", resource_metadata="{METADATA}"'


@dataclass(frozen=True)
class Entry:
    """One row of the contract's table."""

    id: str
    status: int
    bearer_only: list[str] | None
    """WWW-Authenticate lines; None where the row does not apply."""
    bearer_and_dpop: list[str] | None
    body: dict[str, Any]
    headers: list[str]
    body_with_disclose_requirements: dict[str, Any] | None = None

    @property
    def content(self) -> bytes:
        """The body on the wire: members in the order of the table."""
        return json.dumps(self.body, separators=(",", ":")).encode()


def _read() -> dict[str, Entry]:
    rows = json.loads((Path(__file__).parent / "data" / "refusals.json").read_text("utf-8"))
    told = ("refusal", "ground", "note")
    return {row["id"]: Entry(**{name: value for name, value in row.items() if name not in told}) for row in rows}


ENTRIES = _read()
KINDS = [kind for kind in Kind if TABLE[kind].id in ENTRIES]
"""The kinds that the table answers; two more have rows of their own (threats T2 and T29)."""


def kinds_of(*ids: str) -> list[Kind]:
    """The kinds that a row, or several, answer."""
    return [kind for kind in Kind if TABLE[kind].id in ids]


def numbered(first: int, last: int) -> tuple[str, ...]:
    """``numbered(6, 8)`` is D06, D07, D08."""
    return tuple(f"D{number:02}" for number in range(first, last + 1))
