"""Many callers at once, and an introspection endpoint that is slow or dead: ``serve`` over real sockets."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from resource_server.validation.introspection import MAX_IN_FLIGHT_PER_CLIENT
from tests.integration.exchange import Answer, bearer, send
from tests.integration.identity_provider import API
from tests.integration.scripted_issuer import SECRET, ScriptedIssuer, scripted_issuer
from tests.integration.serving import Served, serving
from tests.integration.stampede import stampede
from tests.integration.test_serve_outage import INVALID, check_unavailable

CALLERS = 1000


@pytest.fixture
def issuer() -> Iterator[ScriptedIssuer]:
    with scripted_issuer() as server:
        yield server


@pytest.fixture(scope="module")
def slow() -> Iterator[ScriptedIssuer]:
    with scripted_issuer() as server:
        yield server


@pytest.fixture(scope="module")
def served(slow: ScriptedIssuer) -> Iterator[Served]:
    with serving(AUDIENCE=API, AUDIT="false", **slow.settings) as server:
        yield server


@pytest.mark.parametrize("different", [1, 100])
def test_a_thousand_callers_cause_one_question_a_token(served: Served, slow: ScriptedIssuer, different: int) -> None:
    """DESIGN §8, RS-7662-4-c: all of them are under way before the first question is answered."""
    tokens = [slow.mint.access_token(sub=f"user{number}") for number in range(different)]
    slow.questions.clear()
    slow.may_answer.clear()
    answers = stampede(served.port, tokens * (CALLERS // different), slow.may_answer.set)
    assert Counter(answer.status for answer in answers) == {200: CALLERS}
    assert Counter(answer.body["sub"] for answer in answers) == dict.fromkeys(
        [f"user{number}" for number in range(different)], CALLERS // different
    )
    assert sorted(slow.questions) == sorted(tokens)


def test_strangers_who_fill_the_endpoint_keep_no_known_caller_out(served: Served, slow: ScriptedIssuer) -> None:
    """T24, T33: over the bound of one address they get 503 at once; whoever is remembered does not wait."""
    known = slow.mint.access_token()
    assert me(served, known).status == 200
    slow.questions.clear()
    slow.may_answer.clear()
    meanwhile: list[Answer] = []

    def come_by() -> None:
        meanwhile.extend(me(served, known) for _ in range(10))
        slow.may_answer.set()

    answers = stampede(served.port, [f"made-up-{number}" for number in range(CALLERS)], come_by)
    assert [answer.status for answer in meanwhile] == [200] * 10
    asked = MAX_IN_FLIGHT_PER_CLIENT
    assert Counter(answer.status for answer in answers) == {401: asked, 503: CALLERS - asked}
    assert {tuple(answer.all("retry-after")) for answer in answers if answer.status == 503} == {("1",)}
    assert len(slow.questions) == asked
    assert me(served, slow.mint.access_token()).status == 200


def test_an_endpoint_that_dies_takes_nobody_with_it(issuer: ScriptedIssuer) -> None:
    """DESIGN §9, T24: who is known goes on for the life of the answer; the others get 503 without a question."""
    with serving(AUDIENCE=API, INTROSPECTION_TTL="3", **issuer.settings) as served:
        known = issuer.mint.access_token()
        assert me(served, known).status == 200
        issuer.stop()
        assert [me(served, known).status for _ in range(20)] == [200] * 20
        for _ in range(6):
            check_unavailable(me(served, issuer.mint.access_token()))
        issuer.come_back()
        asked, newcomer = len(issuer.questions), issuer.mint.access_token()
        for token in (newcomer, "made-up", newcomer):
            check_unavailable(me(served, token))
        assert len(issuer.questions) == asked
        assert me(served, "a.b").status == 503
        missing = send(served.port, "GET", "/api/v1/me")
        assert (missing.status, missing.challenges) == (401, ['Bearer realm="api"'])
        assert statuses_until_granted(served, newcomer) == {200, 503}
        assert (me(served, known).status, me(served, "made-up").challenges) == (200, [INVALID])
    assert "is not asked for a while: ConnectError" in served.err.text
    assert SECRET not in served.err.text


def test_an_endpoint_that_fails_is_asked_no_further(issuer: ScriptedIssuer) -> None:
    """T24: after five failures in a row a thousand callers cost it nothing, and 503 comes at once."""
    with serving(AUDIENCE=API, AUDIT="false", **issuer.settings) as served:
        issuer.status = 500
        for _ in range(5):
            check_unavailable(me(served, issuer.mint.access_token()))
        answers = stampede(served.port, [issuer.mint.access_token() for _ in range(CALLERS)])
        assert {answer.status for answer in answers} == {503}
        assert len(issuer.questions) == 5


def me(served: Served, token: str) -> Answer:
    return send(served.port, "GET", "/api/v1/me", bearer(token))


def statuses_until_granted(served: Served, token: str) -> set[int]:
    """Do as Retry-After says, a little impatiently."""
    found = set()
    deadline = time.monotonic() + 15
    while 200 not in found:
        assert time.monotonic() < deadline
        found.add(me(served, token).status)
        time.sleep(0.1)
    return found
