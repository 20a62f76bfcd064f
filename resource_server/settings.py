"""The configuration of the server that runs by itself: the only reader of the environment.

Every field is an environment variable ``RESOURCE_SERVER_<NAME>`` and a key of the TOML file that ``CONFIG`` names; the
environment wins. A variable with that prefix that is no field ends the start: a misspelt one must not go unnoticed.
``docs/settings.md`` holds each default and why it is the strict one.
"""

import difflib
import json
import os
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from resource_server.configuration_error import ConfigurationError
from resource_server.events import Observer
from resource_server.fastapi.resource_server import MEMORY, ResourceServer
from resource_server.issuers import algorithms
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.urls import is_loopback_host

PREFIX: Final = "RESOURCE_SERVER_"


def _read_names(value: Any) -> Any:
    """A list from a JSON array, or from a text with commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [name.strip() for name in value.split(",") if name.strip()]


def _read_path(value: Any) -> Any:
    """A claim's name, which may hold dots and commas, or a JSON array: the path to a nested one."""
    return json.loads(value) if isinstance(value, str) and value.lstrip().startswith("[") else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_read_names)]
ClaimPath = Annotated[str | tuple[str, ...], NoDecode, BeforeValidator(_read_path)]


class Settings(BaseSettings):
    """What can be configured. Make it with :meth:`load`, whose errors are sentences."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    config: Path | None = Field(None, description="A TOML file with these names in lower case.")
    issuer: str = Field("", description="The issuer whose access tokens are accepted, to the letter as in iss.")
    audience: Names = Field((), description="This API's identifier, or several: what tokens must name in aud.")
    jwks_uri: str | None = Field(None, description="The issuer's key set; skips discovery.")
    jwks_file: Path | None = Field(None, description="A file with the issuer's key set; skips discovery.")
    algorithms: Names = Field(algorithms.DEFAULT, description="The signature algorithms that are accepted.")
    leeway: float = Field(30.0, description="Seconds of clock difference that are forgiven, from 0 to 60.")
    scope_claim: str = Field("scope", description="The claim with the scopes.")
    roles_claim: ClaimPath = Field("roles", description="The claim with the roles, or a JSON array: the path to it.")
    groups_claim: ClaimPath = Field("groups", description="The claim with the groups, likewise.")
    entitlements_claim: ClaimPath = Field("entitlements", description="The claim with the entitlements, likewise.")
    memory: int = Field(MEMORY, ge=0, description="Bytes of verified tokens that are remembered.")
    realm: str = Field("api", description="The realm in challenges.")
    resource: str | None = Field(None, description="This API's public identifier; publishes its metadata (RFC 9728).")
    trusted_proxies: Names = Field((), description="Addresses or networks whose forwarding headers are believed.")
    forwarding: str = Field("x-forwarded", description="The headers they write: x-forwarded or forwarded.")
    cors_origins: Names = Field((), description="Exact origins whose pages may call this API from a browser.")
    require_https: bool = Field(default=False, description="Refuse requests that did not come by https.")
    disclose_requirements: bool = Field(
        default=True, description="Name the roles that a route requires; those of the bundled API are no secret."
    )
    docs: bool = Field(default=False, description="Serve /docs and /openapi.json.")
    audit: bool = Field(default=True, description="Write one JSON line for each refusal an operator has to know of.")
    audit_key: SecretStr | None = Field(None, description="Keys the token digests in the audit; random by default.")
    audit_key_file: Path | None = Field(None, description="A file that holds the audit key.")
    allow_loopback_issuer: bool = Field(
        default=False, description="Let a server that others can reach trust an issuer on its own machine."
    )

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the environment and the TOML file. Raises :class:`ConfigurationError`, in one sentence."""
        _check_names(list(os.environ))
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise _as_sentence(error) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{PREFIX}CONFIG", f"names a file that is no TOML: {error}") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then the TOML file; no .env file, whose place would decide who is let in."""
        del dotenv_settings, file_secret_settings
        path = os.environ.get(f"{PREFIX}CONFIG")
        if not path:
            return init_settings, env_settings
        _check_file(Path(path), f"{PREFIX}CONFIG")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(path))

    def resource_server(self, observers: Sequence[Observer] = ()) -> ResourceServer:
        """Build the resource server. Raises :class:`ConfigurationError`."""
        if self.jwks_file is not None:
            _check_file(self.jwks_file, f"{PREFIX}JWKS_FILE")
        try:
            issuer = Issuer(
                url=self.issuer,
                audience=self.audience,
                jwks_uri=self.jwks_uri,
                jwks_file=self.jwks_file,
                algorithms=self.algorithms,
                leeway=self.leeway,
                scope_claim=self.scope_claim,
                roles_claim=self.roles_claim,
                groups_claim=self.groups_claim,
                entitlements_claim=self.entitlements_claim,
            )
            return ResourceServer(
                issuer,
                realm=self.realm,
                resource=self.resource,
                trusted_proxies=self.trusted_proxies,
                forwarding=self.forwarding,
                require_https=self.require_https,
                cors_origins=self.cors_origins,
                disclose_requirements=self.disclose_requirements,
                memory=self.memory,
                observers=observers,
            )
        except ConfigurationError as error:
            raise ConfigurationError(f"{PREFIX}{error.option.upper()}", error.problem) from None

    def __getstate__(self) -> NoReturn:
        """Refuse to be pickled: the secrets would be in it (T37)."""
        raise TypeError("settings hold secrets and can't be pickled")

    def check_bind(self, host: str) -> None:
        """Refuse to trust an issuer of this machine where others can reach the server (T23)."""
        if self.issuer.lower().startswith("http://") and not is_loopback_host(host) and not self.allow_loopback_issuer:
            raise ConfigurationError(
                f"{PREFIX}ISSUER",
                f"is on loopback while the server listens on {host}: use an https issuer, "
                f"or set {PREFIX}ALLOW_LOOPBACK_ISSUER=true if you mean it",
            )

    def read_audit_key(self) -> bytes:
        """The key for token digests; a random one, good for this process, where none is configured."""
        if self.audit_key_file is not None:
            if self.audit_key is not None:
                raise ConfigurationError(f"{PREFIX}AUDIT_KEY_FILE", f"contradicts {PREFIX}AUDIT_KEY: set one of them")
            _check_file(self.audit_key_file, f"{PREFIX}AUDIT_KEY_FILE")
            key = self.audit_key_file.read_bytes().strip()
            if not key:
                raise ConfigurationError(f"{PREFIX}AUDIT_KEY_FILE", "names an empty file: put a random secret into it")
            return key
        return self.audit_key.get_secret_value().encode() if self.audit_key else os.urandom(32)


def _check_names(variables: Sequence[str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for variable in variables:
        if variable.upper().startswith(PREFIX) and variable not in known:
            nearest = _nearest(variable[len(PREFIX) :])
            raise _unknown(variable, PREFIX + nearest.upper() if nearest else None)


def _nearest(name: str) -> str | None:
    return next(iter(difflib.get_close_matches(name.lower(), Settings.model_fields, 1)), None)


def _unknown(name: str, nearest: str | None) -> ConfigurationError:
    cure = f"did you mean {nearest}?" if nearest else "see docs/settings.md for those that are, and remove it"
    return ConfigurationError(name, f"is no setting: {cure}")


def _as_sentence(error: ValidationError) -> ConfigurationError:
    """The first error, naming the setting but never its value, which may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return _unknown(f"{name} in the file that {PREFIX}CONFIG names", _nearest(name))
    cure = Settings.model_fields[name].description or ""
    return ConfigurationError(PREFIX + name.upper(), f"is not understood ({first['msg'].lower()}): {cure}")


def _check_file(path: Path, setting: str) -> None:
    """Demand a file that can be read and that others can't write: who writes it decides who is let in (T37)."""
    try:
        mode = path.stat().st_mode
        path.open("rb").close()
    except OSError as error:
        raise ConfigurationError(
            setting, f"names a file that can't be read ({error.strerror}): {str(path)!r}"
        ) from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigurationError(setting, f"names a file that others may write: run chmod go-w {str(path)!r}")
