"""``make bench``: the cost of protection, as ratios within one run; writes docs/performance.md and its chart.

``make bench ARGS="tokens routes"`` runs some parts and only prints; ``--rounds 5`` makes it shorter, and coarser.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from tests.benchmarks import forgeries, growth, introspection, over_http, report, routes, startup, tokens
from tests.benchmarks.measuring import Pace
from tests.benchmarks.section import Section

PARTS: Final[Mapping[str, Callable[[int], list[Section]]]] = {
    "tokens": lambda rounds: tokens.measure(Pace(rounds, 0.005)),
    "forged": lambda rounds: forgeries.measure(Pace(rounds, 0.005)),
    "introspection": lambda rounds: introspection.measure(Pace(rounds, 0.02)),
    "routes": lambda rounds: routes.measure(Pace(rounds, 0.02)),
    "http": lambda rounds: over_http.measure(max(1, rounds // 5), 2),
    "growth": lambda rounds: growth.measure(Pace(rounds, 0.01)),
    "import": lambda rounds: startup.measure(rounds),
}


def main() -> None:
    """Run the chosen parts, show each as it ends, and write the page if all of them ran."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=21, help="how often everything is measured (default: 21)")
    chosen = parser.parse_args()
    if unknown := [part for part in chosen.parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    # The default observer does its work; what it writes of some hundred thousand forgeries is not for this terminal.
    logging.getLogger("resource_server.refusals").addHandler(logging.NullHandler())
    logging.getLogger("resource_server.refusals").propagate = False
    sections: list[Section] = []
    for part in chosen.parts or PARTS:
        began = time.monotonic()
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        found = PARTS[part](chosen.rounds)
        print(report.render(found), flush=True)
        print(f"… {part} took {time.monotonic() - began:.0f} s\n", file=sys.stderr, flush=True)
        sections += found
    if not chosen.parts:
        report.write(sections)
        print(f"written: {report.PAGE.name} and {report.CHART.name} in docs/", file=sys.stderr)


if __name__ == "__main__":
    main()
