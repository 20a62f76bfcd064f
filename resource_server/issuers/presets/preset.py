"""What the presets share: the check of a provider's URL, and options that win over a preset's data."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.issuer import Issuer

Preset: TypeAlias = Callable[..., Issuer]
"""``preset(url, *, audience, **options)``; the options are the fields of :class:`Issuer`."""


def demand(url: str, pattern: str, problem: str) -> None:
    """Demand that the whole URL fits a pattern. Raises :class:`ConfigurationError`, which says how it is written."""
    if not re.fullmatch(pattern, url):
        raise ConfigurationError("issuer", problem)


def make(url: str, options: dict[str, Any], **data: Any) -> Issuer:
    """Build the issuer from a preset's data, over which the options win. Raises :class:`ConfigurationError`."""
    return Issuer(url=url, **(data | options))
