"""An issuer that is trusted, as configured."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers import algorithms as algorithm_table
from resource_server.issuers import grants as granting
from resource_server.issuers import token_kind
from resource_server.issuers.grants import Grants
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.token_kind import Markers
from resource_server.issuers.urls import check_url

MAX_LEEWAY: Final = 60.0
MAX_STALE: Final = 12 * 3600.0
"""Seconds for which known keys are good while the issuer is down."""
TENANT: Final = "{tenantid}"
"""Stands in the URL of an issuer that has a name for each of its tenants (Entra ID)."""

_TENANT_ID: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An authorization server whose access tokens are accepted (RFC 9068, RFC 8414).

    Its keys come from its metadata (OpenID Connect Discovery, else RFC 8414), or from ``jwks_uri`` or ``jwks_file``,
    which skip discovery. The defaults are those of RFC 9068; a preset fills in what a provider does otherwise.
    Raises :class:`ConfigurationError`. Opens no connection.
    """

    url: str = field(kw_only=False)
    """The issuer identifier, to the letter as in the ``iss`` claim. https, or http on loopback for development."""
    audience: str | Sequence[str]
    """This API's identifier, or several; a token must name one of them in ``aud``."""
    metadata_url: str | None = None
    """Where the metadata is, if not where the issuer's URL says: the issuer's address in a private network."""
    jwks_uri: str | None = None
    jwks_file: Path | None = None
    ca_file: Path | None = None
    """Certificates (PEM) that are trusted instead of the system's, for the metadata and the keys."""
    proxy: str | None = field(default=None, repr=False)
    """The URL of an outgoing HTTP proxy."""
    introspection: Introspection | None = None
    """How it is asked about a token (RFC 7662), if it is."""
    token_format: str = "auto"  # noqa: S105 - no secret
    """``jwt``: all are validated by key set; ``introspection``: all are asked about; ``auto``: JWTs are validated by
    key set, and others asked about if there is an ``introspection``."""
    max_stale: float = MAX_STALE
    """Seconds for which known keys are good while the issuer is down."""
    algorithms: Sequence[str] = algorithm_table.DEFAULT
    leeway: float = 30.0
    """Seconds of clock difference that are forgiven, at most 60."""
    grants: Grants | str | None = None
    """What its word is good for, or ``"everything"``. By default, everything for a single issuer, else nothing."""
    accept_typ: Sequence[str] = (token_kind.AT_JWT,)
    """The ``typ`` of its access tokens, of a closed list: ``at+jwt``, ``JWT``, ``missing``."""
    markers: Sequence[Markers] = ()
    """Claims that only its access tokens bear, one or more alternatives; demanded where ``accept_typ`` is loosened."""
    foreign_markers: Markers = field(default_factory=dict)
    """Claims that its other tokens bear: any of them refuses the token."""
    audience_is_no_client_id: bool = False
    """Says in place of markers: no client's id is among the audiences, so no ID token can name one."""
    audience_claim: str = "aud"
    client_id_claim: str = "client_id"
    required_claims: Sequence[str] = ("jti",)
    """Claims that must be there as texts, beside those that are read."""
    scope_claim: str = "scope"
    scope_shape: str = "text"
    """``text``, with spaces between the scopes (RFC 9068), or ``array``."""
    roles_claim: str | Sequence[str] = "roles"
    """A top-level claim's name, or a path of names, outermost first: ``("realm_access", "roles")``."""
    roles_shape: str = "names"
    """``names``: an array (RFC 9068), or ``members``: an object whose members are named after the roles."""
    groups_claim: str | Sequence[str] = "groups"
    entitlements_claim: str | Sequence[str] = "entitlements"
    tenants: Sequence[str] = ()
    """The tenants that are trusted, where ``url`` holds ``{tenantid}``."""
    tenant_claim: str = "tid"
    allow_any_tenant_of_the_world: bool = False
    """Trust every tenant that exists: anybody can make one, so ``grants`` and requirements decide alone."""
    audiences: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._check_addresses()
        wanted = (self.audience,) if isinstance(self.audience, str) else tuple(self.audience)
        if not wanted or not all(isinstance(name, str) and name for name in wanted):
            raise ConfigurationError(
                "audience", "is missing: name this API's identifier, as it stands in the aud claim of its tokens"
            )
        object.__setattr__(self, "audiences", frozenset(wanted))
        if not 0 <= self.leeway <= MAX_LEEWAY:
            raise ConfigurationError("leeway", f"must be from 0 to {MAX_LEEWAY:.0f} seconds")
        if not 0 < self.max_stale < float("inf"):
            raise ConfigurationError("max_stale", "must be a number of seconds above 0")
        try:
            object.__setattr__(self, "algorithms", algorithm_table.check(self.algorithms))
        except ValueError as error:
            raise ConfigurationError("algorithms", str(error)) from None
        granting.check(self.grants)
        self._check_format()
        self._check_kind()
        self._check_claims()
        self._check_tenants()

    def _check_addresses(self) -> None:
        check_url(self.url.replace(TENANT, "tenant"), "issuer")
        if self.jwks_uri is not None and self.jwks_file is not None:
            raise ConfigurationError("jwks_file", "contradicts jwks_uri: set one of them")
        if self.metadata_url is not None and (self.jwks_uri or self.jwks_file):
            raise ConfigurationError("metadata_url", "is of no use beside jwks_uri or jwks_file: leave it out")
        for name in ("jwks_uri", "metadata_url"):
            url = getattr(self, name)
            if url is not None:
                check_url(url, name, loopback=self.is_loopback, query=True)

    def _check_format(self) -> None:
        if self.token_format not in ("auto", "jwt", "introspection"):
            raise ConfigurationError("token_format", "must be auto, jwt or introspection")
        if self.introspection is None:
            if self.token_format == "introspection":  # noqa: S105
                raise ConfigurationError("token_format", "is introspection, but there is no introspection_endpoint")
            return
        if self.token_format == "jwt":  # noqa: S105
            raise ConfigurationError("token_format", "is jwt, so introspection_endpoint is of no use: leave one out")
        check_url(self.introspection.endpoint, "introspection_endpoint", loopback=self.is_loopback, query=True)
        if self.is_template:
            raise ConfigurationError("introspection_endpoint", "can't be asked about tokens of tenants")
        if self.token_format == "introspection" and self.introspection.jwt_every is not None:  # noqa: S105
            raise ConfigurationError("introspect_jwt_every", "is of no use where all tokens are introspected")

    def _check_kind(self) -> None:
        types = token_kind.check_types(self.accept_typ)
        markers = tuple(token_kind.check_markers(one, "markers") for one in self.markers)
        object.__setattr__(self, "accept_typ", types)
        object.__setattr__(self, "markers", markers)
        object.__setattr__(self, "foreign_markers", token_kind.check_markers(self.foreign_markers, "foreign_markers"))
        if set(types) - {token_kind.AT_JWT} and not markers and not self.audience_is_no_client_id:
            raise ConfigurationError(
                "accept_typ",
                "lets ID tokens in unless something tells them apart: name in markers a claim that only access tokens "
                "of this issuer bear, or use a preset",
            )
        if self.introspection is not None and self.introspection.may_tell_no_kind and not token_kind.tell(markers):
            raise ConfigurationError(
                "introspection_may_omit",
                "names both aud and token_type, so refresh tokens would pass: demand one of them, or name in markers "
                "the values of a claim that tells access tokens of this issuer",
            )

    def _check_claims(self) -> None:
        for name in ("roles_claim", "groups_claim", "entitlements_claim"):
            value = getattr(self, name)
            path = (value,) if isinstance(value, str) else tuple(value)
            if not path or not all(path):
                raise ConfigurationError(name, "must be a claim's name or a path of names")
            object.__setattr__(self, name, path)
        for name in ("audience_claim", "client_id_claim", "scope_claim", "tenant_claim"):
            if not getattr(self, name):
                raise ConfigurationError(name, "must be a claim's name")
        if isinstance(self.required_claims, str) or not all(self.required_claims):
            raise ConfigurationError("required_claims", "must be a list of claims' names")
        object.__setattr__(self, "required_claims", tuple(self.required_claims))
        if self.scope_shape not in ("text", "array"):
            raise ConfigurationError("scope_shape", "must be text or array")
        if self.roles_shape not in ("names", "members"):
            raise ConfigurationError("roles_shape", "must be names or members")

    def _check_tenants(self) -> None:
        object.__setattr__(self, "tenants", tuple(self.tenants) if not isinstance(self.tenants, str) else ("",))
        if not all(_TENANT_ID.fullmatch(tenant) for tenant in self.tenants):
            raise ConfigurationError("tenants", "must be a list of tenants' ids: letters, digits, periods and hyphens")
        if not self.is_template:
            if self.tenants or self.allow_any_tenant_of_the_world:
                raise ConfigurationError("tenants", f"needs an issuer's URL with {TENANT} in it")
            return
        if self.url.count(TENANT) != 1:
            raise ConfigurationError("issuer", f"must have {TENANT} once")
        if bool(self.tenants) is self.allow_any_tenant_of_the_world:
            raise ConfigurationError("tenants", "must list the tenants that are trusted, at least one")
        if self.metadata_url is None and self.jwks_uri is None and self.jwks_file is None:
            raise ConfigurationError("metadata_url", f"is missing: an issuer with {TENANT} has no address of its own")

    @property
    def is_loopback(self) -> bool:
        """Whether the issuer runs on this machine, which alone permits plain http for it and its keys."""
        return urlsplit(self.url).scheme == "http"

    @property
    def needs_keys(self) -> bool:
        """Whether anything of it is judged by its key set."""
        return self.introspection is None or self.introspection.signed or self.token_format == "auto"  # noqa: S105

    @property
    def is_template(self) -> bool:
        """Whether it has a name for each of its tenants."""
        return TENANT in self.url

    def names(self) -> Iterator[tuple[str, str | None]]:
        """The values of ``iss`` that are known beforehand, each with the tenant whose name it is."""
        if not self.is_template:
            yield self.url, None
        for tenant in self.tenants:
            yield self.url.replace(TENANT, tenant), tenant

    def tenant_of(self, name: str) -> str | None:
        """The tenant whose name this is; None unless any tenant of the world is allowed."""
        if not self.allow_any_tenant_of_the_world:
            return None
        before, after = self.url.split(TENANT)
        tenant = name[len(before) : len(name) - len(after)]
        return tenant if name == f"{before}{tenant}{after}" and _TENANT_ID.fullmatch(tenant) else None

    def vouched(self, *, alone: bool) -> Grants | None:
        """What its tokens may grant, beside other issuers or alone; None for everything."""
        grants = self.grants or (granting.EVERYTHING if alone else granting.NOTHING)
        return grants if isinstance(grants, Grants) else None
