"""The identity provider of the integration tests."""

from collections.abc import Iterator

import pytest

from tests.integration.identity_provider import IdentityProvider
from tests.integration.installation import UnavailableError, give_up, install


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
