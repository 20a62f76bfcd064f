"""What we accept, others accept too: our verdict against PyJWT's and joserfc's on the same bytes."""

import asyncio
import functools
from typing import Any

import jwt as pyjwt
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from resource_server.credentials import Credentials
from resource_server.development.minting import Mint
from resource_server.refusals import Refusal
from tests.issuers.key_kinds import signing_key
from tests.issuers.publisher import URL, Publisher
from tests.turnable_clock import START, TurnableClock
from tests.validation.conftest import API, validator_of

EC = signing_key("ES256")
TOKEN = Mint(URL, [EC], clock=lambda: START, audience=API).access_token(scope="notes:read")
PUBLIC = ECKey.import_key(EC.public_jwk)


@functools.cache
def validator() -> Any:
    return validator_of(Publisher(EC), TurnableClock().clock)


async def we_accept(token: str) -> bool:
    try:
        await validator().validate(Credentials("Bearer", token, b""))
    except Refusal:
        return False
    return True


def another_accepts(token: str) -> bool:
    try:
        pyjwt.decode(
            token, PUBLIC.as_pem(private=False), ["ES256"], audience=API, issuer=URL, options={"verify_exp": False}
        )
    except (pyjwt.PyJWTError, ValueError, TypeError):
        try:
            return bool(jws.deserialize_compact(token, PUBLIC, ["ES256"]).payload)
        except Exception:  # noqa: BLE001 - whatever it raises, it does not accept
            return False
    return True


async def test_the_unspoiled_token_is_accepted_by_all() -> None:
    """The positive control."""
    assert await we_accept(TOKEN)
    assert another_accepts(TOKEN)


edits = st.tuples(st.integers(0, len(TOKEN)), st.integers(0, 3), st.text("AZaz09-_.=+/ \n", max_size=3))


@given(st.lists(edits, min_size=1, max_size=3))
def test_a_spoiled_token_is_not_accepted_by_us_alone(spoilt: list[tuple[int, int, str]]) -> None:
    """threats.md, How it is shown: any "we accept, both refuse" is red."""
    token = TOKEN
    for at, removed, inserted in spoilt:
        token = token[:at] + inserted + token[at + removed :]
    if asyncio.run(we_accept(token)):
        assert another_accepts(token)
        assert token == TOKEN, "and bytes have one spelling, so only the same text can be good"
