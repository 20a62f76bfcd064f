"""The two readers of JSON: the faster one may never say anything else than the one that judges."""

import inspect
import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from resource_server.validation import strict_json
from resource_server.validation.strict_json import is_certain, parse_object, read_exactly

spaces = st.sampled_from(["", "", "", " ", "\n", "\t\r "])
characters = st.sampled_from([
    "a", "b", ":", ",", "{", "[", "}", "é", "☃", "\x7f", '\\"', "\\\\", '\\\\\\"', "\\/", "\\n", "\\u0022", "\\u005c",
    "\\u0061", "\\ud83d\\ude00", "\\ud83d", "\\udc00", "\U0001f600", "\\u0000",
])  # fmt: skip
texts = st.lists(characters, max_size=4).map(lambda parts: f'"{"".join(parts)}"')
numbers = st.sampled_from(["0", "-0", "-0.0", "1E5", "1e999", "-1e999", "1e-999", "5e-324", "NaN", "-Infinity", "01"])
numbers |= st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)


def joined(first: str, last: str) -> Any:
    return lambda parts: first + ",".join(parts) + last


def members(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An object, with names that may well occur twice."""
    member = st.tuples(spaces, texts, spaces, st.just(":"), spaces, inner, spaces).map("".join)
    return st.lists(member, max_size=4).map(joined("{", "}"))


scalars = texts | numbers | st.sampled_from(["true", "false", "null", "nul"])
documents = members(
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=4).map(joined("[", "]")) | members(inner), max_leaves=6
    )
).map(str.encode)


def answer(read: Any, raw: bytes) -> str:
    """Told apart as ``==`` does not: 1 from 1.0 and True, 0 from -0, and the order of members."""
    try:
        return repr(read(raw))
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


@settings(deadline=None, max_examples=150)
@given(documents)
def test_both_readers_of_a_document_agree(raw: bytes) -> None:
    """CVE-2022-39227: by verdict, reason, value, type and sign."""
    assert answer(parse_object, raw) == answer(read_exactly, raw)


@settings(deadline=None, max_examples=100)
@given(documents, st.integers(0, 200), st.binary(max_size=2))
def test_both_readers_of_a_damaged_document_agree(raw: bytes, at: int, put: bytes) -> None:
    """CVE-2022-39227: what is no JSON for one of them is none for the other."""
    damaged = raw[:at] + put + raw[at + 1 :]
    assert answer(parse_object, damaged) == answer(read_exactly, damaged)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-30, 30))
def test_both_readers_round_a_number_alike(number: float, more: int) -> None:
    """RFC 8259 §6: also where it lies near the middle between two that Python can tell apart."""
    for text in (repr(number), f"{number:.17g}", f"{number:.40e}", f"{number:.25e}{more}"):
        raw = b'{"n":%s}' % text.encode()
        assert answer(parse_object, raw) == answer(read_exactly, raw)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"{}", id="nothing"),
        pytest.param(b'{"a":"b","c":["d",{"e":"f"},[]],"g":{}}', id="texts-at-every-level"),
        pytest.param(rb'{"a":"\"","b\"":"\\","c":"\\\"\\"}', id="escaped-quotes-and-backslashes"),
        pytest.param(rb'{"a":"\u0022\u005c","b":"\n\/"}', id="other-escapes"),
        pytest.param(b'{"a":":","b":"{\\"c\\":1}", "d" : "," }', id="what-looks-like-members"),
        pytest.param(b'{"a":%s,"b":-%s}' % (b"9" * 20, b"9" * 20), id="20-digits"),
        pytest.param(b'{"a":1e308,"b":-0.0,"c":true,"d":null}', id="no-texts"),
        pytest.param(b'{"a":' + b"[" * 31 + b"]" * 31 + b"}", id="depth-32"),
        pytest.param(b'{"a":[%s1],"b":{"c":2}}' % (b"1," * 252), id="256-members"),
    ],
)
def test_a_text_that_is_good_beyond_doubt_is_read_once(raw: bytes) -> None:
    """Design §8: it is what nearly all tokens hold, and the judge takes three times as long."""
    assert is_certain(from_json(raw), raw)
    assert answer(parse_object, raw) == answer(read_exactly, raw) == repr(json.loads(raw))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b'{"a":1,"a":1}', id="name-twice"),
        pytest.param(rb'{"a":1,"\u0061":1}', id="name-twice-once-escaped"),
        pytest.param(b'{"a":{"b":"c"},"a":"d"}', id="what-is-lost-has-texts"),
        pytest.param(b'{"x":[{"a":1,"a":1}]}', id="name-twice-in-an-array"),
        pytest.param(b'{"":1,"":1}', id="empty-name-twice"),
        pytest.param(rb'{"\"":1,"\"":1}', id="escaped-quote-twice"),
        pytest.param(rb'{"\\":1,"\\":1}', id="escaped-backslash-twice"),
        pytest.param(rb'{"a":"\\\"","a":"\\\""}', id="escaped-backslash-and-quote"),
        pytest.param(b'{"a":%s}' % (b"9" * 21), id="21-digits"),
        pytest.param(b'{"a":1%s}' % (b"0" * 20), id="the-first-of-21-digits"),
        pytest.param(b'{"a":-1%s}' % (b"0" * 20), id="minus-and-21-digits"),
        pytest.param(b'{"a":NaN}', id="nan"),
        pytest.param(b'{"a":[-Infinity]}', id="infinity"),
        pytest.param(b'{"a":[1e999]}', id="infinite"),
        pytest.param(b'{"a":{"b":-1e999}}', id="minus-infinite"),
        pytest.param(b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", id="depth-33"),
        pytest.param(b'{"a":[%s1],"b":{"c":2}}' % (b"1," * 253), id="257-members"),
    ],
)
def test_what_the_faster_parser_lets_pass_is_left_to_the_judge(raw: bytes) -> None:
    """T28, RS-7515-4-b."""
    assert not is_certain(from_json(raw), raw)
    with pytest.raises(ValueError):
        parse_object(raw)


def test_names_are_the_same_object_in_all_tokens_and_values_are_not() -> None:
    """Design §8, T11: the faster parser is at work, and keeps of what a stranger sends a bounded number of names."""
    (first,), (second,) = (parse_object(b'{"a name":"of a stranger"}').items() for _ in range(2))
    assert first == second
    assert first[0] is second[0]
    assert first[1] is not second[1]


@pytest.mark.parametrize("digits", [4300, 4301, 11_000])
def test_a_number_of_any_length_is_read_by_the_judge(digits: int) -> None:
    """T28: the faster parser gives up where Python's own conversion does."""
    raw = b'{"a":%s}' % (b"1" + b"0" * digits + b"e-%d" % digits)
    assert parse_object(raw) == read_exactly(raw) == {"a": 1.0}
    assert strict_json.parse_object(b'{"a":0.%s}' % (b"3" * digits)) == {"a": 1 / 3}


@pytest.mark.parametrize(
    ("begins", "goes_on", "most"),
    [
        pytest.param(b'{"a":[', b"1,", 256, id="numbers"),
        pytest.param(b'{"a":[', b'"",', 256, id="texts"),
        pytest.param(b'{"a":[', rb'"\\",', 256, id="escaped-backslashes"),
        pytest.param(b'{"a":[', rb'"\\\"",', 256, id="escaped-backslashes-and-quotes"),
        pytest.param(b"{", b'"a":1,', 256, id="one-name"),
        pytest.param(b'{"a":', b"[", 256, id="arrays"),
        pytest.param(b"", b'{"a":', 257, id="objects"),
    ],
)
def test_a_text_that_is_too_large_is_refused_before_it_is_read(begins: bytes, goes_on: bytes, most: int) -> None:
    """T17: a stranger's thousands of members cost fifty times what a forged signature does.

    None of these has an end, which whoever reads it would miss.
    """
    with pytest.raises(ValueError, match=r"^too many members, or nested too deeply$"):
        parse_object(begins + goes_on * (most + 1))
    with pytest.raises(ValueError, match=r"^Expecting "):
        parse_object(begins + goes_on * most)


@pytest.mark.parametrize("text", [rb"\"", rb"\\\"", rb"\\,\",", rb"[\"{,", rb"\u0022,[{"])
def test_what_stands_within_texts_is_not_counted(text: bytes) -> None:
    """The positive control: what bounds the members must not refuse an innocent text, whichever reader judges it."""
    raw = b'{"a":"%s","b":[%s]}' % (text * 300, b"1" + b",1" * 250)
    assert answer(parse_object, raw) == answer(read_exactly, raw) == repr(json.loads(raw))


def test_a_text_for_which_the_stack_has_no_room_left_is_refused() -> None:
    """T28: RecursionError is no ValueError; whoever calls may be deep in its own calls."""

    def read_at(depth: int) -> object:
        return parse_object(b'{"a":%s%s}' % (b"[" * 250, b"]" * 250)) if depth == 0 else read_at(depth - 1)

    used = len(inspect.stack(0))
    with pytest.raises(ValueError, match=r"^too deep or too large$"):
        read_at(sys.getrecursionlimit() - used - 150)
