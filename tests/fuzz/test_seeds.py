"""Every seed of the fuzzer, once, without the fuzzer: what was ever found is among them."""

from collections import Counter
from pathlib import Path

import pytest

from resource_server.refusals import Kind
from tests.fuzz import answers, oracle
from tests.fuzz.targets import TARGETS
from tests.fuzz.tokens import MINT, good_token, mutate

SEEDS = sorted((Path(__file__).parent / "seeds").glob("*/*"))


@pytest.mark.parametrize("seed", [pytest.param(path, id=f"{path.parent.name}-{path.name}") for path in SEEDS])
def test_no_seed_is_a_finding(seed: Path) -> None:
    """Threats, "How it is shown"."""
    TARGETS[seed.parent.name].check(seed.read_bytes())


def test_every_target_has_seeds_and_every_seed_a_target() -> None:
    """Threats, "How it is shown": our own parsers, one by one."""
    assert {path.parent.name for path in SEEDS} == set(TARGETS)


@pytest.mark.parametrize("key", [pytest.param(key, id=key.algorithm) for key in MINT.keys])
def test_the_oracle_sees_good_tokens_accepted(key: object) -> None:
    """An oracle that sees refusals alone shows nothing."""
    token = next(good_token(known) for known in MINT.keys if known is key)
    assert oracle.read_by_us(token) == oracle.read_by_joserfc(token)
    assert oracle.read_by_us(token) is not None


def test_two_thousand_mutations_find_nobody_laxer_than_both_peers() -> None:
    """Threats, "How it is shown": we accept, both refuse, is red."""
    before = oracle.VERDICTS.copy()
    tokens = [good_token(key) for key in MINT.keys]
    for seed in range(2000):
        oracle.check_verdicts(mutate(tokens[seed % 3], 4096, seed))
    seen = oracle.VERDICTS - before
    assert seen["refused"] > 1500
    assert seen["accepted, as by PyJWT and joserfc"] > 50


def test_mutated_answers_are_granted_refused_and_nonsense() -> None:
    """A target that sees one outcome alone shows nothing."""
    for template, change, judge in (
        (answers.plain_answer(), answers.mutate, answers.judge_plain),
        (answers.signed_answer(), answers.mutate_signed, answers.judge_signed),
    ):
        found = Counter(judge(change(template, 8192, seed)) for seed in range(400))
        assert min(found[Kind.REVOKED], found[Kind.ISSUER_UNAVAILABLE], found[Kind.WRONG_TOKEN_TYPE]) > 0
        assert found[None] > 20
