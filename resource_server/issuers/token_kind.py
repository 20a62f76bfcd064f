"""What tells an issuer's access tokens from its other JWTs: their ``typ``, and where that is missing, a claim (T18).

That a token lacks a nonce or an at_hash proves nothing, so there is no negative evidence here: a loosened ``typ`` needs
a *positive* marker, which the issuer puts into access tokens alone.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from resource_server.configuration_error import ConfigurationError

AT_JWT: Final = "at+jwt"
JWT: Final = "JWT"
MISSING: Final = "missing"
ANY: Final = "*"
"""A marker's value that stands for every text and every array but the empty ones."""

Markers = Mapping[str, str | Sequence[str]]
"""A claim's name and the values that mark it, all of them to be met: ``{"token_use": "access"}``."""

_SPELLINGS: Final[Mapping[str, tuple[str | None, ...]]] = {
    AT_JWT: ("at+jwt", "application/at+jwt"),
    JWT: ("jwt", "application/jwt"),
    MISSING: (None,),
}


def check_types(accepted: Sequence[str]) -> tuple[str, ...]:
    """Check a configured list. Raises :class:`ConfigurationError`.

    It is closed, so that ``logout+jwt``, ``dpop+jwt``, ``secevent+jwt`` and their like can't be let in.
    """
    if isinstance(accepted, str) or not accepted or not set(accepted) <= _SPELLINGS.keys():
        raise ConfigurationError("accept_typ", f"must be a list of at least one of {', '.join(_SPELLINGS)}")
    return tuple(dict.fromkeys(accepted))


def spellings(accepted: Sequence[str]) -> frozenset[str | None]:
    """The values of ``typ`` that are accepted, in lower case; a value without a slash is a media type's (RFC 7515)."""
    return frozenset(spelling for name in accepted for spelling in _SPELLINGS[name])


def check_markers(markers: Markers, option: str) -> Mapping[str, tuple[str, ...]]:
    """Check configured markers and make them immutable. Raises :class:`ConfigurationError`."""
    checked: dict[str, tuple[str, ...]] = {}
    for name, values in markers.items():
        wanted = (values,) if isinstance(values, str) else tuple(values)
        if not name or not wanted or not all(isinstance(value, str) and value for value in wanted):
            raise ConfigurationError(option, 'must name claims and their values, as in {"token_use": "access"}')
        checked[name] = wanted
    if not checked and option == "markers":
        raise ConfigurationError(option, "must not hold an empty alternative, which every token meets")
    return MappingProxyType(checked)


def tell(markers: Sequence[Mapping[str, tuple[str, ...]]]) -> bool:
    """Whether checked markers tell by themselves: each alternative names a value of some claim.

    That a claim is there, whatever it says, may tell an access token from an ID token, and not from a refresh token.
    """
    return bool(markers) and all(any(ANY not in values for values in one.values()) for one in markers)


def bears(payload: Mapping[str, Any], name: str, values: tuple[str, ...]) -> bool:
    """Whether a claim has one of some values."""
    value = payload.get(name)
    if type(value) is list:
        return value != [] and ANY in values
    return type(value) is str and value != "" and (ANY in values or value in values)
