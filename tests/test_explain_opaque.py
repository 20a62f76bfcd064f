"""The explanation of a token that says nothing by itself: what its issuer says of it."""

import json
from typing import Any

import pytest

from resource_server import Issuer, Kind, ResourceServer
from resource_server.explain import Explanation, explain
from resource_server.issuers.client_authentication import SecretBasic
from resource_server.issuers.introspection import Introspection
from resource_server.issuers.introspection_endpoint import Answered
from tests.turnable_clock import TurnableClock

URL, API = "https://id.example.com", "https://api.example.com"
NAMES = ["syntax", "active", "audience", "claims", "begun", "expiry", "confirmation"]


class Endpoint:
    """Answers what a test wants."""

    def __init__(self, time: TurnableClock) -> None:
        self.status = 200
        self.members: dict[str, Any] = {
            "active": True, "iss": URL, "aud": API, "sub": "alice", "client_id": "shop", "iat": time.wall,
            "exp": time.wall + 300, "scope": "orders:read", "token_type": "Bearer",
        }  # fmt: skip
        self.asked = 0

    async def __call__(self, url: str, form: dict[str, str], headers: dict[str, str]) -> Answered:
        self.asked += 1
        return Answered(self.status, "application/json", json.dumps(self.members).encode())

    async def aclose(self) -> None:
        """Nothing is kept."""


@pytest.fixture
def endpoint(time: TurnableClock) -> Endpoint:
    return Endpoint(time)


@pytest.fixture
def server(endpoint: Endpoint, time: TurnableClock) -> ResourceServer:
    introspection = Introspection(endpoint=f"{URL}/introspect", client=SecretBasic("api", "secret"))
    issuer = Issuer(url=URL, audience=API, introspection=introspection)
    return ResourceServer(issuer, post=endpoint, clock=time.clock, observers=())


def failed(explanation: Explanation) -> list[str]:
    return [check.name for check in explanation.checks if not check.passed]


async def test_a_good_opaque_token_passes_every_check(server: ResourceServer) -> None:
    """The verdict is the path's own, and the checks are of the issuer's answer."""
    explanation = await explain("opaque", server)
    assert [check.name for check in explanation.checks] == NAMES
    assert failed(explanation) == []
    assert (explanation.kind, explanation.status) == (None, 200)


@pytest.mark.parametrize(
    ("members", "names", "kind"),
    [
        pytest.param({"active": False}, ["active"], Kind.REVOKED, id="inactive"),
        pytest.param({"aud": "https://other.example.com"}, ["audience"], Kind.WRONG_AUDIENCE, id="audience"),
        pytest.param({"exp": 1}, ["expiry"], Kind.EXPIRED, id="expired"),
        pytest.param({"cnf": {}}, ["confirmation"], Kind.UNCONFIRMED_TOKEN, id="bound"),
        pytest.param({"token_type": None}, ["active"], Kind.INVALID_CLAIM, id="no-token-type"),
        pytest.param({"typ": "Refresh"}, ["active"], Kind.WRONG_TOKEN_TYPE, id="refresh-token"),
        pytest.param({"iss": "https://evil.example"}, ["active"], Kind.WRONG_ISSUER, id="issuer"),
    ],
)
async def test_each_fault_of_the_answer_is_a_failed_check_with_a_cure(
    server: ResourceServer, endpoint: Endpoint, members: dict[str, Any], names: list[str], kind: Kind
) -> None:
    """DESIGN §6."""
    endpoint.members |= members
    explanation = await explain("opaque", server)
    assert failed(explanation) == names
    assert explanation.kind is kind
    assert all(check.cure for check in explanation.checks if not check.passed)


async def test_an_endpoint_that_refuses_us_is_not_the_token_s_fault(server: ResourceServer, endpoint: Endpoint) -> None:
    """RS-7662-2.3-a, ruling 17."""
    endpoint.status = 401
    explanation = await explain("opaque", server)
    assert failed(explanation) == ["active"]
    assert (explanation.kind, explanation.status) == (Kind.ISSUER_UNAVAILABLE, 503)
    [check] = [check for check in explanation.checks if not check.passed]
    assert "refuses our credential with status 401" in check.found
    assert "resource-server doctor" in check.cure


async def test_a_jwt_is_explained_by_its_own_signature_and_asked_about_nowhere(
    server: ResourceServer, endpoint: Endpoint
) -> None:
    """T20, T36: what looks like a JWT gets no second judge, here neither."""
    explanation = await explain("eyJhbGciOiJFUzI1NiJ9.e30.AA", server)
    assert failed(explanation)[0] == "type"
    assert endpoint.asked == 0
