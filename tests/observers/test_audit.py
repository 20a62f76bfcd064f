"""The audit (threats T35, T10): what is written about a refusal, what never is, and what a stuck reader may cost."""

import hashlib
import hmac

import pytest

from resource_server.observers.audit import Audit
from resource_server.refusals import Kind, Refusal
from resource_server.testing import make_token
from tests.observers.conftest import KEY
from tests.observers.decisions import decision
from tests.observers.lines import Lines

DIGEST = hashlib.sha256(b"token").digest()


def test_a_refusal_is_one_line_of_json(audit: Audit, stream: Lines) -> None:
    """T35: fields of a refusal whose token was verified."""
    token = make_token(subject="alice", client_id="web", issuer="https://id.example.com")
    refusal = Refusal(Kind.INSUFFICIENT_SCOPE, "the token lacks orders:read")
    audit(decision(refusal=refusal, token=token, digest=DIGEST, client="192.0.2.7", route="/orders", method="GET"))
    audit.close()
    assert stream.getvalue().endswith("}\n")
    assert stream.lines == [
        {
            "time": "2027-01-15T08:00:00.000+00:00",
            "event": "refused",
            "status": 403,
            "kind": "insufficient_scope",
            "reason": "the token lacks orders:read",
            "method": "GET",
            "route": "/orders",
            "client": "192.0.2.7",
            "issuer": "https://id.example.com",
            "subject": "alice",
            "client_id": "web",
            "token": hmac.new(KEY, DIGEST, hashlib.sha256).hexdigest()[:16],
        }
    ]


def test_what_is_not_known_is_left_out(audit: Audit, stream: Lines) -> None:
    """T35: before the signature is verified nobody is named."""
    audit(decision(refusal=Refusal(Kind.NO_CREDENTIALS)))
    audit.close()
    assert stream.lines == [
        {
            "time": "2027-01-15T08:00:00.000+00:00",
            "event": "refused",
            "status": 401,
            "kind": "no_credentials",
            "method": "GET",
        }
    ]


def test_a_grant_is_not_written(audit: Audit, stream: Lines) -> None:
    """The audit is of refusals."""
    audit(decision(refusal=None, token=make_token()))
    audit.close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "kind",
    [
        Kind.NO_CREDENTIALS,
        Kind.BAD_SIGNATURE,
        Kind.INSUFFICIENT_AUTHENTICATION,
        Kind.INSUFFICIENT_SCOPE,
        Kind.MISSING_ROLE,
        Kind.NETWORK,
        Kind.PLAIN_HTTP,
        Kind.RATE_LIMITED,
        Kind.ISSUER_UNAVAILABLE,
        Kind.STORE_UNAVAILABLE,
        Kind.HIDDEN,
        Kind.POLICY_ERROR,
    ],
)
def test_each_refusal_that_an_operator_has_to_know_of_is_written(audit: Audit, stream: Lines, kind: Kind) -> None:
    """401, 403, 429 and 503; a hidden resource and a requirement that failed are such refusals in disguise."""
    audit(decision(refusal=Refusal(kind, "why")))
    audit.close()
    assert [line["kind"] for line in stream.lines] == [kind.value]


def test_a_tokens_digest_is_sixteen_digits_that_another_key_changes(stream: Lines) -> None:
    """T10: nobody who reads the log can test a guess."""
    digests = []
    for key in (b"one", b"two", b"one"):
        line = Audit(key, stream).line(decision(refusal=Refusal(Kind.REVOKED), digest=DIGEST))
        digests.append(line["token"])
    assert digests[0] == digests[2] != digests[1]
    assert all(len(digest) == 16 and set(digest) <= set("0123456789abcdef") for digest in digests)
    assert DIGEST.hex()[:16] not in digests


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("\x1b[31m", r"\u001b[31m", id="a terminal's escape"),
        pytest.param("\u202e", r"\u202e", id="right to left override"),
        pytest.param("a\r\nb\u2028c", r"a\r\nb\u2028c", id="line ends"),
        pytest.param("é\U0001f600", r"\u00e9\ud83d\ude00", id="not ASCII"),
        pytest.param("\ud800", r"\ud800", id="a lone surrogate"),
        pytest.param('"}\n{"event":"x"', r"\"}\n{\"event\":\"x\"", id="JSON in JSON"),
        pytest.param("[red]", "[red]", id="markup is for renderers to escape"),
    ],
)
def test_text_is_escaped_to_ascii_on_one_line(audit: Audit, stream: Lines, text: str, written: str) -> None:
    """T35: ESC, U+202E, line ends."""
    audit(decision(refusal=Refusal(Kind.MISSING_ROLE, text), token=make_token(subject=text, client_id=text)))
    audit.close()
    raw = stream.getvalue()
    assert raw.isascii()
    assert raw.count("\n") == 1
    assert f'"subject": "{written}", "client_id": "{written}"' in raw
    assert f'"reason": "{written}"' in raw


def test_long_text_is_cut_to_256_characters(audit: Audit, stream: Lines) -> None:
    """T35, at the bound and one past it."""
    audit(decision(refusal=Refusal(Kind.MISSING_ROLE, "r" * 257), token=make_token(subject="s" * 256)))
    audit.close()
    [line] = stream.lines
    assert (line["reason"], line["subject"]) == ("r" * 256, "s" * 256)
