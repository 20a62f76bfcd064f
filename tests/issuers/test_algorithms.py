import pytest

from resource_server.issuers import algorithms
from resource_server.issuers.algorithms import ALGORITHMS


def test_the_table_holds_asymmetric_algorithms_with_their_key_and_curve() -> None:
    """T16, RS-7518-3.1-a: one row for each, and the only way to the library's algorithm objects."""
    assert {name: (row.name, row.key_type, row.curve) for name, row in ALGORITHMS.items()} == {
        "RS256": ("RS256", "RSA", None),
        "RS384": ("RS384", "RSA", None),
        "RS512": ("RS512", "RSA", None),
        "PS256": ("PS256", "RSA", None),
        "PS384": ("PS384", "RSA", None),
        "PS512": ("PS512", "RSA", None),
        "ES256": ("ES256", "EC", "P-256"),
        "ES384": ("ES384", "EC", "P-384"),
        "ES512": ("ES512", "EC", "P-521"),
        "Ed25519": ("Ed25519", "OKP", "Ed25519"),
        "EdDSA": ("EdDSA", "OKP", "Ed25519"),
    }


def test_the_default_is_what_is_cheap_to_refuse() -> None:
    """T17."""
    assert algorithms.DEFAULT == ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")


@pytest.mark.parametrize(
    "name",
    [
        "none", "None", "noNE", "NONE", "", "HS256", "HS384", "HS512", "ES256K", "Ed448", "rs256", "RS256 ", "es256",
        "RSA-OAEP", "dir", "A128GCM", "PBES2-HS256+A128KW", "RS1", "*",
    ],
)  # fmt: skip
def test_an_algorithm_outside_of_the_table_is_refused_at_construction(name: str) -> None:
    """RS-7518-3.1-a, RS-7518-3.6-a, CVE-2024-37568: compared to the letter, and named in the sentence."""
    with pytest.raises(ValueError, match="choose from RS256") as caught:
        algorithms.check(["RS256", name])
    assert f"must not name {name!r}" in str(caught.value)


@pytest.mark.parametrize("names", [[], (), "RS256"], ids=repr)
def test_an_empty_list_or_a_bare_text_is_refused(names: list[str]) -> None:
    """Design §3: an empty algorithm list fails at construction; a text is no list, though it has members."""
    with pytest.raises(ValueError, match="must be a list of at least one of RS256"):
        algorithms.check(names)


def test_a_name_that_occurs_twice_counts_once() -> None:
    """Design §5: the order is the operator's."""
    assert algorithms.check(["ES256", "RS256", "ES256"]) == ("ES256", "RS256")
