"""The one point where a test may put a token in place of credentials: ``dependency_overrides[api]``.

Only while :mod:`resource_server.testing` says so. Left behind in production, an override would turn authentication off
without a trace; so there it makes every request fail, and says why.
"""

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

from resource_server.access_token import AccessToken
from resource_server.fastapi.operation import Demanding

_log = logging.getLogger("resource_server")
_active = 0


class LeftOverride(RuntimeError):  # noqa: N818 - what it is
    """An override of authentication stands in an application that is not under test."""


def activate(by: int) -> None:
    """Count those who allow overrides; called by :mod:`resource_server.testing` alone."""
    global _active
    _active += by


def check_overrides(overrides: Mapping[Any, Any], server: object) -> None:
    """Demand that an application's overrides leave authentication alone.

    Raises :class:`LeftOverride` for one of a server, or of what one of its ``requires()`` put into a dependency tree;
    the former is allowed in tests.
    """
    for key in overrides:
        if key is server:
            _demand_test()
        elif isinstance(key, Demanding) and key.demand(server, (), ()):
            _demand_test()
            raise LeftOverride("one requires(…) is overridden, which would skip authorization: override api itself")


def supply_of(overrides: Mapping[Any, Any], server: object) -> Callable[[], Any] | None:
    """What supplies a token in place of credentials. Raises :class:`LeftOverride` outside of tests."""
    check_overrides(overrides, server)
    supply: Callable[[], Any] | None = overrides.get(server)
    return supply


async def supplied(supply: Callable[[], Any]) -> AccessToken:
    """The token that a test supplies.

    Raises :class:`TypeError` for anything else: it replaces credentials, never the authorization that follows.
    """
    token = supply()
    if inspect.isawaitable(token):
        token = await token
    if not isinstance(token, AccessToken):
        raise TypeError("dependency_overrides[api] must supply an AccessToken")
    return token


def _demand_test() -> None:
    if not _active:
        _log.error("dependency_overrides[api] is set outside of resource_server.testing: remove it, or use acting_as()")
        raise LeftOverride("dependency_overrides[api] is set outside of resource_server.testing")
