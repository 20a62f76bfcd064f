"""What ``requires(…)`` puts into a dependency tree."""

from collections.abc import Sequence
from typing import Any

from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf
from resource_server.fastapi.operation import Demanding


class Requires(SecurityBase, Demanding):
    """What :meth:`ResourceServer.requires` puts into a dependency tree.

    Shares the server's OpenAPI scheme, so that the scopes of one operation are merged there.
    """

    def __init__(self, server: Any, requirement: AllOf) -> None:
        self.server: Any = server
        self.requirement = requirement
        self.model = server.model
        self.scheme_name = server.scheme_name

    async def __call__(self, connection: HTTPConnection) -> AccessToken:
        """Decide, and give the token to the endpoint."""
        scope = connection.scope
        token: AccessToken | None = self.server.granted(scope, self.requirement)
        if token is None:
            token = await self.server.decide(scope, self.requirement)
        return token

    def demand(self, server: object, parent_scopes: Sequence[str], own_scopes: Sequence[str]) -> list[AllOf]:
        """Its own requirement, and the scopes that ``Security(…)`` dependencies above it name."""
        parents = self.server.demand(self.server, parent_scopes, ()) if parent_scopes else []
        return [self.requirement, *parents] if server is self.server else []
