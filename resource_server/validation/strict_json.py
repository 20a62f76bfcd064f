"""JSON objects from strangers: RFC 8259 without its two freedoms, duplicate names and unbounded size.

Two parsers that read one text differently are how claims get confused (CVE-2022-39227), so what is ambiguous is
refused: duplicate members, NaN and infinities, lone surrogates, a byte order mark, any encoding but UTF-8.

:func:`read_exactly` is the judge. A faster parser spares it the texts that are good beyond doubt, and refuses nothing.
"""

import json
import math
from typing import Any, Final

from pydantic_core import from_json

MAX_DEPTH: Final = 32
MAX_MEMBERS: Final = 256
"""Members of all objects plus elements of all arrays."""
MAX_DIGITS: Final = 20

_TOO_LARGE: Final = 10**MAX_DIGITS


def parse_object(raw: bytes) -> dict[str, Any]:
    """Read one JSON object. Raises :class:`ValueError`, without quoting the text, for anything else."""
    try:
        # Names alone are cached: the parser's cache outlives the token, and values are a person's.
        value: Any = from_json(raw, cache_strings="keys")
    except ValueError:
        return read_exactly(raw)  # which says why
    return value if type(value) is dict and is_certain(value, raw) else read_exactly(raw)


def is_certain(value: dict[str, Any], raw: bytes) -> bool:
    """Whether a value that the faster parser has read is within the bounds, and all of the text is in it.

    Where a name occurs twice, its first text is in the JSON and not in the value. JSON has two quotes around each text
    and no others but escaped ones, so counting them shows it.
    """
    quotes = raw.count(b'"')
    if b"\\" in raw:  # without the escaped backslashes, each that is left escapes what follows it
        quotes -= raw.replace(rb"\\", b"").count(rb"\"")
    texts = members = depth = 0
    level: list[Any] = [value]
    while level:
        depth += 1
        below: list[Any] = []
        for container in level:
            members += len(container)
            if members > MAX_MEMBERS:  # before a stranger's thousands are looked at
                return False
            if type(container) is dict:
                texts += len(container)
                container = container.values()
            for item in container:
                kind = type(item)
                if kind is str:
                    texts += 1
                elif kind is int:
                    if not -_TOO_LARGE < item < _TOO_LARGE:
                        return False
                elif kind is float:
                    if not math.isfinite(item):  # NaN, Infinity, or 1e999, which reads as infinity
                        return False
                elif kind is dict or kind is list:
                    below.append(item)
        level = below
    return quotes == 2 * texts and depth <= MAX_DEPTH


def read_exactly(raw: bytes) -> dict[str, Any]:
    """What :func:`parse_object` answers, with each demand in a line of its own."""
    if _is_too_large(raw):  # to read it first would cost many times what a signature does (T17)
        raise ValueError("too many members, or nested too deeply")
    try:
        value = _DECODER.decode(raw.decode())
        if type(value) is not dict:
            raise ValueError("not an object")
        _check_bounds(value)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate breaks a later encode
    except UnicodeError as error:
        raise ValueError("not UTF-8") from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise ValueError("too deep or too large") from error  # RecursionError is no ValueError
    return value


def _is_too_large(raw: bytes) -> bool:
    """Whether a text has too many members in any case, if it is JSON at all: by what stands between its texts."""
    between = b"".join(raw.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
    return between.count(b",") > MAX_MEMBERS or between.count(b"[") + between.count(b"{") > MAX_MEMBERS + 1


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
