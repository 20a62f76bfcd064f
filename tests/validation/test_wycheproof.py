"""Project Wycheproof's vectors for JSON Web Signatures, through our parser and our key set."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from resource_server.issuers import jwk_set
from resource_server.issuers.algorithms import ALGORITHMS
from resource_server.refusals import Refusal
from resource_server.validation import compact

DATA = Path(__file__).parent.parent / "data" / "json_web_signature_test.json"
VECTORS = [
    (group["public"], vector)
    for group in json.loads(DATA.read_text("utf-8"))["testGroups"]
    for vector in group["tests"]
]


def verifies(jws: str, jwk: dict[str, Any]) -> bool:
    """Whether the text verifies with the only key of a set; the payloads are no JSON, so they are not read."""
    keys = jwk_set.read({"keys": [jwk]}, tuple(ALGORITHMS))
    try:
        header, payload, signature = compact.split(jws.encode("ascii", "replace"))
        read, raw = compact.parse_header(compact.decode(header)), compact.decode(signature)
        if payload:
            compact.decode(payload)
    except (Refusal, ValueError):
        return False
    key = keys.find(read.key_id, read.algorithm)
    return key is not None and key.verify(header + b"." + payload, raw)


def is_contradictory(jwk: dict[str, Any], jws: str) -> bool:
    """Whether the key is for another algorithm than the header's: some of the vectors call that valid, we don't."""
    try:
        algorithm = compact.parse_header(compact.decode(jws.split(".")[0].encode())).algorithm
    except ValueError:
        return False
    return bool(jwk.get("alg", algorithm) != algorithm)


@pytest.mark.parametrize(
    ("jwk", "vector"),
    [pytest.param(jwk, vector, id=f"{vector['tcId']}-{vector['comment']}") for jwk, vector in VECTORS],
)
def test_valid_signatures_verify_and_invalid_ones_never_do(jwk: dict[str, Any], vector: dict[str, Any]) -> None:
    """RS-7515-5.2-a, RS-8725-3.3-a, RS-8725-3.1-a: RFC 7520's JWKs that name another alg are refused (T16)."""
    expected = vector["result"] == "valid" and not is_contradictory(jwk, vector["jws"])
    assert verifies(vector["jws"], jwk) is expected


def test_the_vectors_are_all_there() -> None:
    """A file that has lost its vectors would pass: so many are valid, and four of these contradict their keys."""
    assert Counter(vector["result"] for _, vector in VECTORS) == {"valid": 36, "invalid": 325}
    assert sum(vector["result"] == "valid" and is_contradictory(jwk, vector["jws"]) for jwk, vector in VECTORS) == 4
