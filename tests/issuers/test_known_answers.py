"""Known answers: a cryptographic library that can't verify, or verifies anything, ends the start (T26)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers import known_answers
from resource_server.issuers.algorithms import ALGORITHMS
from resource_server.issuers.known_answers import ANSWERS

ROOT = Path(__file__).parents[2]
FIPS = """\
openssl_conf = all
[all]
alg_section = algorithms
[algorithms]
default_properties = fips=yes
"""
"""Every algorithm is to come from a FIPS provider, and there is none: OpenSSL starts, and can do nothing."""
START = """\
from resource_server import Issuer, ResourceServer
from resource_server.configuration_error import ConfigurationError

for algorithm in {algorithms!r}:
    issuer = Issuer(url="https://id.example.com", audience="https://api.example.com", algorithms=[algorithm])
    try:
        ResourceServer(issuer)
    except ConfigurationError as error:
        print(error)
"""


def test_each_algorithm_of_the_table_has_its_answer_and_passes() -> None:
    """T26: an algorithm that is added to the table without one would not be tried."""
    assert ANSWERS.keys() == ALGORITHMS.keys()
    known_answers.check(ALGORITHMS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_algorithm_that_does_not_verify_what_is_known_ends_the_start(algorithm: str) -> None:
    """T26: the signature is another algorithm's or key's, as a library would see it that computes wrongly."""
    jwk, signature = ANSWERS[algorithm]
    wrong = ("B" if signature[0] == "A" else "A") + signature[1:]
    with pytest.raises(ConfigurationError) as caught:
        known_answers.check(["RS256", algorithm], {**ANSWERS, algorithm: (jwk, wrong)})
    assert str(caught.value) == (
        f"algorithms names {algorithm}, which the cryptographic library of this machine can't verify: leave it out, "
        "or mend OpenSSL's configuration (OPENSSL_CONF, a FIPS provider)"
    )


class Credulous:
    """A key set, and a key, of a library that finds everything good."""

    def find(self, kid: str | None, algorithm: str) -> Any:
        return self

    def verify(self, signing_input: bytes, signature: bytes) -> bool:
        return True


def test_a_library_that_verifies_anything_ends_the_start() -> None:
    """T26: the worse of the two."""
    with pytest.raises(ConfigurationError, match=r"names RS256, which .* verifies even where nothing was signed: "):
        known_answers.check(["RS256"], read=lambda document, allowed: Credulous())  # type: ignore[arg-type,return-value]


def test_a_library_whose_algorithms_are_taken_away_ends_the_start_with_one_sentence_for_each(tmp_path: Path) -> None:
    """T26: a real OpenSSL, crippled by its own configuration."""
    configuration = tmp_path / "openssl.cnf"
    configuration.write_text(FIPS, "ascii")
    started = subprocess.run(
        [sys.executable, "-c", START.format(algorithms=tuple(ALGORITHMS))],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "OPENSSL_CONF": str(configuration)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    sentences = started.stdout.splitlines()
    assert [sentence.split(",")[0] for sentence in sentences] == [f"algorithms names {name}" for name in ALGORITHMS]
    assert all("can't verify" in sentence and "OPENSSL_CONF" in sentence for sentence in sentences)
    assert started.stderr == ""
