"""``serve`` with a limit of failed authentications, on real sockets: who guesses, and who comes beside them (T33)."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.integration.exchange import Answer, bearer, send
from tests.integration.identity_provider import API
from tests.integration.scripted_issuer import ScriptedIssuer, scripted_issuer
from tests.integration.serving import Served, serving
from tests.integration.stampede import stampede

LIMIT = "20/24h"
"""Eleven at once, and the next one in more than two hours: no machine is so slow that it matters."""
AT_ONCE = 11
STRANGER, NEIGHBOUR = "203.0.113.9", "203.0.113.10"


@pytest.fixture
def issuer() -> Iterator[ScriptedIssuer]:
    with scripted_issuer() as server:
        yield server


def me(served: Served, token: str, *fields: str) -> Answer:
    return send(served.port, "GET", "/api/v1/me", bearer(token), *fields)


def test_a_thousand_guesses_at_one_time_ask_the_issuer_no_more_than_the_limit(issuer: ScriptedIssuer) -> None:
    """T24, T33: none of them is answered before all are there; who was known before is let in meanwhile."""
    with serving(AUDIENCE=API, FAILED_AUTHENTICATIONS=LIMIT, **issuer.settings) as served:
        known = issuer.mint.access_token()
        assert me(served, known).status == 200
        issuer.questions.clear()
        issuer.may_answer.clear()
        meanwhile: list[Answer] = []

        def come_by() -> None:
            meanwhile.append(me(served, known))
            issuer.may_answer.set()

        answers = stampede(served.port, [f"guess-{number}" for number in range(1000)], come_by)
        assert [answer.status for answer in meanwhile] == [200]
        assert Counter(answer.status for answer in answers) == {401: AT_ONCE, 429: 1000 - AT_ONCE}
        assert len(issuer.questions) == AT_ONCE
        refused = me(served, issuer.mint.access_token())
        assert (refused.status, refused.challenges, refused.all("cache-control")) == (429, [], ["no-store"])
        assert refused.content == b'{"error":"rate_limited","error_description":"Too many requests","status":429}'
        assert 8000 < int(refused.all("retry-after")[0]) <= 8640
        assert me(served, known).status == 200
    kinds = Counter(line["kind"] for line in served.audit if line["event"] == "refused")
    assert kinds["rate_limited"] >= 1
    assert "guess-" not in served.out.text + served.err.text


def test_a_crowd_with_good_tokens_is_let_in_whole(issuer: ScriptedIssuer) -> None:
    """T33: a thousand come from one address after a restart; each token is asked about once, and none is refused."""
    tokens = [issuer.mint.access_token() for _ in range(100)]
    with serving(AUDIENCE=API, FAILED_AUTHENTICATIONS=LIMIT, **issuer.settings) as served:
        answers = stampede(served.port, tokens * 10)
    assert Counter(answer.status for answer in answers) == {200: 1000}
    assert sorted(issuer.questions) == sorted(tokens)


def test_behind_a_proxy_only_the_stranger_is_limited(issuer: ScriptedIssuer) -> None:
    """T29, T33: by the address that the proxy has written, whatever stands left of it."""
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "FAILED_AUTHENTICATIONS": LIMIT} | issuer.settings
    with serving(AUDIENCE=API, **settings) as served:
        guesses = [me(served, f"guess-{n}", f"X-Forwarded-For: 203.0.113.{n}, {STRANGER}") for n in range(AT_ONCE + 1)]
        assert [answer.status for answer in guesses] == [401] * AT_ONCE + [429]
        new = issuer.mint.access_token()
        statuses = [me(served, new, f"X-Forwarded-For: {one}").status for one in (STRANGER, NEIGHBOUR, STRANGER)]
        assert statuses == [429, 200, 200]
    assert "limit" not in served.err.text
    told = {(line["client"], line["kind"]) for line in served.audit}
    assert told == {(STRANGER, "revoked"), (STRANGER, "rate_limited")}


def test_a_start_behind_a_proxy_that_nobody_named_is_warned_of(issuer: ScriptedIssuer) -> None:
    """T33: all callers would share one limit; it is said at the start, and again when the limit is reached."""
    with serving(AUDIENCE=API, FAILED_AUTHENTICATIONS="1/24h", **issuer.settings) as served:
        served.err.wait_for(lambda text: "TRUSTED_PROXIES" in text)
        assert [me(served, "guess").status, me(served, "another").status] == [401, 429]
    assert served.err.text.count("name it in RESOURCE_SERVER_TRUSTED_PROXIES") == 1
    assert served.err.text.count("127.0.0.1 has reached the limit of failed authentications: if it is a proxy") == 1


def test_a_proxy_that_names_nobody_is_warned_of(issuer: ScriptedIssuer) -> None:
    """T33: then nobody is limited, which nobody would notice before an attack."""
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "FAILED_AUTHENTICATIONS": "1/24h"} | issuer.settings
    with serving(AUDIENCE=API, **settings) as served:
        assert {me(served, f"guess-{number}").status for number in range(5)} == {401}
    assert served.err.text.count("a trusted proxy, 127.0.0.1, does not say who calls") == 1
