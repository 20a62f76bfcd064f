"""The checklist is whole: each demand has its tests, each test its demand, and the page says so."""

import tomllib
from collections import Counter

import pytest

from tests.rfc.checklist import HERE, Requirement, requirements, standing
from tests.rfc.report import PAGE, render, state

DEMANDS = requirements()
TESTED = {test.id for test in standing()}


@pytest.mark.parametrize("demand", [pytest.param(one, id=one.id) for one in DEMANDS.values() if one.is_must])
def test_each_must_has_a_test_or_a_written_reason(demand: Requirement) -> None:
    """Levels that begin with MUST, or with MAY where the MUST is about the how."""
    assert state(demand, [test for test in standing() if test.id == demand.id]) != "missing"


def test_each_marker_names_a_demand() -> None:
    """A mistyped id would leave a demand without its test."""
    assert TESTED - DEMANDS.keys() == set()


def test_each_tests_name_begins_with_its_id() -> None:
    """So that a failure names what is broken."""
    assert [test.name for test in standing() if not test.name.startswith(DEMANDS[test.id].in_a_name)] == []


def test_each_test_here_stands_for_a_demand() -> None:
    """All but those of this file."""
    marked = {test.name for test in standing()}
    written = {
        line.partition("def ")[2].partition("(")[0]
        for path in HERE.glob("test_*.py")
        if path.name != "test_checklist.py"
        for line in path.read_text("utf-8").splitlines()
        if line.startswith(("def test_", "async def test_"))
    }
    assert written == marked


def test_no_id_and_no_name_occurs_twice() -> None:
    """The later one would hide the earlier one."""
    written = tomllib.loads((HERE / "requirements.toml").read_text("utf-8"))["requirement"]
    assert [one for one, times in Counter(members["id"] for members in written).items() if times > 1] == []
    assert [one for one, times in Counter(test.name for test in standing()).items() if times > 1] == []


def test_a_demand_that_is_tested_has_no_excuse() -> None:
    """A reason that outlived its cause."""
    excused = {one.id for one in DEMANDS.values() if one.by_design or one.not_applicable}
    assert excused & TESTED == set()
    assert {one.id for one in DEMANDS.values() if one.remark} - TESTED == set()


def test_the_page_is_up_to_date() -> None:
    """``python -m tests.rfc.report`` writes it anew."""
    assert PAGE.read_text("utf-8") == render()
