"""``serve`` for opaque tokens: the routes and the decision table of JWTs, byte for byte (RFC 7662)."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from resource_server.development.minting import OMIT
from tests.integration.exchange import bearer, send
from tests.integration.identity_provider import API
from tests.integration.scripted_issuer import ScriptedIssuer, scripted_issuer
from tests.integration.serving import Served, serving
from tests.integration.test_serve import (  # noqa: F401 - the same tests, with the tokens of this module
    test_a_route_is_open_to_whom_it_is_meant_for,
    test_a_scheme_is_matched_without_regard_to_case,
    test_a_token_comes_in_by_no_trailer,
    test_head_is_answered_like_get_without_the_content,
    test_health_needs_no_token,
    test_many_requests_share_a_connection,
    test_me_says_what_the_token_says,
    test_the_metadata_is_where_the_challenge_says,
    test_the_pages_are_off_unless_docs_says_otherwise,
)
from tests.integration.test_serve_refusals import (  # noqa: F401 - likewise
    INVALID,
    body,
    check,
    test_a_client_that_is_named_like_a_user_owns_nothing,
    test_a_field_above_16_kib_is_too_large,
    test_a_malformed_authorization_is_a_bad_request,
    test_a_method_that_a_route_has_not_is_told_with_those_it_has,
    test_a_missing_role_is_no_reason_for_a_challenge,
    test_a_missing_scope_is_challenged_with_all_scopes_of_the_route,
    test_a_token_in_the_query_alone_is_ignored,
    test_an_expired_token_is_told_so_where_all_else_is_good,
    test_an_unknown_path_needs_a_token_like_a_known_one,
    test_anothers_profile_is_denied_without_a_challenge_and_before_the_body,
    test_content_is_judged_only_after_the_caller,
    test_who_shows_no_token_is_told_how_and_no_error,
)

AHEAD = int(time.time()) + 10**6


@pytest.fixture(scope="module")
def keys() -> Iterator[ScriptedIssuer]:
    """An issuer whose tokens are all opaque."""
    with scripted_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def served(keys: ScriptedIssuer) -> Iterator[Served]:
    """The bundled API, which asks that issuer."""
    with serving(AUDIENCE=API, RESOURCE=API, **keys.settings) as server:
        yield server


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"iss": "https://evil.example"}, id="D09 another issuer"),
        pytest.param({"iss": OMIT}, id="D09 no issuer"),
        pytest.param({"aud": "https://other.example.com"}, id="D10 another audience"),
        pytest.param({"aud": OMIT}, id="D10 no audience"),
        pytest.param({"nbf": AHEAD}, id="D12 nbf ahead"),
        pytest.param({"iat": AHEAD, "exp": AHEAD + 10}, id="D12 iat ahead"),
        pytest.param({"token_type": "mac"}, id="D14 token_type mac"),
        pytest.param({"token_type": OMIT}, id="D14 no token_type"),
        pytest.param({"token_use": "refresh"}, id="D14 token_use refresh"),
        pytest.param({"typ": "Refresh"}, id="D14 typ Refresh"),
        pytest.param({"cnf": {"jkt": "x"}}, id="D15 bound by DPoP"),
        pytest.param({"cnf": {}}, id="D15 bound by nobody knows what"),
        pytest.param({"cnf": {"x5t#S256": "x"}}, id="D20 bound to a certificate"),
        pytest.param({"sub": OMIT}, id="D06 no subject"),
        pytest.param({"client_id": OMIT}, id="D06 no client"),
        pytest.param({"exp": OMIT}, id="D06 no expiry"),
        pytest.param({"exp": "soon"}, id="D06 exp is a text"),
        pytest.param({"scope": 7}, id="D06 scope is a number"),
        pytest.param({"exp": 0, "aud": "other"}, id="D11 expired and not ours"),
        pytest.param({"exp": 0, "cnf": {"jkt": "x"}}, id="D11 expired and bound"),
    ],
)
def test_what_the_issuer_calls_active_is_judged_all_the_same(
    served: Served, keys: ScriptedIssuer, claims: dict[str, Any]
) -> None:
    """RS-7662-2.2-b: one answer for all of them, the one of broken JWTs."""
    answer = send(served.port, "GET", "/orders", bearer(keys.mint.access_token(**claims)))
    check(answer, 401, [INVALID], body("invalid_token", "The access token is invalid", 401))


@pytest.mark.parametrize("token", ["unknown", "e30.e30.", "a.b.c", "a.b", "a.b.c.d.e", "x" * 8193, "~+/-._=="])
def test_a_text_that_nobody_issued_gets_the_answer_of_a_broken_jwt(served: Served, token: str) -> None:
    """D06; RS-7662-4-c: whatever its shape and length."""
    answer = send(served.port, "GET", "/orders", bearer(token))
    check(answer, 401, [INVALID], body("invalid_token", "The access token is invalid", 401))


def test_the_whole_table_was_asked_about_once_a_token(served: Served, keys: ScriptedIssuer) -> None:
    """DESIGN §8: a token that was accepted is remembered, whatever it was then refused for."""
    token = keys.mint.access_token(scope="orders:read", roles=["editor"])
    targets = ["/orders", "/admin/posts", "/api/v1/me", "/admin/settings", "/api/v1/users", "/unknown"]
    assert [send(served.port, "GET", target, bearer(token)).status for target in targets] == [200] * 3 + [403, 403, 404]
    assert keys.questions.count(token) == 1
