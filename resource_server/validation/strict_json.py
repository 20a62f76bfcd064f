"""JSON objects from strangers: RFC 8259 without its two freedoms, duplicate names and unbounded size.

Two parsers that read one text differently are how claims get confused (CVE-2022-39227), so what is ambiguous is
refused: duplicate members, NaN and infinities, lone surrogates, a byte order mark, any encoding but UTF-8.
"""

import json
import math
from typing import Any, Final

MAX_DEPTH: Final = 32
MAX_MEMBERS: Final = 256
"""Members of all objects plus elements of all arrays."""
MAX_DIGITS: Final = 20


def parse_object(raw: bytes) -> dict[str, Any]:
    """Read one JSON object. Raises :class:`ValueError`, without quoting the text, for anything else."""
    try:
        value = _decode(raw.decode())
        if type(value) is not dict:
            raise ValueError("not an object")
        # An upper bound that costs three scans; only a text that exceeds it is walked. What has n members or elements
        # has one bracket and n - 1 commas.
        brackets = raw.count(b"{") + raw.count(b"[")
        if brackets > MAX_DEPTH or brackets + raw.count(b",") > MAX_MEMBERS:
            _check_bounds(value)
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate breaks a later encode
    except UnicodeError as error:
        raise ValueError("not UTF-8") from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise ValueError("too deep or too large") from error  # RecursionError is no ValueError
    return value


def _decode(text: str) -> Any:
    """The decoder looks for white space around the value first, which hardly any JWT has: look there last."""
    try:
        value, end = _DECODER.scan_once(text, 0)  # type: ignore[attr-defined]
    except StopIteration:  # white space, or nothing that is JSON
        return _DECODER.decode(text)
    return value if end == len(text) else _DECODER.decode(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a member occurs twice")
    return value


def _integer(text: str) -> int:
    if len(text) - text.startswith("-") > MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is out of range")  # 1e999 reads as infinity
    return value


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _check_bounds(value: Any) -> None:
    members, level, depth = 0, [value], 0
    while level:
        depth += 1
        below: list[Any] = []
        for container in level:
            members += len(container)
            inner = container.values() if type(container) is dict else container
            below += [item for item in inner if type(item) in (dict, list)]
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        if members > MAX_MEMBERS:
            raise ValueError("too many members")
        level = below


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant)
