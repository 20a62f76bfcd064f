import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_server.validation import strict_json

DIGITS_20 = "9" * 20


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half-an-object"),
        pytest.param(b"{}x", id="something-after-the-object"),
        pytest.param(b"{}{}", id="two-objects"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'"x"', id="text"),
        pytest.param(b"1", id="number"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{'a':1}", id="single-quotes"),
        pytest.param(b'{"a":1,}', id="trailing-comma"),
        pytest.param(b'{"a":/**/1}', id="comment"),
        pytest.param(b'{"a":01}', id="leading-zero"),
        pytest.param(b'{"a":+1}', id="plus-sign"),
        pytest.param(b'{"a":.5}', id="no-digit-before-the-period"),
        pytest.param(b'{"a":0x10}', id="hexadecimal"),
        pytest.param(b'{"a":"\n"}', id="raw-control-character"),
        pytest.param(b'{"a":"\\x41"}', id="unknown-escape"),
        pytest.param(b'{"a":True}', id="python-literal"),
        pytest.param(b"\xc2\xa0{}", id="no-break-space"),
        pytest.param(b"\x00{}", id="nul-before-the-object"),
    ],
)
def test_what_is_not_one_json_object_is_refused(raw: bytes) -> None:
    """RFC 8259, RS-7519-7.2-a."""
    with pytest.raises(ValueError):
        strict_json.parse_object(raw)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param('{"a":1}'.encode("utf-16"), id="utf-16-with-bom"),
        pytest.param('{"a":1}'.encode("utf-16-le"), id="utf-16-le"),
        pytest.param('{"a":1}'.encode("utf-16-be"), id="utf-16-be"),
        pytest.param('{"a":1}'.encode("utf-32"), id="utf-32"),
        pytest.param('{"a":1}'.encode("utf-8-sig"), id="utf-8-with-bom"),
        pytest.param(b'{"a":"\xff"}', id="no-utf-8"),
        pytest.param(b'{"a":"\xe9"}', id="latin-1"),
        pytest.param(b'{"a":"\xc0\xaf"}', id="overlong-utf-8"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', id="surrogate-in-utf-8"),
    ],
)
def test_any_encoding_but_plain_utf_8_is_refused(raw: bytes) -> None:
    """RS-7519-7.2-a: the payload is a UTF-8 JSON object. T28."""
    with pytest.raises(ValueError):
        strict_json.parse_object(raw)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(rb'{"a":"\ud800"}', id="high-in-a-value"),
        pytest.param(rb'{"a":"\udc00x"}', id="low-in-a-value"),
        pytest.param(rb'{"\ud800":1}', id="in-a-name"),
        pytest.param(rb'{"a":[{"b":"\udfff"}]}', id="below-the-top"),
        pytest.param(rb'{"a":"\udc00\ud800"}', id="pair-in-the-wrong-order"),
        pytest.param(rb'{"a":"\uD800"}', id="upper-case-escape"),
    ],
)
def test_lone_surrogates_are_refused(raw: bytes) -> None:
    """T28: a text that cannot be encoded would break whoever writes it down later."""
    with pytest.raises(ValueError):
        strict_json.parse_object(raw)


def test_a_surrogate_pair_is_one_character() -> None:
    """RFC 8259 §7."""
    assert strict_json.parse_object(rb'{"a":"\ud83d\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b'{"a":1,"a":2}', id="at-the-top"),
        pytest.param(b'{"a":1,"a":1}', id="with-equal-values"),
        pytest.param(rb'{"a":1,"\u0061":2}', id="one-escaped"),
        pytest.param(b'{"b":{"a":1,"a":2}}', id="below-the-top"),
        pytest.param(b'{"b":[{"a":1,"a":2}]}', id="in-an-array"),
    ],
)
def test_duplicate_members_are_refused(raw: bytes) -> None:
    """RS-7515-4-b."""
    with pytest.raises(ValueError, match="twice"):
        strict_json.parse_object(raw)


def test_names_that_differ_by_case_are_different_members() -> None:
    """RFC 7519 §10.1.1: names are compared to the letter."""
    assert strict_json.parse_object(b'{"a":1,"A":2}') == {"a": 1, "A": 2}


@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1E+400", "1" + "0" * 400 + ".0"],
)
def test_numbers_that_are_not_finite_are_refused(number: str) -> None:
    """T28, RS-7519-4.1.4-a."""
    with pytest.raises(ValueError):
        strict_json.parse_object(b'{"exp":%s}' % number.encode())


@pytest.mark.parametrize(
    ("number", "value"),
    [
        pytest.param(DIGITS_20, int(DIGITS_20), id="20-digits"),
        pytest.param("-" + DIGITS_20, -int(DIGITS_20), id="minus-and-20-digits"),
        pytest.param("-0", 0, id="minus-zero"),
        pytest.param("1e3", 1000.0, id="exponent"),
        pytest.param("1.5", 1.5, id="fraction"),
    ],
)
def test_numbers_within_the_bound_are_read(number: str, value: float) -> None:
    """T28: integers of at most 20 digits."""
    assert strict_json.parse_object(b'{"a":%s}' % number.encode()) == {"a": value}


@pytest.mark.parametrize("digits", [21, 4301, 15_000])
@pytest.mark.parametrize("sign", ["", "-"])
def test_integers_past_the_bound_are_refused(digits: int, sign: str) -> None:
    """T28: one past the bound, past Python's own limit for conversions, and far past it."""
    with pytest.raises(ValueError, match="too many digits"):
        strict_json.parse_object(b'{"a":%s}' % (sign + "1" * digits).encode())


def nested(depth: int, opening: str, closing: str) -> bytes:
    """An object with so many levels, its own among them."""
    return ('{"a":' + opening * (depth - 1) + closing * (depth - 1) + "}").encode()


def test_a_depth_of_32_is_read_in_arrays_and_in_objects() -> None:
    """T28: JSON depth ≤ 32."""
    assert strict_json.parse_object(nested(32, "[", "]"))["a"] == json.loads("[" * 31 + "]" * 31)
    assert "a" in strict_json.parse_object(("{" + '"a":{' * 31 + "}" * 32).encode())


@pytest.mark.parametrize("depth", [33, 100, 1100, 8000])
def test_a_greater_depth_is_refused(depth: int) -> None:
    """T28: stdlib json raises RecursionError at a depth of about 1,100, which is no ValueError."""
    with pytest.raises(ValueError, match="deep"):
        strict_json.parse_object(nested(depth, "[", "]"))
    with pytest.raises(ValueError, match="deep"):
        strict_json.parse_object(("{" + '"a":{' * (depth - 1) + "}" * depth).encode())


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param('{"a":%s,"b":[]}', id="below-the-first-of-two"),
        pytest.param('{"b":[],"a":%s}', id="below-the-last-of-two"),
        pytest.param('{"b":"[[[[","a":%s}', id="beside-brackets-in-a-text"),
    ],
)
def test_depth_is_that_of_the_deepest_branch(beside: str) -> None:
    """T28: 32 levels are read and 33 refused, whatever stands beside them."""
    assert "a" in strict_json.parse_object((beside % ("[" * 31 + "]" * 31)).encode())
    with pytest.raises(ValueError, match=r"^nested too deeply$"):
        strict_json.parse_object((beside % ("[" * 32 + "]" * 32)).encode())


def test_brackets_within_texts_are_no_depth() -> None:
    """T28: what bounds the depth must not refuse an innocent text."""
    assert strict_json.parse_object(b'{"a":"%s"}' % (b"[" * 100)) == {"a": "[" * 100}


def flat_object(members: int) -> Any:
    return {f"m{number}": number for number in range(members)}


def lone_array(members: int) -> Any:
    """As few commas and colons as so many members can have: arrays of one element, 30 deep."""
    value: Any = list(range(members - 30))
    for _ in range(29):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(flat_object, id="object"),
        pytest.param(lambda members: {"a": [0] * (members - 1)}, id="array"),
        pytest.param(lambda members: {"a": [[0] * (members - 2)]}, id="array-in-an-array"),
        pytest.param(lone_array, id="array-in-30-arrays"),
        pytest.param(lambda members: {"a": flat_object(members - 1)}, id="object-in-an-object"),
        pytest.param(lambda members: {"a": [[0] * (members - 4)], "b": [0]}, id="below-the-first-of-two"),
        pytest.param(lambda members: {"a": "," * 9} | flat_object(members - 1), id="beside-commas-in-a-text"),
        pytest.param(lambda members: {"a": "[" * 33} | flat_object(members - 1), id="beside-brackets-in-a-text"),
    ],
)
def test_256_members_are_read_and_257_are_refused(make: Any) -> None:
    """T28: ≤ 256 members, however they are arranged."""
    assert strict_json.parse_object(json.dumps(make(256)).encode()) == make(256)
    with pytest.raises(ValueError, match="too many members"):
        strict_json.parse_object(json.dumps(make(257)).encode())


def test_commas_within_texts_are_no_members() -> None:
    """T28: what bounds the members must not refuse an innocent text."""
    assert strict_json.parse_object(b'{"a":"%s"}' % (b"," * 1000)) == {"a": "," * 1000}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20) + 1, 10**20 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab☃", max_size=3), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), json_values, max_size=6))
def test_any_object_that_json_can_write_is_read_as_it_was(value: dict[str, Any]) -> None:
    """RFC 8259: strictness refuses nothing that is unambiguous, escaped or not."""
    assert strict_json.parse_object(json.dumps(value).encode()) == value
    assert strict_json.parse_object(json.dumps(value, ensure_ascii=False).encode()) == value


fragments = st.sampled_from(
    [b"{", b"}", b"[", b"]", b",", b":", b'"a"', b'"', b"1", b"-", b"e9", b"NaN", b"\\ud800", b" ", b"\xff", b"null"]
)


@given(st.lists(fragments, max_size=30).map(b"".join) | st.binary(max_size=60))
def test_any_bytes_give_an_object_or_a_value_error(raw: bytes) -> None:
    """T28: nothing else is ever raised, and all that is read could be written again."""
    try:
        value = strict_json.parse_object(raw)
    except ValueError:
        return
    assert strict_json.parse_object(json.dumps(value, allow_nan=False).encode()) == value


def test_a_refusal_does_not_quote_the_text() -> None:
    """RS-6750-5.3-a: the reason reaches logs."""
    for raw in (b'{"a":"canary}', b'{"canary":1,"canary":2}', b'{"a":"canary\xff"}', b'{"a":canary}'):
        with pytest.raises(ValueError) as caught:
            strict_json.parse_object(raw)
        assert "canary" not in str(caught.value)


def test_a_float_is_as_exact_as_python_reads_it() -> None:
    """RFC 7519 §2: a NumericDate may have a fraction."""
    assert math.isclose(strict_json.parse_object(b'{"exp":1800000000.25}')["exp"], 1_800_000_000.25)
