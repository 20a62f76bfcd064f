"""The settings of one issuer: at the top for a single one, in an ``[[issuers]]`` table for each of several."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers import algorithms
from resource_server.issuers.grants import Grants
from resource_server.issuers.issuer import MAX_STALE, Issuer
from resource_server.issuers.presets import PRESETS
from resource_server.settings.files import check_file, read_secret
from resource_server.settings.introspection_settings import IntrospectionSettings
from resource_server.settings.values import ClaimPath, Json, Names

FILES: Final = ("jwks_file", "ca_file")


class GrantsTable(BaseModel):
    """What an issuer may grant, by kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    entitlements: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()


Marks = dict[str, str | tuple[str, ...]]


class IssuerSettings(IntrospectionSettings):
    """What can be configured of an issuer. A preset stands behind what is not set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field("", description="The issuer whose access tokens are accepted, to the letter as in iss.")
    audience: Names = Field((), description="This API's identifier, or several: what tokens must name in aud.")
    preset: str = Field("rfc9068", description=f"The provider's ways: one of {', '.join(PRESETS)}.")
    metadata_url: str | None = Field(None, description="The issuer's metadata, if not where its URL says.")
    jwks_uri: str | None = Field(None, description="The issuer's key set; skips discovery.")
    jwks_file: Path | None = Field(None, description="A file with the issuer's key set; skips discovery.")
    ca_file: Path | None = Field(None, description="Certificates (PEM) to trust instead of the system's.")
    proxy: SecretStr | None = Field(None, description="The URL of the proxy through which the issuer is asked.")
    proxy_file: Path | None = Field(None, description="A file that holds the proxy's URL.")
    token_format: str = Field(
        "auto", description="Which tokens are introspected: auto, jwt (none) or introspection (all)."
    )
    max_stale: float = Field(MAX_STALE, description="Seconds for which known keys are good while it is down.")
    algorithms: Names = Field(algorithms.DEFAULT, description="The signature algorithms that are accepted.")
    leeway: float = Field(30.0, description="Seconds of clock difference that are forgiven, from 0 to 60.")
    grants: Annotated[GrantsTable | Literal["everything"] | None, *Json] = Field(
        None, description='What its word is good for: {"scopes": […], "roles": […], …}, or everything.'
    )
    accept_typ: Names = Field(("at+jwt",), description="The typ of its access tokens: of at+jwt, JWT and missing.")
    markers: Annotated[tuple[Marks, ...], *Json] = Field(
        (), description="Claims that only its access tokens bear: alternatives, as JSON."
    )
    foreign_markers: Annotated[Marks, *Json] = Field(
        {}, description="Claims that its other tokens bear, as JSON: any of them refuses the token."
    )
    audience_is_no_client_id: bool = Field(
        default=False, description="Say in place of markers that no client's id is among the audiences."
    )
    audience_claim: str = Field("aud", description="The claim that names this API.")
    client_id_claim: str = Field("client_id", description="The claim that names the client.")
    required_claims: Names = Field(("jti",), description="Texts that must be there beside those that are read.")
    scope_claim: str = Field("scope", description="The claim with the scopes.")
    scope_shape: str = Field("text", description="How they are written: text, with spaces between them, or array.")
    roles_claim: ClaimPath = Field("roles", description="The claim with the roles, or a JSON array: the path to it.")
    roles_shape: str = Field("names", description="How they are written: names, or members of an object.")
    groups_claim: ClaimPath = Field("groups", description="The claim with the groups, likewise.")
    entitlements_claim: ClaimPath = Field("entitlements", description="The claim with the entitlements, likewise.")
    tenants: Names = Field((), description="The tenants that are trusted, where the issuer's URL has {tenantid}.")
    tenant_claim: str = Field("tid", description="The claim that names the tenant.")
    allow_any_tenant_of_the_world: bool = Field(default=False, description="Trust every tenant that there is.")

    def trusted(self, name: Callable[[str], str]) -> Issuer:
        """The issuer that these settings describe. ``name`` spells an option as the operator wrote it.

        Raises :class:`ConfigurationError`.
        """
        options = {one: getattr(self, one) for one in IssuerSettings.model_fields if one in self.model_fields_set}
        for one in ("issuer", "audience", "preset", "proxy", "proxy_file", *IntrospectionSettings.model_fields):
            options.pop(one, None)
        for one in FILES:
            if options.get(one) is not None:
                check_file(options[one], name(one))
        try:
            preset = _preset(self.preset)
            if isinstance(self.grants, GrantsTable):
                options["grants"] = Grants(**self.grants.model_dump())
            options |= self._read_proxy(name)
            return preset(self.issuer, audience=self.audience, introspection=self.introspection(name), **options)
        except ConfigurationError as error:
            raise ConfigurationError(name(error.option), error.problem) from None

    def _read_proxy(self, name: Callable[[str], str]) -> Mapping[str, Any]:
        if self.proxy_file is None:
            return {"proxy": self.proxy.get_secret_value()} if self.proxy is not None else {}
        if self.proxy is not None:
            raise ConfigurationError("proxy_file", f"contradicts {name('proxy')}: set one of them")
        return {"proxy": read_secret(self.proxy_file, "proxy_file").decode("utf-8", "replace")}


def _preset(name: str) -> Callable[..., Issuer]:
    try:
        return PRESETS[name]
    except KeyError:
        raise ConfigurationError("preset", f"must be one of {', '.join(PRESETS)}") from None
