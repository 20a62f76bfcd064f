"""The face for FastAPI: one object that protects applications, routers and routes."""

import logging
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.models import OpenIdConnect
from fastapi.params import Security
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse

from resource_server.access_token import AccessToken
from resource_server.authorization.combination import AllOf, Need, all_of
from resource_server.authorization.hierarchy import ScopeHierarchy
from resource_server.authorization.scopes import Scopes
from resource_server.challenge import ProtectionSpace
from resource_server.clock import Clock
from resource_server.configuration_error import ConfigurationError, listed
from resource_server.cors import Cors, check_origins
from resource_server.events import Observer
from resource_server.failed_authentications import FailedAuthentications
from resource_server.fastapi.answers import answer_all as give_all_answers
from resource_server.fastapi.api_docs import ApiDocs
from resource_server.fastapi.applications import Applications
from resource_server.fastapi.exemption import Exemption
from resource_server.fastapi.inventory import check_routes
from resource_server.fastapi.openapi import document
from resource_server.fastapi.operation import Demanding, Operations
from resource_server.fastapi.passage import RequestPassage, passage_of
from resource_server.fastapi.requires import Requires
from resource_server.forwarding import Forwarding
from resource_server.gate import Gate
from resource_server.issuers.discovery import metadata_urls
from resource_server.issuers.fetch import Fetch
from resource_server.issuers.introspection_endpoint import Post
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.trusted_issuers import TrustedIssuers
from resource_server.observers import refusal_log
from resource_server.protected_resource import check_accepted, check_resource, metadata, metadata_path, metadata_url
from resource_server.protector import ANY_TOKEN, ResourceProtector
from resource_server.public import PublicPaths
from resource_server.rate_limit import RateLimit
from resource_server.stores.seal import Seal
from resource_server.stores.store import Store
from resource_server.validation.formats import TokenFormats
from resource_server.validation.validator import TokenValidator
from resource_server.verified import VerifiedTokens

MEMORY: Final = 64 * 1024 * 1024
"""Bytes of verified tokens that are remembered."""
SCHEME_NAME: Final = "access_token"

_log = logging.getLogger("resource_server")


class ResourceServer(SecurityBase, Demanding):
    """An OAuth 2.0 resource server (RFC 6750, RFC 9068) for FastAPI.

    ``ResourceServer("https://id.example.com", audience="https://notes.example.com")`` accepts the JWT access tokens of
    one issuer; give an :class:`Issuer` for more options. Opens no connection before the application's start.
    Raises :class:`ConfigurationError`, in one sentence, for options that are missing or contradict each other.

    Use :meth:`install` once, then ``requires(…)`` in parameters and in ``dependencies=[…]``. One object is one memory
    of verified tokens.
    """

    def __init__(
        self,
        *issuers: str | Issuer,
        audience: str | Sequence[str] = (),
        realm: str = "api",
        resource: str | None = None,
        scope_hierarchy: Mapping[str, Iterable[str]] | None = None,
        trusted_proxies: Sequence[str] = (),
        forwarding: str = "x-forwarded",
        require_https: bool = False,
        cors_origins: Sequence[str] = (),
        disclose_requirements: bool = False,
        failed_authentications: RateLimit | None = None,
        memory: int = MEMORY,
        workers: int = 1,
        observers: Sequence[Observer] | None = None,
        store: Store | None = None,
        store_key: Sequence[bytes] = (),
        clock: Clock = Clock(),  # noqa: B008 - immutable
        fetch: Fetch | None = None,
        post: Post | None = None,
    ) -> None:
        """Build a resource server.

        Several issuers are several arguments; the subjects of the first are the users whom ``owner()`` means, and each
        must say what it ``grants``.
        ``resource`` is this API's public identifier, published as RFC 9728 metadata and named in challenges, and one of
        the audiences; ``observers`` are told of each decision: by default a :class:`RefusalLog`, which warns of
        refusals under the logger ``resource_server.refusals``, and with ``()`` nobody;
        ``scope_hierarchy`` says which scopes include which; ``trusted_proxies`` are addresses or networks whose
        forwarding headers (``x-forwarded`` or ``forwarded``) are believed; ``cors_origins`` are the exact origins whose
        pages may call this API from a browser; ``failed_authentications`` limits those of each client address, of all
        workers together; ``memory`` is in bytes; ``store`` is shared with other processes, and what is kept there is
        sealed under ``store_key``: 32 random bytes, or two keys while one replaces the other;
        ``disclose_requirements`` names a route's roles to callers who lack them; ``workers`` is how many processes
        serve this API, so that together they ask an issuer about unknown keys no more often than one would: nothing
        tells it.
        """
        if audience and issuers and all(isinstance(issuer, Issuer) for issuer in issuers):
            raise ConfigurationError("audience", "is given twice: leave it to the Issuer")
        trusted = [one if isinstance(one, Issuer) else Issuer(url=one, audience=audience) for one in issuers]
        self.issuers = TrustedIssuers(trusted, clock=clock, fetch=fetch, workers=workers)
        if resource is not None:
            check_resource(resource)
            for one in trusted:
                check_accepted(resource, one.audiences)
        self.space = ProtectionSpace(
            realm=realm,
            resource=resource,
            resource_metadata=metadata_url(resource) if resource is not None else None,
            disclose_requirements=disclose_requirements,
        )
        believed = Forwarding(trusted_proxies, family=forwarding, require_https=require_https)
        self.store = store
        if store is None and store_key:
            raise ConfigurationError("store_key", "is of no use without a store: give one, too")
        shared = None if store is None else (store, Seal(store_key))
        self.formats = TokenFormats(self.issuers, clock, shared=shared, post=post)
        self.protector = ResourceProtector(
            self._limited(failed_authentications, workers, believed, clock),
            VerifiedTokens(memory, clock, max_jump=max(1.0, *(issuer.leeway for issuer in trusted))),
            issuers=self.issuers,
            forwarding=believed,
            hierarchy=ScopeHierarchy(scope_hierarchy),
            clock=clock,
            observers=(refusal_log.DEFAULT,) if observers is None else observers,
        )
        self._cors_origins = check_origins(cors_origins)
        self.operations = Operations(self)
        self._by_scopes: dict[tuple[str, ...], AllOf] = {}
        self._applications = Applications(self)
        self._warned = False
        self.model = OpenIdConnect(openIdConnectUrl=metadata_urls(self.issuers.first)[0])
        self.scheme_name = SCHEME_NAME

    def _limited(self, rate: RateLimit | None, workers: int, believed: Forwarding, clock: Clock) -> TokenValidator:
        name = "failed_authentications"
        self.failed_authentications: RateLimit | None = None
        """This process's share."""
        if rate is None:
            return self.formats
        if workers > rate.limit:
            raise ConfigurationError(name, f"must be one at least for each of {workers} workers, who divide them up")
        if believed.trusts_everybody:
            raise ConfigurationError(
                name,
                "contradicts trusted_proxies, which trust everybody: any caller could use up any other's limit; "
                "name your proxies alone",
            )
        self.failed_authentications = rate.shared_by(workers)
        is_proxy = believed.is_trusted if believed.trusts_somebody else None
        return FailedAuthentications(self.formats, self.failed_authentications, clock, is_proxy=is_proxy)

    def requires(self, *needs: Need) -> Any:
        """Demand a valid access token that meets all of some needs.

        A need is a scope, a requirement (``any_scope``, ``role``, ``owner``, …) or a callable on the token. Legal in
        ``Annotated``, as a default and in ``dependencies=[…]``; gives the :class:`AccessToken`.
        """
        requires = Requires(self, all_of(*needs))
        # what the framework makes of a dependency without a scope it finds out anew for each request
        return Security(dependency=requires, scope="request", scopes=requires.requirement.demands.scopes)

    async def __call__(self, connection: HTTPConnection, security_scopes: SecurityScopes) -> AccessToken:
        """Let ``Security(api, scopes=["notes:read"])`` work, the idiom that FastAPI's users know: all of the scopes."""
        return await self.decide(connection.scope, self._of_scopes(security_scopes.scopes))

    def demand(self, server: object, parent_scopes: Sequence[str], own_scopes: Sequence[str]) -> list[AllOf]:
        """All scopes that the dependency tree names above this point, as FastAPI adds them up."""
        return [self._of_scopes([*parent_scopes, *own_scopes])] if server is self else []

    async def decide(self, scope: MutableMapping[str, Any], requirement: AllOf) -> AccessToken:
        """Decide about one requirement of a request. Raises :class:`Refused`."""
        passage = passage_of(scope, self)
        if passage is None:
            passage = RequestPassage(scope, self)
            passage.gated = False
            if not self._warned:
                self._warned = True
                _log.warning("requires() works without api.install(app), but then bodies are read before the decision")
        return await passage.require(scope, requirement)

    def passage(
        self, scope: MutableMapping[str, Any], *, everything: bool = False, exempt: PublicPaths | None = None
    ) -> RequestPassage:
        """The passage of one request through the gate."""
        self._applications.check()
        passage = RequestPassage(scope, self)
        if everything:
            passage.unrouted = True
        elif exempt is not None:
            passage.exemption = Exemption(scope, exempt)
        return passage

    def check(self, app: Any) -> None:
        """Check what can't be before all routes are there; the gate does it at the application's start.

        Raises :class:`ConfigurationError` where a route could let nobody in by what it requires: a path parameter that
        it does not have, or the letters of one text that was given as a list of scopes.
        """
        check_routes(app)
        self._applications.look()

    async def run(self) -> None:
        """Keep the issuers' keys fresh until cancelled; the gate does it for as long as the application lives."""
        try:
            await self.issuers.run()
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Give the connections to introspection endpoints and to the store back; the next use opens new ones."""
        await self.formats.aclose()
        if self.store is not None:
            await self.store.aclose()

    def install(
        self,
        app: FastAPI,
        *,
        protect: str = "routes",
        public: Sequence[str] = (),
        answer_all: bool = False,
        max_body: int | None = None,
        docs: ApiDocs | None = None,
    ) -> None:
        """Put the gate in front of an application, answer refusals there, and add them to its OpenAPI.

        ``protect="all"`` demands a valid token for every path, known or unknown, but those in ``public`` (exact paths,
        or prefixes that end with ``/*``); what routes require comes on top. With ``protect="routes"``, routes that
        require nothing are open, and ``public`` only says that they are meant to be (``resource-server routes``).

        Must come before the first request, and before middleware that has to see refusals. Covers what is mounted
        before the first request. ``answer_all`` answers the application's own errors in the form of the refusals.
        ``max_body`` bounds the bytes of bodies, after the decision: a stranger's are never read, so 401
        comes before 413, which FastAPI's own bound answers first. Adds the RFC 9728 document where ``resource`` is set.
        ``docs`` adds a page of the API's documentation that needs no other host, and makes it and the schema public.
        """
        if protect not in ("routes", "all"):
            raise ConfigurationError("protect", "must be 'routes' or 'all'")
        public = listed("public", public)
        if self.space.resource is not None:
            path = metadata_path(self.space.resource)
            app.add_route(path, self._answer_metadata, methods=["GET"], include_in_schema=False)
            public.append(path)
        if docs is not None:
            docs.add_to(app, self.scheme_name, self.issuers)
            public += docs.public(app)
        exempt = PublicPaths(public)
        self._applications.add(app)
        if answer_all:
            give_all_answers(app, self.space)
        everything = protect == "all"

        def needs(route: Any, path: str) -> AllOf | None:
            operation = self.operations.of(route)
            if operation is not None:
                return operation.requirement
            return ANY_TOKEN if everything and not exempt.contains(path) else None

        document(app, self, needs, bounded=max_body is not None)
        app.add_middleware(Gate, server=self, public=exempt, everything=everything, max_body=max_body)
        if self._cors_origins:
            _wrap(app, lambda stack: Cors(stack, self._cors_origins))

    async def _answer_metadata(self, request: Request) -> JSONResponse:
        assert self.space.resource is not None  # noqa: S101 - or else there is no such route
        scopes = self.operations.scopes(request.app)
        headers = {"cache-control": "max-age=3600", "access-control-allow-origin": "*"}  # RFC 9728 §7.10
        return JSONResponse(metadata(self.space.resource, self.issuers.names, scopes), headers=headers)

    def _of_scopes(self, scopes: Sequence[str]) -> AllOf:
        """The same object for the same scopes: what was decided is looked up by identity."""
        names = tuple(dict.fromkeys(scopes))
        return self._by_scopes.setdefault(names, AllOf((Scopes(names),) if names else ()))

    def __repr__(self) -> str:
        return f"ResourceServer({', '.join(map(repr, self.issuers.names))})"


def _wrap(app: FastAPI, middleware: Callable[[Any], Any]) -> None:
    """Stand outside of everything, even of the handler of failures, which add_middleware can't."""
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: middleware(build())  # type: ignore[method-assign]
