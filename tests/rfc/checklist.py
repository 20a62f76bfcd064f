"""The demands of the RFCs, and which tests stand for them."""

import importlib
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Requirement:
    """One demand. ``by_design`` or ``not_applicable`` says why it has no test, ``remark`` how far its tests go."""

    id: str
    level: str
    source: str
    requirement: str
    profile: str
    by_design: str = ""
    not_applicable: str = ""
    remark: str = ""

    @property
    def is_must(self) -> bool:
        """Whether it binds: MUST, MUST NOT, by a ruling of ours or only in part."""
        return "MUST" in self.level

    @property
    def in_a_name(self) -> str:
        """The id as the beginning of a test's name."""
        return "test_" + re.sub(r"[^a-z0-9]+", "_", self.id.lower()) + "_"


@dataclass(frozen=True, slots=True)
class Standing:
    """A test that bears a marker."""

    name: str
    file: str
    id: str


def requirement(of: str) -> Callable[[Any], Any]:
    """Mark a test as standing for a demand."""
    return pytest.mark.requirement(of)


def requirements() -> dict[str, Requirement]:
    """All demands, by id, in the order of the file."""
    read = tomllib.loads((HERE / "requirements.toml").read_text("utf-8"))["requirement"]
    return {members["id"]: Requirement(**members) for members in read}


def standing() -> list[Standing]:
    """All marked tests of this folder, by file and then in the order of its lines."""
    return [test for path in sorted(HERE.glob("test_*.py")) for test in _marked(path.stem)]


def _marked(module: str) -> Iterator[Standing]:
    for name, value in vars(importlib.import_module(f"tests.rfc.{module}")).items():
        for mark in getattr(value, "pytestmark", ()):
            if name.startswith("test_") and mark.name == "requirement":
                yield Standing(name, f"{module}.py", mark.args[0])
