"""Fuzz one target in this process: ``python -m tests.fuzz.one NAME``, then libFuzzer's own arguments."""

import importlib
import logging
import random
import sys
from typing import Any

atheris: Any = importlib.import_module("atheris")  # by name, since it is not among the tools that check the types

with atheris.instrument_imports(include=["resource_server"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Run until libFuzzer ends the process; it exits with 77 after an exception."""
    logging.disable()  # or each new kind of nonsense is told on the terminal
    name, *arguments = sys.argv[1:]
    target = TARGETS[name]
    options: dict[str, Any] = {}
    if (mutate := target.mutate) is not None:

        def mutate_sometimes(data: bytes, max_size: int, seed: int) -> bytes:
            if random.Random(seed).random() < 0.25:
                changed: bytes = atheris.Mutate(data, max_size)
                return changed
            return mutate(data, max_size, seed)

        options["custom_mutator"] = mutate_sometimes
    atheris.Setup([name, f"-max_len={target.max_length}", *arguments], target.check, **options)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
