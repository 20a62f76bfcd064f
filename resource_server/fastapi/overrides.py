"""The one point where a test may put a token in place of credentials: ``dependency_overrides[api]``.

Only while :mod:`resource_server.testing` says so. Left behind in production, an override would turn authentication off
without a trace; so there it makes every request fail, and says why.
"""

import inspect
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from resource_server.access_token import AccessToken

_log = logging.getLogger("resource_server")
_active = 0


class LeftOverride(RuntimeError):  # noqa: N818 - what it is
    """An override of authentication stands in an application that is not under test."""


def activate(by: int) -> None:
    """Count those who allow overrides; called by :mod:`resource_server.testing` alone."""
    global _active
    _active += by


def stands_overridden(apps: Iterable[Any], server: object) -> bool:
    """Whether an override stands in one of some applications. Raises :class:`LeftOverride` outside of tests."""
    if not any(server in app.dependency_overrides for app in apps if app.dependency_overrides):
        return False
    _demand_test()
    return True


async def overriding_token(scope: Mapping[str, Any], server: object) -> AccessToken | None:
    """The token that a test supplies for this server, or None where nothing is overridden.

    Raises :class:`LeftOverride` outside of tests, and :class:`TypeError` where the override supplies something else:
    it replaces credentials, never the authorization that follows.
    """
    overrides = getattr(scope.get("app"), "dependency_overrides", None)
    supply = overrides.get(server) if overrides else None
    if supply is None:
        return None
    _demand_test()
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
