"""How the operator writes an issuer's settings, so that a cure can be pasted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spelling:
    """As environment variables; or, of several issuers, in a numbered ``[[issuers]]`` table."""

    table: int | None = None
    """Counted from 1."""

    def name(self, option: str) -> str:
        """A setting's name."""
        return f"RESOURCE_SERVER_{option.upper()}" if self.table is None else f"{option} {self._where}"

    def line(self, option: str, value: str | Sequence[str]) -> str:
        """A setting with its value, as one line."""
        if self.table is None:
            return f"{self.name(option)}={value if isinstance(value, str) else ','.join(value)}"
        return f"{option} = {json.dumps(value, ensure_ascii=False)} {self._where}"

    @property
    def _where(self) -> str:
        return f"in [[issuers]] table {self.table}"
