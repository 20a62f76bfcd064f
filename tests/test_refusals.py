import copy
import pickle

import pytest

from resource_server.refusals import TABLE, Kind, Refusal
from tests.decision_table import ENTRIES, kinds_of, numbered

OUR_OWN = {
    Kind.MALFORMED_FORWARDING: ("R29", 400),
    Kind.POLICY_ERROR: ("R02", 500),
    Kind.OVERSIZED_CONTENT: ("R30", 413),
}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_row(kind: Kind) -> None:
    """DESIGN §3: errors carry a kind, and one table answers it."""
    row = TABLE[kind]
    if kind in OUR_OWN:
        assert (row.id, row.status) == OUR_OWN[kind]
    else:
        assert row.status == ENTRIES[row.id].status


def test_every_row_is_reached_by_a_kind() -> None:
    """Decision table D01 to D33."""
    assert tuple(ENTRIES) == numbered(1, 33)
    assert {row.id for row in TABLE.values()} == {*ENTRIES, *(row for row, _ in OUR_OWN.values())}
    assert set(TABLE) == set(Kind)


def test_row_repeats_the_body_of_the_contract() -> None:
    """Decision table: only constants of the table reach the client."""
    for kind, row in TABLE.items():
        if kind not in OUR_OWN:
            body = ENTRIES[row.id].body
            told = (body.get("error"), body.get("error_description"), body.get("title"), body.get("detail"))
            assert (row.error, row.description, row.title, row.detail) == told


def test_broken_tokens_share_one_text() -> None:
    """Decision table, note of D06: no oracle on which check failed."""
    rows = [TABLE[kind] for kind in kinds_of(*numbered(6, 10), *numbered(12, 14))]
    assert {(row.status, row.error, row.description) for row in rows} == {
        (401, "invalid_token", "The access token is invalid")
    }


def test_only_expiry_is_told_of_a_bad_token() -> None:
    """Decision table D11; part E3."""
    assert TABLE[Kind.EXPIRED].description == "The access token has expired"


def test_replayed_proof_is_told_like_any_invalid_proof() -> None:
    """Decision table D18: a replay would tell an attacker that the victim was active."""
    told = [(TABLE[kind].error, TABLE[kind].description) for kind in (Kind.INVALID_PROOF, Kind.REPLAYED_PROOF)]
    assert told == [("invalid_dpop_proof", "The DPoP proof is invalid")] * 2


@pytest.mark.parametrize("kind", list(Kind))
def test_every_unauthorized_answer_is_challenged(kind: Kind) -> None:
    """RS-9110-11.6.1-a."""
    if TABLE[kind].status == 401:
        assert TABLE[kind].challenged


@pytest.mark.parametrize("kind", list(Kind))
def test_nothing_is_challenged_that_other_credentials_would_not_cure(kind: Kind) -> None:
    """RS-9110-11.6.1-b, part E1: policy refusals, 404, 405, 422, 429, 431, 500 and 503 never bear a challenge."""
    row = TABLE[kind]
    if row.status in (404, 405, 422, 429, 431, 500, 503) or row.error == "access_denied":
        assert not row.challenged


def test_a_row_without_credentials_has_no_error_code() -> None:
    """RS-6750-3.1-a."""
    for kind in (Kind.NO_CREDENTIALS, Kind.UNSUPPORTED_SCHEME, Kind.CREDENTIALS_IN_QUERY):
        assert (TABLE[kind].error, TABLE[kind].description) == (None, None)


def test_outage_of_ours_is_never_the_clients_fault() -> None:
    """Decision table D26, D29; RS-7662-2.3-a."""
    assert (TABLE[Kind.ISSUER_UNAVAILABLE].status, TABLE[Kind.ISSUER_UNAVAILABLE].retry_after) == (503, 30)
    assert (TABLE[Kind.STORE_UNAVAILABLE].status, TABLE[Kind.STORE_UNAVAILABLE].retry_after) == (503, 5)


def test_a_refusal_says_its_kind_and_its_reason_to_the_operator() -> None:
    """DESIGN §3: a kind and a private reason, never HTTP."""
    refusal = Refusal(Kind.WRONG_AUDIENCE, "aud names another API", retry_after=4)
    assert (refusal.kind, refusal.reason, refusal.retry_after) == (Kind.WRONG_AUDIENCE, "aud names another API", 4)
    assert str(refusal) == "wrong_audience: aud names another API"
    assert str(Refusal(Kind.EXPIRED)) == "expired"


@pytest.mark.parametrize("again", [copy.copy, lambda refusal: pickle.loads(pickle.dumps(refusal))])
def test_a_refusal_survives_being_copied(again: object) -> None:
    """A refusal is an exception like any other: executors and loggers copy them."""
    assert callable(again)
    copied = again(Refusal(Kind.RATE_LIMITED, "too many", retry_after=7))
    assert (copied.kind, copied.reason, copied.retry_after) == (Kind.RATE_LIMITED, "too many", 7)
