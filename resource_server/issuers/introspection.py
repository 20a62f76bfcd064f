"""How an issuer is asked about a token (RFC 7662), as configured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from resource_server.configuration_error import ConfigurationError

if TYPE_CHECKING:  # it loads all of cryptography, which not everybody needs for this
    from resource_server.issuers.client_authentication import ClientAuthentication

OMISSIBLE: Final = ("iss", "sub", "client_id", "aud", "exp", "iat", "token_type")
"""Members that RFC 7662 leaves to the server, and that we demand unless the issuer is known not to send them."""
TTL: Final = 30.0
MAX_TTL: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """An issuer's introspection endpoint. Raises :class:`ConfigurationError`. Opens no connection.

    What is not in ``may_omit`` must be in every answer. Where ``aud`` may be missing, the server is trusted to answer
    ``active`` for our own tokens alone; where ``sub`` is, the client is the subject; where both ``aud`` and
    ``token_type`` may be, the issuer needs a marker (:mod:`.token_kind`) that tells its access tokens from others.
    """

    endpoint: str
    client: "ClientAuthentication"
    ttl: float = TTL
    """Seconds for which an answer is remembered: how long a revoked token lives on. 0 asks every time."""
    may_omit: Sequence[str] = ()
    signed: bool = False
    """Demand signed answers (RFC 9701)."""
    prefix: str = ""
    """What the issuer's opaque tokens begin with; needed where several issuers have opaque tokens."""
    jwt_every: float | None = None
    """Seconds after which a JWT that was validated by key set is asked about, too; None never asks."""

    def __post_init__(self) -> None:
        if not 0 <= self.ttl <= MAX_TTL:
            raise ConfigurationError("introspection_ttl", f"must be from 0 to {MAX_TTL:.0f} seconds")
        if self.jwt_every is not None and not 0 <= self.jwt_every <= MAX_TTL:
            raise ConfigurationError("introspect_jwt_every", f"must be from 0 to {MAX_TTL:.0f} seconds")
        if isinstance(self.may_omit, str) or not set(self.may_omit) <= set(OMISSIBLE):
            raise ConfigurationError("introspection_may_omit", f"must be a list of some of {', '.join(OMISSIBLE)}")
        object.__setattr__(self, "may_omit", tuple(self.may_omit))

    @property
    def may_tell_no_kind(self) -> bool:
        """Whether an answer may lack all that tells access tokens from others: refresh tokens are active, too."""
        return {"aud", "token_type"} <= set(self.may_omit)
