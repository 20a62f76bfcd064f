"""The configuration of the server that runs by itself: the only reader of the environment.

Every field is an environment variable ``RESOURCE_SERVER_<NAME>`` and a key of the TOML file that ``CONFIG`` names; the
environment wins. A variable with that prefix that is no field ends the start: a misspelt one must not go unnoticed.
``docs/settings.md`` holds each default and why it is the strict one.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, Self

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from resource_server.configuration_error import ConfigurationError
from resource_server.events import Observer
from resource_server.fastapi import ApiDocs
from resource_server.fastapi.resource_server import MEMORY, ResourceServer
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.urls import is_loopback_host
from resource_server.observers.record import audit_keys
from resource_server.rate_limit import RateLimit
from resource_server.settings.files import check_file, lines, read_secret
from resource_server.settings.issuer_settings import IssuerSettings
from resource_server.settings.values import Json, Names
from resource_server.stores.redis import RedisStore
from resource_server.stores.store import Store

PREFIX: Final = "RESOURCE_SERVER_"


class Settings(IssuerSettings, BaseSettings):
    """What can be configured. Make it with :meth:`load`, whose errors are sentences."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    config: Path | None = Field(None, description="A TOML file with these names in lower case.")
    issuers: tuple[IssuerSettings, ...] = Field(
        (), description="Several issuers, in [[issuers]] tables of the TOML file or as JSON, instead of a single one."
    )
    memory: int = Field(MEMORY, ge=0, description="Bytes of verified tokens that are remembered.")
    workers: int = Field(1, description="How many processes serve this API, and ask the same issuers.")
    realm: str = Field("api", description="The realm in challenges.")
    resource: str | None = Field(None, description="This API's public identifier; publishes its metadata (RFC 9728).")
    trusted_proxies: Names = Field((), description="Addresses or networks whose forwarding headers are believed.")
    forwarding: str = Field("x-forwarded", description="The headers they write: x-forwarded or forwarded.")
    cors_origins: Names = Field((), description="Exact origins whose pages may call this API from a browser.")
    require_https: bool = Field(default=False, description="Refuse requests that did not come by https.")
    failed_authentications: str | None = Field(
        None, description="How many of one client address may fail: 20/60s, 20/1m or 100/1h."
    )
    disclose_requirements: bool = Field(
        default=True, description="Name the roles that a route requires; those of the bundled API are no secret."
    )
    docs: bool = Field(default=False, description="Serve /docs and /openapi.json.")
    docs_client_id: str = Field("", description="The public client by which the page logs people in.")
    docs_scopes: Names = Field((), description="The scopes that the page asks for unless others are chosen.")
    docs_parameters: Annotated[dict[str, str], *Json] = Field(
        {}, description="More parameters of the page's login, as JSON: an audience, or a resource."
    )
    docs_authorization_endpoint: str | None = Field(None, description="Where it logs in, if no metadata says so.")
    docs_token_endpoint: str | None = Field(None, description="Where it gets its token, likewise.")
    redis_url: SecretStr | None = Field(
        None, description="A Redis or Valkey server that processes share; its URL may hold a password."
    )
    store_key: SecretStr | None = Field(
        None,
        description="What is kept there is sealed with it: 32 random bytes or more; two, parted by a comma, to rotate.",
    )
    store_key_file: Path | None = Field(None, description="A file that holds the store's key, or two, one a line.")
    audit: bool = Field(default=True, description="Write one JSON line for each refusal an operator has to know of.")
    audit_key: SecretStr | None = Field(
        None, description="Keys the token digests in the audit; random by default; two, parted by a comma, to rotate."
    )
    audit_key_file: Path | None = Field(None, description="A file that holds the audit key, or two, one a line.")
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
        check_file(Path(path), f"{PREFIX}CONFIG")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(path))

    def resource_server(self, observers: Sequence[Observer] = ()) -> ResourceServer:
        """Build the resource server. Raises :class:`ConfigurationError`."""
        issuers = self.issuers_trusted()
        try:
            return ResourceServer(
                *issuers,
                realm=self.realm,
                resource=self.resource,
                trusted_proxies=self.trusted_proxies,
                forwarding=self.forwarding,
                require_https=self.require_https,
                cors_origins=self.cors_origins,
                disclose_requirements=self.disclose_requirements,
                failed_authentications=self._rate_limit(),
                memory=self.memory,
                workers=self.workers,
                store=self._store(),
                store_key=self._read_store_key(),
                observers=observers,
            )
        except ConfigurationError as error:
            raise ConfigurationError(_variable(error.option), error.problem) from None

    def api_docs(self) -> ApiDocs | None:
        """The page of the docs, if there is one. Raises :class:`ConfigurationError`."""
        lost = [name for name in Settings.model_fields if name.startswith("docs_") and name in self.model_fields_set]
        if not self.docs:
            if lost:
                raise ConfigurationError(_variable(lost[0]), f"is of no use without {_variable('docs')}=true")
            return None
        return ApiDocs(
            client_id=self.docs_client_id,
            scopes=self.docs_scopes,
            parameters=self.docs_parameters,
            authorization_endpoint=self.docs_authorization_endpoint,
            token_endpoint=self.docs_token_endpoint,
        )

    def issuers_trusted(self) -> list[Issuer]:
        """Whom to trust: the issuer at the top, or those of the tables. Raises :class:`ConfigurationError`."""
        if not self.issuers:
            return [self.trusted(_variable)]
        lost = [name for name in IssuerSettings.model_fields if name in self.model_fields_set]
        if lost:
            raise ConfigurationError(
                _variable(lost[0]), "is of no issuer where there are [[issuers]] tables: move it into one of them"
            )
        return [table.trusted(_in_table(number)) for number, table in enumerate(self.issuers)]

    def _store(self) -> Store | None:
        """The shared store, if there is one. Raises :class:`ConfigurationError`."""
        if self.redis_url is not None:
            return RedisStore(self.redis_url.get_secret_value())
        for option in ("store_key", "store_key_file"):
            if getattr(self, option) is not None:
                raise ConfigurationError(option, f"is of no use without {_variable('redis_url')}: set it, too")
        return None

    def _rate_limit(self) -> RateLimit | None:
        try:
            return RateLimit.parse(self.failed_authentications) if self.failed_authentications is not None else None
        except ConfigurationError as error:
            raise ConfigurationError("failed_authentications", error.problem) from None

    def _read_store_key(self) -> list[bytes]:
        if self.store_key_file is not None:
            if self.store_key is not None:
                raise ConfigurationError("store_key_file", f"contradicts {_variable('store_key')}: set one of them")
            return read_secret(self.store_key_file, "store_key_file").split()
        return self.store_key.get_secret_value().encode().split(b",") if self.store_key is not None else []

    def __getstate__(self) -> NoReturn:
        """Refuse to be pickled: the secrets would be in it (T37)."""
        raise TypeError("settings hold secrets and can't be pickled")

    def doubt(self, host: str) -> str | None:
        """What is allowed and yet seldom meant: one limit for all whom a proxy brings that nobody named (T33)."""
        if self.failed_authentications is None or self.trusted_proxies or not is_loopback_host(host):
            return None
        return (
            f"{PREFIX}FAILED_AUTHENTICATIONS counts each address for itself, and what listens on {host} is mostly "
            f"reached through a proxy: name it in {PREFIX}TRUSTED_PROXIES, or all who come through it share one limit"
        )

    def check_bind(self, host: str) -> None:
        """Refuse to trust an issuer of this machine where others can reach the server (T23)."""
        named = [self.issuer, *(table.issuer for table in self.issuers)]
        local = any(name.lower().startswith("http://") for name in named)
        if local and not is_loopback_host(host) and not self.allow_loopback_issuer:
            raise ConfigurationError(
                f"{PREFIX}ISSUER",
                f"is on loopback while the server listens on {host}: use an https issuer, "
                f"or set {PREFIX}ALLOW_LOOPBACK_ISSUER=true if you mean it",
            )

    def read_audit_keys(self) -> list[bytes]:
        """The key for token digests, or two while the first replaces the second. Raises :class:`ConfigurationError`.

        A random one, good for this process, where none is configured.
        """
        if self.audit_key_file is not None:
            if self.audit_key is not None:
                raise ConfigurationError(f"{PREFIX}AUDIT_KEY_FILE", f"contradicts {PREFIX}AUDIT_KEY: set one of them")
            keys = lines(read_secret(self.audit_key_file, f"{PREFIX}AUDIT_KEY_FILE"))
        else:
            keys = self.audit_key.get_secret_value().encode().split(b",") if self.audit_key else [os.urandom(32)]
        try:
            return list(audit_keys(keys))
        except ConfigurationError as error:
            name = "audit_key" if self.audit_key_file is None else "audit_key_file"
            raise ConfigurationError(_variable(name), error.problem) from None


def _variable(option: str) -> str:
    return PREFIX + option.upper()


def _in_table(number: int) -> Callable[[str], str]:
    return lambda option: f"{option} of [[issuers]] table {number + 1}"


def _check_names(variables: Sequence[str]) -> None:
    known = {_variable(name) for name in Settings.model_fields}
    for variable in variables:
        if variable.upper().startswith(PREFIX) and variable not in known:
            nearest = _nearest(variable[len(PREFIX) :], Settings)
            raise _unknown(variable, _variable(nearest) if nearest else None)


def _nearest(name: str, model: type[BaseModel]) -> str | None:
    return next(iter(difflib.get_close_matches(name.lower(), model.model_fields, 1)), None)


def _unknown(name: str, nearest: str | None) -> ConfigurationError:
    cure = f"did you mean {nearest}?" if nearest else "see docs/settings.md for those that are, and remove it"
    return ConfigurationError(name, f"is no setting: {cure}")


def _as_sentence(error: ValidationError) -> ConfigurationError:
    """The first error, naming the setting but never its value, which may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    model: type[BaseModel]
    if place[0] == "issuers" and len(place) > 2 and place[1].isdigit():
        name, model, spelled = place[2], IssuerSettings, _in_table(int(place[1]))(place[2])
    else:
        name, model, spelled = place[0], Settings, _variable(place[0])
    if first["type"] == "extra_forbidden" and name not in model.model_fields:
        where = spelled if model is IssuerSettings else f"{name} in the file that {PREFIX}CONFIG names"
        return _unknown(where, _nearest(name, model))
    cure = model.model_fields[name].description or ""
    return ConfigurationError(spelled, f"is not understood ({first['msg'].lower()}): {cure}")
