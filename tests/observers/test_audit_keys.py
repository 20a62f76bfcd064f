"""The audit's key is replaced: digests from before and after can be matched, and nobody who reads them learns more."""

import io
from typing import Any

import pytest

from resource_server import Audit, ConfigurationError
from resource_server.refusals import Kind, Refusal
from tests.observers.decisions import decision

OLD, NEW = b"the key until today", b"the key from today"
DIGEST = bytes(range(32))


def line(key: Any, digest: bytes | None = DIGEST) -> dict[str, Any]:
    return Audit(key, io.StringIO()).line(decision(refusal=Refusal(Kind.REVOKED), digest=digest))


def test_while_one_key_replaces_another_a_line_bears_the_digests_of_both() -> None:
    """T37: the first is used from now on; the second is what older lines, and other processes, know the token by."""
    assert line([NEW, OLD])["token"] == line(NEW)["token"] == line([NEW])["token"]
    assert line([NEW, OLD])["token_before"] == line(OLD)["token"]
    assert line([NEW, OLD])["token_before"] != line([NEW, OLD])["token"]


def test_one_key_and_no_token_make_no_second_digest() -> None:
    """T35: nothing is written that is not known."""
    assert "token_before" not in line(NEW)
    assert not {"token", "token_before"} & line([NEW, OLD], digest=None).keys()


@pytest.mark.parametrize(
    "keys", [b"", [], [b""], [NEW, b""], [b"", OLD], [NEW, OLD, b"third"], "text", ["text"], None], ids=repr
)
def test_keys_that_are_none_are_refused_and_not_quoted(keys: Any) -> None:
    """T10, DESIGN §3: an empty key would be a plain digest; T37: a secret is in no message."""
    with pytest.raises(ConfigurationError) as caught:
        Audit(keys)
    assert str(caught.value) == "audit_key must be one key of random bytes, or two while the first replaces the second"
