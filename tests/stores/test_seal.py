"""T15: who writes to the store is believed nothing, and who reads it learns nothing."""

import os

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.stores.seal import MIN_KEY, Seal, context_of, key_of

KEY, OTHER = b"k" * 32, b"o" * 32
CONTEXT = context_of(b"https://id.example.com/introspect", b"api", b"digest")
VALUE = b'{"members": {"active": true}}'


@pytest.fixture
def seal() -> Seal:
    return Seal([KEY])


def test_what_was_sealed_can_be_opened(seal: Seal) -> None:
    """In the same context, by another process with the same key."""
    assert Seal([KEY]).open(seal.seal(VALUE, CONTEXT), CONTEXT) == VALUE
    assert seal.open(seal.seal(b"", CONTEXT), CONTEXT) == b""


def test_a_sealed_value_shows_nothing(seal: Seal) -> None:
    """Nor that two of them are equal."""
    first, second = seal.seal(VALUE, CONTEXT), seal.seal(VALUE, CONTEXT)
    assert VALUE[:8] not in first
    assert first != second
    assert first[:12] != second[:12]


@pytest.mark.parametrize(
    "context",
    [
        pytest.param(context_of(b"https://id.example.com/introspect", b"api", b"other"), id="token"),
        pytest.param(context_of(b"https://id.example.com/introspect", b"other", b"digest"), id="client"),
        pytest.param(context_of(b"https://other.example.com/introspect", b"api", b"digest"), id="endpoint"),
        pytest.param(context_of(b"https://id.example.com/introspect", b"apidigest"), id="joined"),
        pytest.param(context_of(b"https://id.example.com/introspectapi", b"", b"digest"), id="shifted"),
        pytest.param(b"", id="none"),
    ],
)
def test_a_value_that_was_moved_to_another_place_is_not_opened(seal: Seal, context: bytes) -> None:
    """GHSA-4mq7-pvjg-xp2r: one endpoint's answer was taken for another's."""
    assert seal.open(seal.seal(VALUE, CONTEXT), context) is None
    assert key_of(context) != key_of(CONTEXT)


def test_another_key_opens_nothing(seal: Seal) -> None:
    """A neighbour who seals with a key of his own."""
    assert seal.open(Seal([OTHER]).seal(VALUE, CONTEXT), CONTEXT) is None


def test_one_bit_that_was_turned_anywhere_closes_it_for_ever(seal: Seal) -> None:
    """At every byte: of the nonce, of the text and of the tag."""
    sealed = seal.seal(VALUE, CONTEXT)
    for place in range(len(sealed)):
        for bit in range(8):
            turned = bytearray(sealed)
            turned[place] ^= 1 << bit
            assert seal.open(bytes(turned), CONTEXT) is None


def test_what_was_cut_or_lengthened_is_not_opened(seal: Seal) -> None:
    """At every length, from nothing on."""
    sealed = seal.seal(VALUE, CONTEXT)
    assert [length for length in range(len(sealed)) if seal.open(sealed[:length], CONTEXT) is not None] == []
    assert seal.open(sealed + b"\x00", CONTEXT) is None
    assert seal.open(b"\x00" + sealed, CONTEXT) is None


@pytest.mark.parametrize("value", [b"", VALUE, b"\x00" * 12, b"\x00" * 28, os.urandom(1000)])
def test_what_nobody_sealed_is_not_opened(seal: Seal, value: bytes) -> None:
    """Whatever a neighbour writes there."""
    assert seal.open(value, CONTEXT) is None


def test_a_key_is_replaced_in_two_steps() -> None:
    """T37: two values for rotation. While both are there, old values open and new ones are sealed with the first."""
    old, both, new = Seal([OTHER]), Seal([KEY, OTHER]), Seal([KEY])
    assert both.open(old.seal(VALUE, CONTEXT), CONTEXT) == VALUE
    assert new.open(both.seal(VALUE, CONTEXT), CONTEXT) == VALUE
    assert old.open(both.seal(VALUE, CONTEXT), CONTEXT) is None
    assert new.open(old.seal(VALUE, CONTEXT), CONTEXT) is None


@pytest.mark.parametrize("size", [32, 33, 64, 1000])
def test_a_key_of_32_bytes_or_more_seals(size: int) -> None:
    """At the bound."""
    assert MIN_KEY == 32
    key = os.urandom(size)
    assert Seal([key]).open(Seal([key]).seal(VALUE, CONTEXT), CONTEXT) == VALUE
    assert Seal([key[:-1] + bytes([key[-1] ^ 1])]).open(Seal([key]).seal(VALUE, CONTEXT), CONTEXT) is None


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([], id="none"),
        pytest.param([b""], id="empty"),
        pytest.param([b"k" * 31], id="31-bytes"),
        pytest.param([KEY, b"k" * 31], id="second-of-31-bytes"),
        pytest.param([KEY, OTHER, b"t" * 32], id="three"),
        pytest.param(KEY, id="not-in-a-list"),
        pytest.param("k" * 32, id="text"),
        pytest.param(["k" * 32], id="text-in-a-list"),
    ],
)
def test_any_other_keys_end_the_start_unquoted(keys: object) -> None:
    """DESIGN §3: in a sentence that shows no key."""
    with pytest.raises(ConfigurationError) as caught:
        Seal(keys)  # type: ignore[arg-type]
    assert str(caught.value) == "store_key must be one or two keys of at least 32 random bytes"


def test_a_seal_shows_no_key() -> None:
    """T37."""
    assert repr(Seal([KEY, OTHER])) == "Seal(2 keys)"


def test_no_two_lists_of_parts_are_one_context() -> None:
    """Or one token's place could be another's."""
    lists = [(), (b"",), (b"", b""), (b"a",), (b"a", b""), (b"", b"a"), (b"ab",), (b"a", b"b"), (b"\x00\x00\x00\x01a",)]
    assert len({context_of(*parts) for parts in lists}) == len(lists)
    assert len({key_of(context_of(*parts)) for parts in lists}) == len(lists)
