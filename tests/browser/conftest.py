"""One browser and one ``dev`` for the whole folder; each test is a visitor of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import below_a_prefix, chromium
from tests.browser.below_a_prefix import Prefixed
from tests.browser.watching import TIMEOUT, Watched, watching
from tests.callers import development as development_servers
from tests.callers.development import Development
from tests.integration.identity_provider import API, START_TIMEOUT, IdentityProvider
from tests.integration.installation import UnavailableError, give_up, install
from tests.integration.serving import Served, serving

MISSING = "BROWSER"
AXE = Path(__file__).parent / "npm"

Visit = Callable[..., Watched]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A machine without one skips, CI fails.

    For this package alone: Playwright leaves an event loop in its thread, and asynchronous tests want their own.
    """
    try:
        path = chromium.find()
    except UnavailableError as reason:
        give_up(reason, MISSING)
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def development(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    with development_servers.running(tmp_path_factory.mktemp("development")) as servers:
        wait_for_metadata(servers.api)
        yield servers


@pytest.fixture(scope="package")
def identity_provider(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    """The npm package ``oidc-provider``."""
    try:
        install()
    except UnavailableError as reason:
        give_up(reason)
    with IdentityProvider.started(tmp_path_factory.mktemp("oidc-provider") / "errors.log") as provider:
        yield provider


@pytest.fixture(scope="package")
def served(identity_provider: IdentityProvider) -> Iterator[Served]:
    """The bundled API under ``serve``, its docs page on, for tokens of that provider."""
    login = {
        "DOCS_CLIENT_ID": "docs",
        "DOCS_PARAMETERS": f'{{"resource": "{API}"}}',
        "DOCS_SCOPES": '["openid", "orders:read"]',
    }
    with serving(ISSUER=identity_provider.issuer, AUDIENCE=API, DOCS="true", **login) as server:
        wait_for_metadata(server.url)
        yield server


@pytest.fixture(scope="package")
def prefixed(browser: Browser) -> Iterator[Prefixed]:
    with below_a_prefix.running() as servers:
        wait_for_metadata(servers.url)
        yield servers


def wait_for_metadata(url: str) -> None:
    """A page that is opened before offers no login."""
    deadline = monotonic() + START_TIMEOUT
    with httpx2.Client(trust_env=False) as http:
        while http.get(f"{url}/readyz").status_code != 200:
            assert monotonic() < deadline, f"{url} does not get ready"


@pytest.fixture(scope="package")
def axe() -> str:
    """The source of axe-core."""
    try:
        install(AXE)
    except UnavailableError as reason:
        give_up(reason, MISSING)
    return (AXE / "node_modules/axe-core/axe.min.js").read_text("utf-8")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Be a new visitor, who has never been here; ``scheme`` is light or dark, ``width`` in pixels."""
    with ExitStack() as visitors:

        def visit(**options: Any) -> Watched:
            return visitors.enter_context(watching(browser, **options))

        yield visit


@pytest.fixture
def visitor(visit: Visit) -> Watched:
    """One on a desktop, in light."""
    return visit()
