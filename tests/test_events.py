"""What observers are told."""

import hashlib

import pytest

from resource_server.events import Decision
from resource_server.refusals import TABLE, Kind, Refusal
from resource_server.testing import make_token

DIGEST = hashlib.sha256(b"a token").digest()


def decision(refusal: Refusal | None) -> Decision:
    return Decision(
        time=1.0,
        duration=0.5,
        method="GET",
        route="/notes/{number}",
        client="192.0.2.1",
        token=make_token(claims={"email": "alice@example.com"}),
        digest=DIGEST,
        refusal=refusal,
    )


@pytest.mark.parametrize("kind", Kind)
def test_a_refused_decision_has_the_kind_and_the_status_of_the_table(kind: Kind) -> None:
    """DESIGN §3: one enum, one table."""
    one = decision(Refusal(kind, "a reason"))
    assert (one.kind, one.status) == (kind, TABLE[kind].status)


def test_a_granted_decision_has_neither() -> None:
    """Granted, or refused with a kind."""
    assert (decision(None).kind, decision(None).status) == (None, None)


def test_a_decision_s_repr_shows_neither_digest_nor_claims() -> None:
    """T10: a plain digest must not leave the process, and a repr ends in logs."""
    text = repr(decision(None))
    assert repr(DIGEST) not in text
    assert DIGEST.hex() not in text
    assert "alice@example.com" not in text
    assert "route='/notes/{number}'" in text


def test_a_decision_can_t_be_changed() -> None:
    """An observer is never asked, so it can't change one."""
    with pytest.raises(AttributeError):
        decision(None).refusal = None  # type: ignore[misc]
