"""What the presets share: a provider's URL and audiences are checked, and the options win over a preset's data."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.issuer import Issuer

Audience: TypeAlias = str | Sequence[str]
Preset: TypeAlias = Callable[..., Issuer]
"""``preset(url, *, audience, **options)``; the options are fields of :class:`Issuer`."""


def check_pattern(pattern: str, url: str, problem: str) -> re.Match[str]:
    """Demand that the whole URL is one of the provider's. Raises :class:`ConfigurationError`, with how it is written.

    Whether it may be trusted, as https or on loopback, is for the :class:`Issuer` to say.
    """
    matched = re.fullmatch(pattern, url)
    if matched is None:
        raise ConfigurationError("issuer", problem)
    return matched


def fits(pattern: str, value: object) -> bool:
    """Whether a value is a text that fits a pattern in whole."""
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def texts(audience: Audience) -> tuple[str, ...]:
    """The audiences, whether one or several are given."""
    return (audience,) if isinstance(audience, str) else tuple(audience)


def check_audiences(audience: Audience, pattern: str, problem: str) -> None:
    """Demand that each audience is one that the provider's tokens can name. Raises :class:`ConfigurationError`."""
    if not all(fits(pattern, one) for one in texts(audience)):
        raise ConfigurationError("audience", problem)


def make(url: str, audience: Audience, options: dict[str, Any], **data: Any) -> Issuer:
    """Build the issuer from a preset's data, over which the options win. Raises :class:`ConfigurationError`."""
    return Issuer(url=url, audience=audience, **(data | options))
