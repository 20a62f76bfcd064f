"""``serve`` with an issuer that introspects JWTs, too, and signs no answer: the development authorization server."""

from collections.abc import Iterator

import pytest

from tests.integration.development_issuer import DevelopmentIssuer, development_issuer
from tests.integration.exchange import bearer, send
from tests.integration.serving import serving
from tests.integration.test_serve_outage import INVALID, check_unavailable


@pytest.fixture(scope="module")
def issuer() -> Iterator[DevelopmentIssuer]:
    with development_issuer() as server:
        yield server


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        pytest.param({"INTROSPECT_JWT_EVERY": "0"}, {"JWT", "opaque"}, id="JWTs are asked about"),
        pytest.param({}, {"opaque"}, id="JWTs are good until they expire"),
    ],
)
def test_a_revoked_token_is_refused_if_it_is_asked_about(
    issuer: DevelopmentIssuer, settings: dict[str, str], refused: set[str]
) -> None:
    """RS-7662-4-b: INTROSPECT_JWT_EVERY is what a JWT's revocation costs; docs/opaque-tokens.md says so."""
    with serving(**issuer.settings | {"INTROSPECTION_TTL": "0"} | settings) as served:
        for kind in ("JWT", "opaque"):
            token, other = issuer.token(kind), issuer.token(kind)
            assert send(served.port, "GET", "/orders", bearer(token)).status == 200
            issuer.revoke(token, kind)
            answer = send(served.port, "GET", "/orders", bearer(token))
            assert (answer.status, answer.challenges) == ((401, [INVALID]) if kind in refused else (200, []))
            assert send(served.port, "GET", "/orders", bearer(other)).status == 200
    assert [line["kind"] for line in served.audit] == ["revoked"] * len(refused)


def test_a_plain_answer_is_refused_where_a_signed_one_is_demanded(issuer: DevelopmentIssuer) -> None:
    """RS-9701-5-a: a downgrade is 503 for opaque tokens and for JWTs that are asked about, and told to the operator."""
    settings = {"INTROSPECTION_SIGNED": "true", "INTROSPECT_JWT_EVERY": "0"}
    with serving(**issuer.settings | settings) as served:
        for kind in ("opaque", "JWT"):
            check_unavailable(send(served.port, "GET", "/orders", bearer(issuer.token(kind))))
        assert send(served.port, "GET", "/orders", bearer("a.b.c")).status == 503
        broken = issuer.token("JWT")[:-9] + "AAAAAAAAA"
        assert send(served.port, "GET", "/orders", bearer(broken)).challenges == [INVALID]
    assert served.err.text.count("the answer is not signed, as configured") == 1
    assert {line["kind"] for line in served.audit} == {"issuer_unavailable", "bad_signature"}
