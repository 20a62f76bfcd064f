"""From a refusal to its answer: every row of the decision table, byte for byte."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_server.challenge import Answer, ProtectionSpace, answer, is_bearer_safe, parse
from resource_server.configuration_error import ConfigurationError
from resource_server.demands import Demands
from resource_server.refusals import TABLE, Kind, Refusal
from tests.decision_table import (
    BARE_BEARER,
    BARE_DPOP,
    BEARER_AND_DPOP,
    BEARER_ONLY,
    DEMANDS,
    ENTRIES,
    KINDS,
    METADATA,
    kinds_of,
    numbered,
)

# Two kinds share a row with another and differ from its printed line by their `scope`; they have tests of their own.
AS_PRINTED = [
    kind
    for kind in KINDS
    if kind not in (Kind.INSUFFICIENT_AUTHORIZATION_DETAILS, Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE)
]
# Fields of the table that are no constants: the proof's station makes the nonce, the framework knows the methods.
NOT_RENDERED = {"DPoP-Nonce", "Allow"}
PROOF_ROWS = numbered(16, 19)


def lines(rendered: Answer) -> list[str]:
    return [value for name, value in rendered.headers if name == "www-authenticate"]


def field(rendered: Answer, name: str) -> list[str]:
    return [value for known, value in rendered.headers if known == name]


@pytest.mark.parametrize("kind", [kind for kind in AS_PRINTED if TABLE[kind].id not in PROOF_ROWS])
def test_answer_of_a_bearer_only_route_is_the_tables(kind: Kind) -> None:
    """Decision table, column "Bearer only"."""
    entry = ENTRIES[TABLE[kind].id]
    rendered = answer(Refusal(kind), BEARER_ONLY, DEMANDS, scheme="Bearer")
    assert (rendered.status, lines(rendered), rendered.content) == (entry.status, entry.bearer_only, entry.content)


@pytest.mark.parametrize("kind", AS_PRINTED)
def test_answer_of_a_route_for_both_schemes_is_the_tables(kind: Kind) -> None:
    """Decision table, column "Bearer + DPoP": the client used DPoP in D16 to D19, else Bearer."""
    entry = ENTRIES[TABLE[kind].id]
    scheme = "DPoP" if entry.id in PROOF_ROWS else "Bearer"
    rendered = answer(Refusal(kind), BEARER_AND_DPOP, DEMANDS, scheme=scheme)
    assert (rendered.status, lines(rendered), rendered.content) == (entry.status, entry.bearer_and_dpop, entry.content)


@pytest.mark.parametrize("kind", KINDS)
def test_other_header_fields_are_the_tables(kind: Kind) -> None:
    """Decision table, "Headers": RS-9111-5.2.2.5-a, RS-9110-10.2.3-a; and nothing that the table does not name."""
    entry = ENTRIES[TABLE[kind].id]
    wanted = [line for line in entry.headers if line.split(":")[0] not in NOT_RENDERED]
    wanted.append("Content-Type: application/json")
    rendered = answer(Refusal(kind), BEARER_AND_DPOP, DEMANDS, scheme="Bearer")
    got = [f"{name}: {value}" for name, value in rendered.headers if name != "www-authenticate"]
    assert got == [line.split(":")[0].lower() + ":" + line.partition(":")[2] for line in wanted]


@pytest.mark.parametrize("kind", kinds_of("D01", "D02", "D30"))
@pytest.mark.parametrize("scheme", [None, "Bearer"])
def test_without_credentials_nobody_gets_an_error(kind: Kind, scheme: str | None) -> None:
    """RS-6750-3.1-a: neither in a header nor in the body."""
    rendered = answer(Refusal(kind), BEARER_AND_DPOP, DEMANDS, scheme=scheme)
    assert lines(rendered) == [BARE_BEARER, BARE_DPOP]
    assert rendered.content == (
        b'{"title":"Unauthorized","status":401,'
        b'"detail":"This resource needs an access token: Authorization: Bearer <token>."}'
    )


@pytest.mark.parametrize("kind", kinds_of(*numbered(6, 14)))
def test_error_of_a_broken_token_moves_to_the_line_of_the_scheme_used(kind: Kind) -> None:
    """Decision table, conventions; RS-9449-7.1-b; ruling 23: the scheme used comes first."""
    text = "The access token has expired" if kind is Kind.EXPIRED else "The access token is invalid"
    rendered = answer(Refusal(kind), BEARER_AND_DPOP, DEMANDS, scheme="DPoP")
    moved = f'DPoP realm="api", error="invalid_token", error_description="{text}", algs="ES256 PS256", '
    assert lines(rendered) == [f'{moved}resource_metadata="{METADATA}"', BARE_BEARER]


def test_insufficient_scope_under_dpop_is_one_dpop_challenge() -> None:
    """Decision table D21, note; ruling 7."""
    rendered = answer(Refusal(Kind.INSUFFICIENT_SCOPE), BEARER_AND_DPOP, DEMANDS, scheme="DPoP")
    assert rendered.status == 403
    assert "\n".join(lines(rendered)) == (
        'DPoP realm="api", error="insufficient_scope", '
        'error_description="The access token lacks the required scope", scope="orders:read orders:write", '
        f'algs="ES256 PS256", resource_metadata="{METADATA}"'
    )


def test_step_up_under_dpop_is_one_dpop_challenge() -> None:
    """Decision table D25; RS-9470-3-a: in the scheme used."""
    rendered = answer(Refusal(Kind.INSUFFICIENT_AUTHENTICATION), BEARER_AND_DPOP, DEMANDS, scheme="DPoP")
    assert rendered.status == 401
    assert "\n".join(lines(rendered)) == (
        'DPoP realm="api", error="insufficient_user_authentication", '
        'error_description="More recent or stronger authentication is required", '
        f'acr_values="urn:example:mfa", max_age="300", algs="ES256 PS256", resource_metadata="{METADATA}"'
    )


def test_step_up_and_scope_are_asked_for_at_once() -> None:
    """RS-9470-3-c, part E2 no. 13, ruling 20: one D25 challenge with `scope`."""
    rendered = answer(Refusal(Kind.INSUFFICIENT_AUTHENTICATION_AND_SCOPE), BEARER_ONLY, DEMANDS, scheme="Bearer")
    assert rendered.status == 401
    [challenge] = parse(*lines(rendered))
    assert challenge.scheme == "Bearer"
    assert dict(challenge.parameters) == {
        "realm": "api",
        "error": "insufficient_user_authentication",
        "error_description": "More recent or stronger authentication is required",
        "scope": "orders:read orders:write",
        "acr_values": "urn:example:mfa",
        "max_age": "300",
        "resource_metadata": METADATA,
    }
    assert rendered.body["scope"] == "orders:read orders:write"
    assert (rendered.body["acr_values"], rendered.body["max_age"]) == ("urn:example:mfa", 300)


def test_age_of_zero_seconds_is_told() -> None:
    """RS-9470-3-b: max_age is a non-negative integer, and 0 means a login for this very request."""
    demands = Demands(acr_values=("urn:a", "urn:b"), max_age=0)
    rendered = answer(Refusal(Kind.INSUFFICIENT_AUTHENTICATION), ProtectionSpace(), demands)
    assert "\n".join(lines(rendered)) == (
        'Bearer realm="api", error="insufficient_user_authentication", '
        'error_description="More recent or stronger authentication is required", '
        'acr_values="urn:a urn:b", max_age="0"'
    )
    assert rendered.body["max_age"] == 0


def test_missing_authorization_details_name_no_scope() -> None:
    """RS-9396-9-b, ruling 9: D21 without `scope`, in header and body."""
    rendered = answer(Refusal(Kind.INSUFFICIENT_AUTHORIZATION_DETAILS), BEARER_ONLY, DEMANDS, scheme="Bearer")
    assert "\n".join(lines(rendered)) == (
        'Bearer realm="api", error="insufficient_scope", '
        f'error_description="The access token lacks the required scope", resource_metadata="{METADATA}"'
    )
    assert rendered.content == (
        b'{"error":"insufficient_scope","error_description":"The access token lacks the required scope","status":403}'
    )


def test_two_tokens_are_told_to_both_schemes() -> None:
    """Decision table D04: whichever scheme each of the tokens came by."""
    rendered = answer(Refusal(Kind.REPEATED_CREDENTIALS), BEARER_AND_DPOP, DEMANDS)
    assert [challenge.get("error") for challenge in parse(*lines(rendered))] == ["invalid_request"] * 2


@pytest.mark.parametrize("column", [BEARER_ONLY, BEARER_AND_DPOP], ids=["bearer-only", "bearer-and-dpop"])
@pytest.mark.parametrize("scheme", ["Bearer", "DPoP"])
@pytest.mark.parametrize("accept", ["", "application/json", "*/*"])
def test_broken_tokens_get_identical_bytes(column: ProtectionSpace, scheme: str, accept: str) -> None:
    """Part E3, harness notes: the differential oracle over D06 to D10 and D12 to D14."""
    kinds = kinds_of(*numbered(6, 10), *numbered(12, 14))
    answers = [answer(Refusal(kind, kind.value), column, DEMANDS, scheme=scheme, accept=accept) for kind in kinds]
    content = b'{"error":"invalid_token","error_description":"The access token is invalid","status":401}'
    assert {(rendered.status, rendered.content) for rendered in answers} == {(401, content)}
    assert len({rendered.headers for rendered in answers}) == 1


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("accept", ["", "application/problem+json"])
def test_the_reason_of_a_refusal_reaches_nobody(kind: Kind, accept: str) -> None:
    """RS-9457-5-a, part E3: the reason is for the operator."""
    refusal = Refusal(kind, "CANARY of https://internal.example")
    refusal.__cause__ = ValueError("CANARY")
    rendered = answer(refusal, BEARER_AND_DPOP, DEMANDS, scheme="DPoP", accept=accept)
    assert "CANARY" not in str(rendered.headers)
    assert b"CANARY" not in rendered.content


def test_roles_are_named_only_where_that_is_disclosed() -> None:
    """T5, decision table D22."""
    demands = Demands(roles=("admin",))
    hidden = answer(Refusal(Kind.MISSING_ROLE), ProtectionSpace(), demands)
    assert hidden.content == ENTRIES["D22"].content
    disclosed = answer(Refusal(Kind.MISSING_ROLE), ProtectionSpace(disclose_requirements=True), demands)
    assert disclosed.body == ENTRIES["D22"].body_with_disclose_requirements
    assert list(disclosed.body) == list(ENTRIES["D22"].body_with_disclose_requirements or ())


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MISSING_ROLE])
def test_no_other_refusal_names_roles(kind: Kind) -> None:
    """T5: the static roles of a route, in a role refusal alone."""
    demands = Demands(scopes=("orders:read",), max_age=300, roles=("secret-role",))
    rendered = answer(Refusal(kind), ProtectionSpace(disclose_requirements=True), demands)
    assert "secret-role" not in json.dumps([rendered.headers, rendered.body])


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        pytest.param(None, "60", id="the-rows-own"),
        pytest.param(7, "7", id="known-better"),
        pytest.param(0, "0", id="at-once"),
    ],
)
def test_time_of_another_try_is_told_in_seconds(seconds: int | None, told: str) -> None:
    """RS-9110-10.2.3-a: a non-negative integer."""
    rendered = answer(Refusal(Kind.RATE_LIMITED, retry_after=seconds), ProtectionSpace())
    assert field(rendered, "retry-after") == [told]


def test_a_space_without_metadata_or_scopes_still_says_its_realm() -> None:
    """RS-6750-3-b: at least one parameter follows the scheme."""
    assert lines(answer(Refusal(Kind.NO_CREDENTIALS), ProtectionSpace())) == ['Bearer realm="api"']


@pytest.mark.parametrize(
    ("realm", "told"),
    [
        pytest.param('a"b\\c', r'"a\"b\\c"', id="quote-and-backslash"),
        pytest.param("My API, v=1", '"My API, v=1"', id="delimiters"),
        pytest.param("~", '"~"', id="last-printable"),
    ],
)
def test_realm_is_quoted_and_escaped(realm: str, told: str) -> None:
    """RS-9110-11.2-b, RS-9110-11.5-a."""
    [line] = lines(answer(Refusal(Kind.NO_CREDENTIALS), ProtectionSpace(realm=realm)))
    assert line == f"Bearer realm={told}"
    assert parse(line)[0].get("realm") == realm


@pytest.mark.parametrize(
    "realm",
    [
        pytest.param("", id="empty"),
        pytest.param("a\r\nSet-Cookie: x=1", id="line-break"),
        pytest.param("a\n", id="line-feed-at-the-end"),
        pytest.param("a\tb", id="tab"),
        pytest.param("a\x00", id="nul"),
        pytest.param("a\x7f", id="delete"),
        pytest.param("bücher", id="not-ascii"),
        pytest.param("🔑", id="emoji"),
    ],
)
def test_realm_that_can_not_be_written_ends_the_construction(realm: str) -> None:
    """RS-9110-11.2-b: no CR, LF, other controls or non-ASCII."""
    with pytest.raises(ConfigurationError, match=r"^realm must be printable ASCII"):
        ProtectionSpace(realm=realm)


REALMS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=12)
SCOPES = st.lists(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=8),
    max_size=3,
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(Kind)), REALMS, SCOPES, st.booleans(), st.sampled_from([None, "Bearer", "DPoP"]))
def test_every_challenge_keeps_the_grammar(
    kind: Kind, realm: str, scopes: list[str], dpop: bool, scheme: str | None
) -> None:
    """RS-9110-11.2-a, RS-9110-11.3-b, RS-6750-3-b, RS-6750-3-c, RS-6750-3-d."""
    space = ProtectionSpace(realm=realm, dpop_algorithms=("ES256",) if dpop else ())
    written = lines(answer(Refusal(kind), space, Demands(scopes=tuple(scopes), max_age=1), scheme=scheme))
    challenges = parse(*written)
    assert parse(", ".join(written)) == challenges
    assert [str(challenge) for challenge in challenges] == written
    assert [challenge.scheme for challenge in challenges] == [line.split(" ")[0] for line in written]
    assert {challenge.scheme for challenge in challenges} <= {"Bearer", "DPoP"}
    for challenge in challenges:
        names = [name for name, _ in challenge.parameters]
        assert names
        assert len(names) == len(set(names))
        assert challenge.get("realm") == realm
        assert all(is_bearer_safe(challenge.get(name) or "") for name in ("error", "error_description", "scope"))
