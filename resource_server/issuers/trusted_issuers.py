"""Whom we trust: from the exact ``iss`` of a token to the issuer's keys, before any network or signature."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from resource_server.clock import Clock
from resource_server.configuration_error import ConfigurationError
from resource_server.issuers import known_answers
from resource_server.issuers.fetch import Fetch
from resource_server.issuers.grants import NOTHING, Grants
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.keys import IssuerKeys

MAX_FETCHES: Final = 16
"""Issuers whose keys the timers fetch at one time."""
MAX_WORKERS: Final = 1000

_log = logging.getLogger("resource_server.issuers")


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One name that tokens may bear as their ``iss``."""

    name: str
    keys: IssuerKeys
    grants: Grants | None
    """What its tokens may grant; None for everything."""
    tenant: str | None = None
    """Whose name it is, where an issuer has one for each of its tenants."""

    @property
    def issuer(self) -> Issuer:
        """As configured."""
        return self.keys.issuer


class TrustedIssuers:
    """The issuers of one resource server, each with keys of its own: one's key never verifies another's token.

    Found by a dictionary, however many there are; an unknown name causes no request (RFC 8725 §3.8). ``workers`` are
    the processes that ask the same issuers. Raises :class:`ConfigurationError` for no issuer, for two of one name, and
    for an algorithm that doesn't work here (T26).
    """

    def __init__(
        self, issuers: Sequence[Issuer], *, clock: Clock, fetch: Fetch | None = None, workers: int = 1
    ) -> None:
        if not issuers:
            raise ConfigurationError("issuer", "is missing: give it as https://id.example.com")
        if type(workers) is not int or not 1 <= workers <= MAX_WORKERS:
            raise ConfigurationError("workers", f"must be how many processes serve this API, from 1 to {MAX_WORKERS}")
        alone = len(issuers) == 1 and not issuers[0].allow_any_tenant_of_the_world
        self._keys = tuple(IssuerKeys(issuer, clock=clock, fetch=fetch, workers=workers) for issuer in issuers)
        self._names: dict[str, TrustedIssuer] = {}
        self._templates: list[TrustedIssuer] = []
        for keys in self._keys:
            issuer, grants = keys.issuer, keys.issuer.vouched(alone=alone)
            known_answers.check(issuer.algorithms)
            for name, tenant in issuer.names():
                if name in self._names:
                    raise ConfigurationError("issuer", f"is given twice: {name}")
                self._names[name] = TrustedIssuer(name, keys, grants, tenant)
            if issuer.allow_any_tenant_of_the_world:
                self._templates.append(TrustedIssuer(issuer.url, keys, grants))
            if grants == NOTHING and issuer.grants is None:
                _log.warning("tokens of %s grant nothing: it is not the only issuer, and has no grants", issuer.url)

    def __iter__(self) -> Iterator[IssuerKeys]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def names(self) -> Sequence[str]:
        """All names that are known beforehand, in the order of the configuration."""
        return tuple(self._names)

    @property
    def first(self) -> str:
        """The name of the issuer whose subjects are our users, unless a requirement names another."""
        return next(iter(self._names), self._keys[0].issuer.url)

    def find(self, name: object) -> TrustedIssuer | None:
        """The issuer of that name, to the letter: a trailing slash makes another."""
        if type(name) is not str:
            return None
        found = self._names.get(name)
        return found if found is not None or not self._templates else self._find_tenant(name)

    def _find_tenant(self, name: str) -> TrustedIssuer | None:
        for template in self._templates:
            tenant = template.issuer.tenant_of(name)
            if tenant is not None:
                return TrustedIssuer(name, template.keys, template.grants, tenant)
        return None

    def grants(self, name: str) -> Grants | None:
        """What tokens of that name may grant; None for everything."""
        found = self.find(name)
        return found.grants if found is not None else None

    @property
    def is_ready(self) -> bool:
        """Whether there is an issuer whose tokens can be judged."""
        return any(keys.is_ready or not keys.issuer.needs_keys for keys in self._keys)

    @property
    def unready(self) -> list[IssuerKeys]:
        """Those whose tokens can't be judged now."""
        return [keys for keys in self._keys if keys.issuer.needs_keys and not keys.is_ready]

    async def refresh(self) -> None:
        """Fetch all keys now. Never raises for an issuer's faults."""
        slots = asyncio.Semaphore(MAX_FETCHES)

        async def refresh(keys: IssuerKeys) -> None:
            async with slots:
                await keys.refresh()

        await asyncio.gather(*(refresh(keys) for keys in self._keys if keys.issuer.needs_keys))

    async def run(self) -> None:
        """Keep all keys fresh until cancelled."""
        slots = asyncio.Semaphore(MAX_FETCHES)
        async with asyncio.TaskGroup() as tasks:
            for keys in self._keys:
                if keys.issuer.needs_keys:
                    tasks.create_task(keys.run(slots))
            await asyncio.Event().wait()
