"""The clients, and the two servers that they talk to: one that runs as users run it, one that refuses on demand."""

import shutil
from collections.abc import Iterator

import pytest

from tests.callers import development as development_servers
from tests.callers import refusing as refusing_server
from tests.callers.authlib_client import AuthlibClient
from tests.callers.caller import Caller, LoginCaller
from tests.callers.curl import Curl
from tests.callers.development import Development
from tests.callers.javascript import FOLDER, JavaScript
from tests.callers.refusing import Refusing
from tests.callers.requests_session import RequestsSession
from tests.integration.installation import UnavailableError, give_up, install

MISSING = "CALLER"
SCOPE = "orders:read orders:write"


@pytest.fixture(scope="package", autouse=True)
def _http_is_meant() -> Iterator[None]:
    """What two of the libraries want to be told before they speak plain http, to loopback as to anybody."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        environment.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
        yield


@pytest.fixture(scope="package")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    with development_servers.running(tmp_path_factory.mktemp("development")) as servers:
        yield servers


@pytest.fixture(scope="package")
def refusing() -> Iterator[Refusing]:
    with refusing_server.running() as server:
        yield server


@pytest.fixture(scope="package")
def curl() -> Curl:
    if shutil.which("curl") is None:
        give_up(UnavailableError("curl is not installed"), MISSING)
    return Curl()


@pytest.fixture(scope="package")
def authlib() -> AuthlibClient:
    return AuthlibClient()


@pytest.fixture(scope="package")
def requests_oauthlib() -> RequestsSession:
    return RequestsSession()


@pytest.fixture(scope="package")
def npm_packages() -> None:
    """A machine that cannot have them skips, CI fails."""
    try:
        install(FOLDER)
    except UnavailableError as reason:
        give_up(reason, MISSING)


@pytest.fixture(scope="package")
def openid_client(npm_packages: None) -> Iterator[JavaScript]:
    with JavaScript.started("openid-client") as client:
        yield client


@pytest.fixture(scope="package")
def oauth4webapi(npm_packages: None) -> Iterator[JavaScript]:
    with JavaScript.started("oauth4webapi") as client:
        yield client


@pytest.fixture(scope="package", params=["authlib", "requests_oauthlib", "openid_client", "oauth4webapi"])
def login_caller(request: pytest.FixtureRequest) -> LoginCaller:
    """Each client that can ask a user."""
    caller: LoginCaller = request.getfixturevalue(request.param)
    return caller


@pytest.fixture(scope="package", params=["curl", "authlib", "requests_oauthlib", "openid_client", "oauth4webapi"])
def caller(request: pytest.FixtureRequest) -> Caller:
    """Each client."""
    caller: Caller = request.getfixturevalue(request.param)
    return caller


@pytest.fixture(scope="package")
def token(caller: Caller, development: Development) -> str:
    """Got by the client itself; opens ``/orders``."""
    return caller.client_credentials(development, SCOPE)
