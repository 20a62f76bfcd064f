"""What an issuer's word is good for (T1): authority belongs to an issuer, not to a name in a token."""

from collections.abc import Collection
from dataclasses import dataclass, fields

from resource_server.configuration_error import ConfigurationError
from resource_server.scope import no_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """The scopes, roles, groups and entitlements that an issuer may grant, and the claims that ``claim()`` may believe.

    What a token says beyond them is dropped before authorization: a partner's issuer that mints ``roles: [admin]``
    administers nothing. With none, its tokens open only what needs any valid token. Raises :class:`ConfigurationError`.
    """

    scopes: Collection[str] = frozenset()
    roles: Collection[str] = frozenset()
    groups: Collection[str] = frozenset()
    entitlements: Collection[str] = frozenset()
    claims: Collection[str] = frozenset()
    """Names of claims."""

    def __post_init__(self) -> None:
        for kind in fields(self):
            names = getattr(self, kind.name)
            if isinstance(names, str) or not all(isinstance(name, str) and name for name in names):
                raise ConfigurationError("grants", f"must give its {kind.name} as a list of names")
            object.__setattr__(self, kind.name, frozenset(names))
        if (fault := no_scope(sorted(self.scopes))) is not None:
            raise ConfigurationError("grants", f"names a scope that can't be: {fault}")


EVERYTHING = "everything"
"""The loud word of an issuer whose every scope, role and claim counts here; a single issuer is one."""
NOTHING = Grants()


def check(value: object) -> None:
    """Demand :class:`Grants`, ``"everything"``, or None, which leaves it to the number of issuers."""
    if value is None or value == EVERYTHING or isinstance(value, Grants):
        return
    raise ConfigurationError(
        "grants", 'must name what the issuer may grant, as in {scopes = ["orders:read"]}, or say "everything"'
    )
