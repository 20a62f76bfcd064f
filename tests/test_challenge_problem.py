"""Refusals as RFC 9457 problems, for callers who ask for them."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resource_server.challenge import ProtectionSpace, answer, prefers_problem
from resource_server.refusals import Kind, Refusal
from tests.decision_table import BEARER_ONLY, DEMANDS

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        pytest.param(
            Kind.EXPIRED,
            {
                "error": "invalid_token",
                "error_description": "The access token has expired",
                "status": 401,
                "type": "https://api.example.com/problems/invalid_token",
                "title": "Unauthorized",
            },
            id="with-an-error-code",
        ),
        pytest.param(
            Kind.NO_CREDENTIALS,
            {
                "title": "Unauthorized",
                "status": 401,
                "detail": "This resource needs an access token: Authorization: Bearer <token>.",
                "type": "https://api.example.com/problems/unauthorized",
            },
            id="without-an-error-code",
        ),
        pytest.param(
            Kind.INSUFFICIENT_SCOPE,
            {
                "error": "insufficient_scope",
                "error_description": "The access token lacks the required scope",
                "scope": "orders:read orders:write",
                "status": 403,
                "type": "https://api.example.com/problems/insufficient_scope",
                "title": "Forbidden",
            },
            id="with-members-of-its-own",
        ),
        pytest.param(
            Kind.INVALID_CONTENT,
            {
                "title": "Unprocessable Content",
                "status": 422,
                "type": "https://api.example.com/problems/unprocessable_content",
            },
            id="title-of-two-words",
        ),
    ],
)
def test_problem_has_the_same_members_and_its_type(kind: Kind, wanted: dict[str, Any]) -> None:
    """RS-9457-3-a: `status` is the status, `type` a stable URI, the OAuth `error` an extension member."""
    rendered = answer(Refusal(kind), BEARER_ONLY, DEMANDS, scheme="Bearer", accept=PROBLEM)
    body = dict(rendered.body)
    instance = body.pop("instance")
    assert body == wanted
    assert body["status"] == rendered.status
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", instance)


@pytest.mark.parametrize("kind", list(Kind))
def test_problem_changes_nothing_but_the_body(kind: Kind) -> None:
    """RS-9457-3-a: status and challenge are those of the table."""
    plain = answer(Refusal(kind), BEARER_ONLY, DEMANDS, scheme="Bearer")
    problem = answer(Refusal(kind), BEARER_ONLY, DEMANDS, scheme="Bearer", accept=PROBLEM)
    assert problem.status == plain.status
    assert problem.headers == (*plain.headers[:-1], ("content-type", PROBLEM))
    assert plain.headers[-1] == ("content-type", "application/json")
    assert {**problem.body, **plain.body} == problem.body


def test_each_problem_is_an_instance_of_its_own() -> None:
    """Decision table, conventions: an opaque request id."""
    first, second = (answer(Refusal(Kind.EXPIRED), BEARER_ONLY, accept=PROBLEM).body["instance"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("resource", "uri"),
    [
        pytest.param(None, "about:blank", id="no-identifier"),
        pytest.param("https://h.example/", "https://h.example/problems/invalid_token", id="slash-at-the-end"),
        pytest.param("https://h.example/v1", "https://h.example/v1/problems/invalid_token", id="path"),
        pytest.param("urn:example:MAX", "urn:example:MAX/problems/invalid_token", id="name"),
    ],
)
def test_problem_type_is_built_from_the_configured_identifier(resource: str | None, uri: str) -> None:
    """RS-9457-3-a, RS-9728-5.1-a: from configuration, never from a Host header."""
    rendered = answer(Refusal(Kind.BAD_SIGNATURE), ProtectionSpace(resource=resource), accept=PROBLEM)
    assert rendered.body["type"] == uri


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        pytest.param("", False, id="no-field"),
        pytest.param("*/*", False, id="anything"),
        pytest.param("application/*", False, id="any-application-type"),
        pytest.param("application/json", False, id="plain-json"),
        pytest.param("application/problem+json", True, id="named"),
        pytest.param("Application/Problem+JSON", True, id="any-case"),
        pytest.param("text/html, application/problem+json", True, id="among-others"),
        pytest.param("application/json, application/problem+json", True, id="as-good-as-plain-json"),
        pytest.param("application/json;q=0.9,application/problem+json;q=0.8", False, id="worse-than-plain-json"),
        pytest.param("application/json;q=0.8, application/problem+json;q=0.9", True, id="better-than-plain-json"),
        pytest.param("application/problem+json;q=0.5, text/html", True, id="named-with-a-lower-weight"),
        pytest.param("application/problem+json;q=0", False, id="not-acceptable"),
        pytest.param("application/problem+json; q=0.000", False, id="not-acceptable-in-three-digits"),
        pytest.param("application/problem+json ; q=1.000", True, id="spaces-around"),
        pytest.param("application/problem+json;Q=0", False, id="weight-in-upper-case"),
        pytest.param("application/problem+json;q=7", False, id="weight-out-of-range"),
        pytest.param("application/problem+json;q=nan", False, id="weight-of-no-number"),
        pytest.param("application/problem+json;charset=utf-8", True, id="other-parameter"),
        pytest.param("x/application/problem+json", False, id="part-of-another-name"),
        pytest.param("application/problem+jsonp", False, id="longer-name"),
    ],
)
def test_problem_is_preferred_where_it_is_named(accept: str, preferred: bool) -> None:
    """RS-9457-3-a, RFC 9110 §12.5.1."""
    assert prefers_problem(accept) is preferred


@given(st.text(max_size=10), st.text(max_size=10))
def test_any_accept_field_is_read_without_an_error(before: str, after: str) -> None:
    """A field of the client's must not turn a refusal into a 500."""
    assert prefers_problem(f"{before}application/problem+json{after}") in (True, False)
