"""What is known of mutants that no test kills: ``survivors.toml`` says of each of them why."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).parent / "survivors.toml"


class Mutant(NamedTuple):
    """One change to one function, told by its text: line numbers move."""

    file: str
    function: str
    line: str
    """What stands in the source, without the space around it; several lines are joined by a space."""
    becomes: str

    def __str__(self) -> str:
        return f"{self.file}, {self.function}:\n    {self.line}\n -> {self.becomes}"


def explained(path: Path = LIST) -> dict[Mutant, str]:
    """The survivors of the list, and why each of them may live."""
    entries = tomllib.loads(path.read_text("utf-8")).get("survivor", [])
    return {Mutant(**{name: entry[name] for name in Mutant._fields}): entry["why"] for entry in entries}


def mutant_of(name: str, file: str, diff: str) -> Mutant:
    """Read mutmut's name of a mutant (``package.module.xǁClassǁmethod__mutmut_1``) and its unified diff."""
    function = name.rpartition(".")[2].partition("__mutmut_")[0]
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Mutant(file, function.removeprefix("xǁ").removeprefix("x_").replace("ǁ", "."), before, after)


def faults(survivors: set[Mutant], known: Mapping[Mutant, str]) -> list[str]:
    """What is wrong with a run: a survivor that nothing explains, an explanation of a mutant that is dead or gone."""
    return [f"survived: {mutant}" for mutant in sorted(survivors - known.keys())] + [
        f"explained, but killed or gone: {mutant}" for mutant in sorted(known.keys() - survivors)
    ]
