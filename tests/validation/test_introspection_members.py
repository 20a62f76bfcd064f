"""The members of an introspection answer have RFC 7662's names, whatever a provider calls its claims in a JWT."""

from typing import Any

import pytest

from resource_server import ConfigurationError, ResourceServer
from resource_server.issuers.presets import PRESETS
from resource_server.stores.memory import MemoryStore
from tests.introspecting import GOOD, Endpoint, issuer, judge, server
from tests.turnable_clock import TurnableClock

OTHERWISE: dict[str, Any] = {
    "client_id_claim": "cid",
    "audience_claim": "client_id",
    "scope_claim": "scp",
    "scope_shape": "array",
}


async def test_an_answer_is_read_by_the_names_of_the_standard(time: TurnableClock) -> None:
    """RFC 7662 §2.2: client_id, scope and aud; a provider that has its own names has them in its JWTs."""
    api = server(time, Endpoint(time), issuer(**OTHERWISE))
    token = await judge(api, GOOD, "orders:read")
    assert token.client_id == "shop"
    assert token.scopes == {"orders:read"}


def test_a_preset_takes_an_introspection_endpoint(time: TurnableClock) -> None:
    """Each of the presets can be asked about opaque tokens, too."""
    asked = issuer().introspection
    url = "https://id.example.com/realms/shop"
    keycloak = PRESETS["keycloak"](url, audience="https://api.example.com", introspection=asked)
    assert keycloak.introspection == asked


def test_a_key_without_a_store_ends_the_start() -> None:
    """DESIGN §3: contradictory options fail at construction."""
    with pytest.raises(ConfigurationError, match="store_key is of no use without a store: give one, too"):
        ResourceServer(issuer(), store_key=[b"x" * 32])
    assert ResourceServer(issuer(), store=MemoryStore(), store_key=[b"x" * 32]).store is not None
