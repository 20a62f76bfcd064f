"""One requirement, one token, one verdict."""

import ipaddress
from dataclasses import replace
from typing import Any

from resource_server.authorization import Circumstances, Requirement
from resource_server.forwarding import Client
from resource_server.refusals import Kind, Refusal
from resource_server.testing import make_token

NOW = 1_800_000_000.0
ISSUER = "https://id.example.com"
PARTNER = "https://partner.example.com"
INSIDE = Client(ipaddress.ip_address("10.0.0.7"), secure=True)
OUTSIDE = Client(ipaddress.ip_address("203.0.113.7"), secure=True)


async def refusal_of(
    requirement: Requirement,
    *,
    client: Client = OUTSIDE,
    path: dict[str, Any] | None = None,
    now: float = NOW,
    leeway: float = 0.0,
    **facts: Any,
) -> Refusal | None:
    """Judge a token of these facts (``subject``, ``scopes``, ``roles``, ``claims``, …)."""
    scopes = frozenset(facts.pop("scopes", ()))  # what a strange issuer may write, too
    token = replace(make_token(**{"issuer": ISSUER, **facts}), scopes=scopes)
    circumstances = Circumstances(
        client=client, path_params=path or {}, granted=token.scopes, first_issuer=ISSUER, now=now, leeway=leeway
    )
    return await requirement.judge(token, circumstances)


async def verdict(requirement: Requirement, **options: Any) -> Kind | None:
    """The kind of the refusal; None where the requirement is met."""
    refusal = await refusal_of(requirement, **options)
    return refusal.kind if refusal else None
