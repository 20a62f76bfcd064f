"""The identity provider of the integration tests."""

from collections.abc import Iterator

import pytest

from tests.integration.identity_provider import API, IdentityProvider
from tests.integration.installation import UnavailableError, give_up, install
from tests.integration.key_server import KeyServer, key_server
from tests.integration.serving import Served, serving


@pytest.fixture(scope="session")
def oidc_provider() -> None:
    """The npm package, installed; nothing runs yet."""
    try:
        install()
    except UnavailableError as reason:
        give_up(reason)


@pytest.fixture(scope="session")
def identity_provider(oidc_provider: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    """One running provider for the whole session; a machine that cannot have it skips, CI fails."""
    log = tmp_path_factory.mktemp("oidc-provider") / "errors.log"
    with IdentityProvider.started(log) as provider:
        yield provider


@pytest.fixture(scope="session")
def keys() -> Iterator[KeyServer]:
    """An issuer on loopback whose tokens the tests mint themselves."""
    with key_server() as server:
        yield server


@pytest.fixture(scope="session")
def served(keys: KeyServer) -> Iterator[Served]:
    """The bundled API under ``serve``, for tokens of that issuer."""
    with serving(ISSUER=keys.issuer, AUDIENCE=API, RESOURCE=API) as server:
        yield server
