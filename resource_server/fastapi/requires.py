"""What ``requires(…)`` puts into a dependency tree."""

from collections.abc import MutableMapping, Sequence
from typing import Any, Protocol

from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf
from resource_server.fastapi.operation import Demanding
from resource_server.fastapi.passage import passage_of


class Requiring(Protocol):
    """The resource server, as far as what it requires knows it."""

    model: Any
    scheme_name: str

    async def decide(self, scope: MutableMapping[str, Any], requirement: AllOf) -> AccessToken:
        """Decide about one requirement of a request."""
        ...

    def demand(self, server: object, parent_scopes: Sequence[str], own_scopes: Sequence[str]) -> list[AllOf]:
        """What is demanded by scopes that the dependency tree names."""
        ...


class Requires(SecurityBase, Demanding):
    """What :meth:`ResourceServer.requires` puts into a dependency tree.

    Shares the server's OpenAPI scheme, so that the scopes of one operation are merged there.
    """

    def __init__(self, server: Requiring, requirement: AllOf) -> None:
        self.server = server
        self.requirement = requirement
        self.model = server.model
        self.scheme_name = server.scheme_name

    async def __call__(self, connection: HTTPConnection) -> AccessToken:
        """Decide, and give the token to the endpoint."""
        scope = connection.scope
        passage = passage_of(scope, self.server)
        granted = None if passage is None else passage.granted(scope, self.requirement)
        return await self.server.decide(scope, self.requirement) if granted is None else granted

    def demand(self, server: object, parent_scopes: Sequence[str], own_scopes: Sequence[str]) -> list[AllOf]:
        """Its own requirement, and the scopes that ``Security(…)`` dependencies above it name."""
        parents = self.server.demand(self.server, parent_scopes, ()) if parent_scopes else []
        return [self.requirement, *parents] if server is self.server else []
