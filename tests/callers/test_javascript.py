"""What only the clients from npm do with a refusal, and the processes that they run in."""

import subprocess

import pytest

from resource_server.refusals import Kind
from tests.callers.development import Development
from tests.callers.javascript import FOLDER, JavaScript, ThrownError
from tests.callers.refusing import NONCE, NONCE_PATH, Case, Refusing, nonce_of


def test_openid_client_tries_again_with_the_nonce_that_it_is_given(
    openid_client: JavaScript, refusing: Refusing
) -> None:
    """D19: RS-9449-9-a; the bare Bearer challenge beside the demand does not hide it."""
    refusing.requests.clear()
    answer = openid_client.do("call", method="GET", url=refusing.url + NONCE_PATH, token="a.b.c", with_proof=True)

    assert (answer["status"], answer["text"]) == (200, '{"served":true}')
    assert [nonce_of(request) for request in refusing.requests] == [None, NONCE]


def test_oauth4webapi_knows_the_demand_for_a_nonce(oauth4webapi: JavaScript, refusing: Refusing) -> None:
    """D19: RS-9449-9-a; it leaves the second try to its user, and has the nonce at hand then."""
    call = {"method": "GET", "url": refusing.url + NONCE_PATH, "token": "a.b.c", "with_proof": True}

    assert oauth4webapi.do("is_nonce_demanded", url=call["url"]) is True
    assert oauth4webapi.do("call", **call)["status"] == 200


@pytest.mark.parametrize("kind", [Kind.INVALID_PROOF, Kind.WRONG_PROOF_KEY, Kind.REPLAYED_PROOF])
def test_no_other_refusal_of_a_proof_is_taken_for_that_demand(
    oauth4webapi: JavaScript, refusing: Refusing, kind: Kind
) -> None:
    """D16, D17, D18: a client must not try for ever."""
    url = refusing.url + Case("both-by-dpop", kind).path

    assert oauth4webapi.do("is_nonce_demanded", url=url) is False


@pytest.mark.parametrize("client", ["openid_client", "oauth4webapi"])
def test_an_issuer_that_calls_itself_otherwise_is_refused_by_the_client(
    client: str, development: Development, request: pytest.FixtureRequest
) -> None:
    """RFC 8414 §3.3: the control of the discovery tests; `localhost` reaches the same server."""
    javascript: JavaScript = request.getfixturevalue(client)
    with pytest.raises(ThrownError) as thrown:
        javascript.do("discover", issuer=development.issuer.replace("127.0.0.1", "localhost"))

    assert thrown.value.told["code"] == "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED"


@pytest.mark.usefixtures("npm_packages")
@pytest.mark.parametrize("package", ["openid-client", "oauth4webapi"])
def test_a_runner_ends_when_its_stdin_is_closed(package: str) -> None:
    """A killed pytest leaves no orphan."""
    done = subprocess.run(["node", f"{package}.mjs"], cwd=FOLDER, input=b"", check=False, timeout=10)

    assert done.returncode == 0
