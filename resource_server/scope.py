"""What a scope may be made of (RFC 6749 §3.3)."""

import re
from collections.abc import Iterable
from typing import Final

_SCOPE_TOKEN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def is_scope_token(text: str) -> bool:
    """Whether a text can be one scope: printable ASCII without a space, a quote or a backslash."""
    return _SCOPE_TOKEN.fullmatch(text) is not None


def no_scope(names: Iterable[str]) -> str | None:
    """What is wrong with the first of some names that is no scope, and the cure; None if each is one.

    It would match no token's scope, and nobody would be told.
    """
    wrong = next((name for name in names if not is_scope_token(name)), None)
    return None if wrong is None else f"{wrong!r} is no scope: give each scope as a text of its own, without spaces"
