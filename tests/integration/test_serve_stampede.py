"""Many callers at once, and an introspection endpoint that is slow or dead: ``serve`` over real sockets."""

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from resource_server.issuers.breaker import PAUSE
from resource_server.validation.introspection import MAX_IN_FLIGHT_PER_CLIENT
from tests.integration.exchange import Answer, bearer, send
from tests.integration.identity_provider import API
from tests.integration.scripted_issuer import SECRET, ScriptedIssuer, scripted_issuer
from tests.integration.serving import Served, serving
from tests.integration.stampede import stampede
from tests.integration.test_serve_outage import INVALID, check_unavailable

CALLERS = 1000
STRANGERS = MAX_IN_FLIGHT_PER_CLIENT + 100


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

    answers = stampede(served.port, [f"made-up-{number}" for number in range(STRANGERS)], come_by)
    assert [answer.status for answer in meanwhile] == [200] * 10
    asked = MAX_IN_FLIGHT_PER_CLIENT
    assert Counter(answer.status for answer in answers) == {401: asked, 503: STRANGERS - asked}
    assert {tuple(answer.all("retry-after")) for answer in answers if answer.status == 503} == {("1",)}
    assert len(slow.questions) == asked
    assert me(served, slow.mint.access_token()).status == 200


def test_an_endpoint_that_dies_takes_nobody_with_it(issuer: ScriptedIssuer) -> None:
    """DESIGN §9, T24: who is known goes on for the life of the answer; the others get 503, soon without a question."""
    with serving(AUDIENCE=API, AUDIT="false", INTROSPECTION_TTL="1.5", **issuer.settings) as served:
        known, newcomer = issuer.mint.access_token(), issuer.mint.access_token()
        assert good_from_its_first_request(served, known, issuer.stop) == {200, 503}
        began = time.monotonic()
        for _ in range(6):
            check_unavailable(me(served, newcomer))
        issuer.come_back()
        asked = len(issuer.questions)
        crowd = stampede(served.port, [newcomer, "made-up", known, *(f"made-up-{number}" for number in range(197))])
        if time.monotonic() < began + PAUSE:  # or else this machine has slept through it
            assert {answer.status for answer in crowd} == {503}
            assert len(issuer.questions) == asked
        missing = send(served.port, "GET", "/api/v1/me")
        assert (missing.status, missing.challenges) == (401, ['Bearer realm="api"'])
        assert statuses_until_granted(served, newcomer) <= {200, 503}
        assert (me(served, known).status, me(served, "made-up").challenges) == (200, [INVALID])
    assert "is not asked for a while: ConnectError" in served.err.text
    assert SECRET not in served.err.text


def good_from_its_first_request(served: Served, token: str, end: Callable[[], None], life: float = 1.5) -> set[int]:
    """The statuses of a token whose issuer dies right after its first request: 200 for its life, then another one."""
    before, found = time.monotonic(), {me(served, token).status}
    after = time.monotonic()
    end()
    while True:
        began, answer, ended = time.monotonic(), me(served, token), time.monotonic()
        found.add(answer.status)
        if ended < before + life:
            assert answer.status == 200
        elif began >= after + life:
            check_unavailable(answer)
            return found
        time.sleep(0.02)


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
