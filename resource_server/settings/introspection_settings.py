"""The settings by which an issuer is asked about its tokens (RFC 7662)."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, SecretStr

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers.client_authentication import (
    BearerCredential,
    ClientAuthentication,
    PrivateKeyJwt,
    SecretBasic,
    SecretJwt,
    SecretPost,
    TlsClient,
    read_private_key,
)
from resource_server.issuers.introspection import TTL, Introspection
from resource_server.settings.files import check_file, read_secret
from resource_server.settings.values import Names

BY_SECRET: Final[dict[str, Callable[[str, str], ClientAuthentication]]] = {
    "client_secret_basic": SecretBasic,
    "client_secret_basic_raw": lambda client_id, secret: SecretBasic(client_id, secret, raw=True),
    "client_secret_post": SecretPost,
    "client_secret_jwt": SecretJwt,
    "bearer": BearerCredential,
}
METHODS: Final = (*BY_SECRET, "private_key_jwt", "tls_client_auth")
CREDENTIALS: Final = {
    "private_key_jwt": ("client_key_file",),
    "tls_client_auth": ("client_certificate_file", "client_certificate_key_file"),
} | dict.fromkeys(BY_SECRET, ("client_secret", "client_secret_file"))
"""The settings that hold the credential, by method."""


class IntrospectionSettings(BaseModel):
    """What can be configured of an issuer's introspection endpoint."""

    introspection_endpoint: str | None = Field(None, description="Where the issuer is asked about tokens (RFC 7662).")
    client_id: str = Field("", description="The client that this API is at the issuer.")
    client_secret: SecretStr | None = Field(None, description="Its secret, or with bearer its own access token.")
    client_secret_file: Path | None = Field(None, description="A file that holds the client's secret.")
    client_auth_method: str = Field(
        "client_secret_basic", description=f"How the client authenticates: one of {', '.join(METHODS)}."
    )
    client_key_file: Path | None = Field(None, description="The private key of private_key_jwt, as PEM or JWK.")
    client_certificate_file: Path | None = Field(None, description="The certificate of tls_client_auth, as PEM.")
    client_certificate_key_file: Path | None = Field(None, description="The certificate's key, as PEM.")
    introspection_ttl: float = Field(TTL, description="Seconds for which an answer is remembered; 0 asks every time.")
    introspection_may_omit: Names = Field((), description="Members that the issuer's answers lack, and may lack.")
    introspection_signed: bool = Field(default=False, description="Demand signed answers (RFC 9701).")
    introspect_jwt_every: float | None = Field(
        None, description="Seconds after which good JWTs are asked about too, in case they were revoked."
    )
    token_prefix: str = Field("", description="What the issuer's opaque tokens begin with.")

    def introspection(self, name: Callable[[str], str]) -> Introspection | None:
        """How to ask, if there is an endpoint. ``name`` spells an option as the operator wrote it.

        Raises :class:`ConfigurationError`, naming the option itself.
        """
        if self.introspection_endpoint is None:
            lost = [one for one in IntrospectionSettings.model_fields if one in self.model_fields_set]
            if lost:
                raise ConfigurationError(lost[0], f"is of no use without {name('introspection_endpoint')}: set it, too")
            return None
        return Introspection(
            endpoint=self.introspection_endpoint,
            client=self._client(name),
            ttl=self.introspection_ttl,
            may_omit=self.introspection_may_omit,
            signed=self.introspection_signed,
            prefix=self.token_prefix,
            jwt_every=self.introspect_jwt_every,
        )

    def _client(self, name: Callable[[str], str]) -> ClientAuthentication:
        method = self.client_auth_method
        if method not in METHODS:
            raise ConfigurationError("client_auth_method", f"must be one of {', '.join(METHODS)}")
        for option in (one for used in CREDENTIALS.values() for one in used):
            if option not in CREDENTIALS[method] and getattr(self, option) is not None:
                raise ConfigurationError(
                    option, f"is of no use with {name('client_auth_method')} {method}: leave it out, or name its method"
                )
        if method == "private_key_jwt":
            return PrivateKeyJwt(self.client_id, *read_private_key(self._read_key(name)))
        if method == "tls_client_auth":
            return self._tls_client()
        return BY_SECRET[method](self.client_id, self._read_secret(name))

    def _read_key(self, name: Callable[[str], str]) -> bytes:
        if self.client_key_file is None:
            raise ConfigurationError("client_key_file", f"is missing: {name('client_auth_method')} needs a private key")
        return read_secret(self.client_key_file, "client_key_file")

    def _tls_client(self) -> TlsClient:
        for option in ("client_certificate_file", "client_certificate_key_file"):
            path = getattr(self, option)
            if path is None:
                raise ConfigurationError(option, "is missing: tls_client_auth needs a certificate and its key")
            check_file(path, option)
        assert self.client_certificate_file is not None  # noqa: S101 - looked at just now
        assert self.client_certificate_key_file is not None  # noqa: S101
        return TlsClient(self.client_id, self.client_certificate_file, self.client_certificate_key_file)

    def _read_secret(self, name: Callable[[str], str]) -> str:
        if self.client_secret_file is not None:
            if self.client_secret is not None:
                raise ConfigurationError("client_secret_file", f"contradicts {name('client_secret')}: set one of them")
            try:
                return read_secret(self.client_secret_file, "client_secret_file").decode()
            except UnicodeDecodeError:
                raise ConfigurationError("client_secret_file", "holds no text in UTF-8") from None
        if self.client_secret is None:
            raise ConfigurationError("client_secret", f"is missing: {name('client_auth_method')} needs it")
        return self.client_secret.get_secret_value()
