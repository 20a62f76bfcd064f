"""What is written about a refusal, whoever writes it.

Never a token. Text that came with a request is in it only where a signature vouches for it, and cut; whoever writes it
has to escape it.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from resource_server.configuration_error import ConfigurationError
from resource_server.events import Decision
from resource_server.observers.bounded_writer import Like

STATUSES: Final = frozenset({400, 401, 403, 404, 429, 431, 500, 503})
"""404 is the answer for a resource that is hidden from a caller, 500 for a requirement that failed."""
MAX_TEXT: Final = 256


def audit_keys(keys: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
    """One key, or two while the first replaces the second. Raises :class:`ConfigurationError`, never quoting them."""
    listed = (keys,) if isinstance(keys, bytes) else tuple(keys or ())
    if len(listed) not in (1, 2) or not all(isinstance(key, bytes) and key for key in listed):
        raise ConfigurationError(
            "audit_key", "must be one key of random bytes, or two while the first replaces the second"
        )
    return listed


def is_worth_writing(decision: Decision) -> bool:
    """Whether a decision is a refusal that an operator has to know of."""
    return decision.status in STATUSES


def likeness(decision: Decision) -> Like:
    """What makes refusals identical, so that a flood of them is counted."""
    return decision.client, decision.kind, decision.method, decision.route


def record(decision: Decision, key: bytes, key_before: bytes | None = None) -> dict[str, Any]:
    """The facts of a refusal. ``key`` keys the token's digest, so that nobody who reads it can test a guess.

    With ``key_before``, which ``key`` replaces, the token is also called as older records call it.
    """
    token = decision.token
    members = {
        "time": datetime.fromtimestamp(decision.time, UTC).isoformat(timespec="milliseconds"),
        "event": "refused",
        "status": decision.status,
        "kind": decision.kind,
        "reason": decision.refusal.reason if decision.refusal else None,
        "method": decision.method,
        "route": decision.route,
        "client": decision.client,
        "issuer": token.issuer if token else None,
        "subject": token.subject if token else None,
        "client_id": token.client_id if token else None,
        "token": _fingerprint(decision.digest, key),
        "token_before": _fingerprint(decision.digest, key_before) if key_before is not None else None,
    }
    return {name: _cut(value) for name, value in members.items() if value not in (None, "")}


def _fingerprint(digest: bytes | None, key: bytes) -> str | None:
    return hmac.new(key, digest, hashlib.sha256).hexdigest()[:16] if digest else None


def _cut(value: Any) -> Any:
    return value[:MAX_TEXT] if isinstance(value, str) else value
