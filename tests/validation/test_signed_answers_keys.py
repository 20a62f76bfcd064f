"""The keys that sign introspection answers: new ones, ones in another's place, and forgers' (RFC 9701, T22)."""

from collections.abc import Callable

import pytest

from resource_server import ResourceServer
from resource_server.development.minting import SigningKey
from resource_server.issuers.algorithms import ALGORITHMS
from resource_server.issuers.fetch import Fetched
from resource_server.issuers.introspection_endpoint import Answered
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.jwk_set import Key
from resource_server.issuers.keys import IssuerKeys
from resource_server.testing import FakeIssuer
from resource_server.validation.introspection_answer import NoAnswer, read_signed
from tests.introspecting import URL, Endpoint, issuer, kind, refusal, server
from tests.turnable_clock import TurnableClock
from tests.validation.test_signed_answers import TYPE, Signing


@pytest.fixture
def signing(make_issuer: Callable[..., FakeIssuer], time: TurnableClock) -> Signing:
    """Signs with a key of which there are two of one kind, so that its kid counts."""
    mint = make_issuer(URL)
    mint.mint.keys.append(SigningKey.generate("ES256"))
    return Signing(mint, Endpoint(time), time)


@pytest.fixture
def api(signing: Signing, time: TurnableClock) -> ResourceServer:
    return server(time, signing.endpoint, issuer(signed=True), fetch=signing.mint.fetch)


async def test_a_new_key_that_signs_answers_is_fetched(api: ResourceServer, signing: Signing) -> None:
    """Pain 2: the first answers after a rotation are believed."""
    assert await kind(api, "before") is None
    signing.mint.mint.keys.insert(0, SigningKey.generate("ES256"))
    signing.say()
    assert await kind(api, "after") is None


async def test_a_key_that_was_replaced_under_its_kid_is_fetched(api: ResourceServer, signing: Signing) -> None:
    """A development provider that starts anew; or else no opaque token could be judged until the next refresh."""
    assert await kind(api, "before") is None
    kid = signing.mint.mint.keys[0].kid
    signing.mint.mint.keys[0] = SigningKey.generate("ES256", kid=kid)
    signing.say()
    assert await kind(api, "after") is None
    signing.say(key=SigningKey.generate("ES256", kid=kid))
    assert "signature is not the issuer's" in str(await refusal(api, "forged"))


async def test_an_answer_that_neither_the_key_before_nor_the_one_after_has_signed_is_none(
    api: ResourceServer, signing: Signing
) -> None:
    """RS-9701-5-a: judged once more, by the key that was found in the other's place."""
    assert await kind(api, "before") is None
    kid = signing.mint.mint.keys[0].kid
    signing.mint.mint.keys[0] = SigningKey.generate("ES256", kid=kid)
    signing.say(key=SigningKey.generate("ES256", kid=kid))
    assert "signature is not the issuer's" in str(await refusal(api, "forged"))
    signing.say()
    assert await kind(api, "after") is None


async def test_forged_answers_under_a_known_kid_force_one_fetch(api: ResourceServer, signing: Signing) -> None:
    """T22: who stands in the endpoint's place causes no more requests than strangers could."""
    assert await kind(api, "before") is None
    asked = len(signing.mint.requests)
    signing.say(key=SigningKey.generate("ES256", kid=signing.mint.mint.keys[0].kid))
    for number in range(10):
        assert "signature is not the issuer's" in str(await refusal(api, f"forged-{number}"))
    assert len(signing.mint.requests) == asked + 1


class Unverifiable(IssuerKeys):
    """Keys of which the library can make nothing."""

    async def find(self, kid: str | None, algorithm: str, *, may_force: Callable[[], bool]) -> Key:
        return Key(kid, ALGORITHMS[algorithm], "thumbprint", None, object())


async def test_a_failure_of_the_library_is_no_good_signature(signing: Signing, time: TurnableClock) -> None:
    """T28, ruling 24: never a 500, and never an acceptance."""

    async def nobody(url: str) -> Fetched:
        raise AssertionError(url)

    trusted: Issuer = issuer(signed=True)
    keys = Unverifiable(trusted, clock=time.clock, fetch=nobody)
    answered = Answered(200, TYPE, signing.jwt().encode())
    with pytest.raises(NoAnswer, match="signature is not the issuer's"):
        await read_signed(answered, trusted, "api", keys, time.wall)
