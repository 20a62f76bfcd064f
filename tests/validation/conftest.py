"""An issuer's keys, a mint that signs with them, and the validator that trusts them."""

from collections.abc import Awaitable, Callable

import pytest

from resource_server.clock import Clock
from resource_server.credentials import Credentials
from resource_server.development.minting import Mint
from resource_server.issuers.algorithms import ALGORITHMS
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.refusals import Kind, Refusal
from resource_server.validation.jwt import JwtValidator
from tests.issuers.key_kinds import signing_key
from tests.issuers.publisher import URL, Publisher
from tests.turnable_clock import TurnableClock

API = "https://api.example.com"


@pytest.fixture
def mint(time: TurnableClock) -> Mint:
    return Mint(URL, [signing_key("ES256")], clock=lambda: time.wall, audience=API)


@pytest.fixture
def publisher(mint: Mint) -> Publisher:
    return Publisher(*mint.keys)


def validator_of(
    publisher: Publisher, clock: Clock, *, algorithms: tuple[str, ...] = tuple(ALGORITHMS)
) -> JwtValidator:
    issuer = Issuer(url=URL, audience=API, jwks_uri=URL + "/keys", algorithms=algorithms)
    return JwtValidator(TrustedIssuers([issuer], clock=clock, fetch=publisher), clock)


@pytest.fixture
def validator(publisher: Publisher, time: TurnableClock) -> JwtValidator:
    return validator_of(publisher, time.clock)


Refused = Callable[[str], Awaitable[Kind | None]]


@pytest.fixture
def refused(validator: JwtValidator) -> Refused:
    """Why a token is refused; None where it is valid."""

    async def kind_of(token: str) -> Kind | None:
        try:
            await validator.validate(Credentials("Bearer", token, b""))
        except Refusal as refusal:
            return refusal.kind
        return None

    return kind_of
