"""``doctor``: asks every configured issuer, and says what is wrong and what to change."""

import asyncio
import contextlib
import logging
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import typer

from resource_server.check import Check
from resource_server.commands.output import OK, REFUSED, UNREACHABLE, print_json, printable
from resource_server.diagnosis import Diagnosis, Outcome, Spelling, diagnose
from resource_server.issuers.fetch import Fetch
from resource_server.issuers.issuer import Issuer
from resource_server.issuers.trusted_issuers import MAX_FETCHES
from resource_server.settings import Settings

WIDTH: Final = 120
"""Columns of a line."""


def run(settings: Settings, *, strict: bool, as_json: bool, fetch: Fetch | None = None) -> int:
    """Examine all issuers at once, print in their order, and answer the exit code.

    0 all is fine; 1 something is wrong, or with ``strict`` there is a warning; 3 nothing is wrong but that an issuer
    can't be reached. Raises :class:`ConfigurationError` where ``serve`` would not start.
    """
    _check_start(settings)
    diagnoses = asyncio.run(_examine(settings.issuers_trusted(), fetch, tables=bool(settings.issuers), as_json=as_json))
    status = exit_code(diagnoses, strict=strict)
    if as_json:
        print_json({"status": status, "issuers": [one.as_json() for one in diagnoses]})
    elif len(diagnoses) > 1:
        typer.echo(_summary(diagnoses))
    return status


def exit_code(diagnoses: Sequence[Diagnosis], *, strict: bool = False) -> int:
    """What the worst of them means to a script; what is wrong weighs more than what may be fine in a minute."""
    outcomes = {one.outcome for one in diagnoses}
    warned = any(check.warning for one in diagnoses for check in one.checks)
    if Outcome.WRONG in outcomes or (strict and warned):
        return REFUSED
    return UNREACHABLE if Outcome.UNREACHABLE in outcomes else OK


def _check_start(settings: Settings) -> None:
    """Find out what contradicts itself, before anybody is asked."""
    with _quiet():
        settings.resource_server()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What a server would log of its issuers, the diagnoses say."""
    log = logging.getLogger("resource_server.issuers")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(before)


async def _examine(issuers: Sequence[Issuer], fetch: Fetch | None, *, tables: bool, as_json: bool) -> list[Diagnosis]:
    slots = asyncio.Semaphore(MAX_FETCHES)
    progress = Progress(len(issuers))

    async def examine(number: int, issuer: Issuer) -> Diagnosis:
        async with slots:
            spelling = Spelling(number if tables else None)
            diagnosis = await diagnose(issuer, alone=len(issuers) == 1, spelling=spelling, fetch=fetch)
        progress.one_more()
        return diagnosis

    with _quiet():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(examine(number, issuer)) for number, issuer in enumerate(issuers, 1)]
            diagnoses = []
            for task in tasks:
                diagnoses.append(await task)
                if not as_json:
                    progress.clear()
                    typer.echo(render(diagnoses[-1]))
    progress.clear()
    return diagnoses


class Progress:
    """How many issuers have been examined, on standard error and for a terminal alone."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._shown = sys.stderr.isatty()
        self._say()

    def one_more(self) -> None:
        """Count one."""
        self._done += 1
        self._say()

    def clear(self) -> None:
        """Make room for a line."""
        if self._shown:
            typer.echo("\r\x1b[K", nl=False, err=True)

    def _say(self) -> None:
        if self._shown and self._done < self._total:
            typer.echo(f"\r\x1b[K{self._done} of {self._total} issuers examined …", nl=False, err=True)


def render(diagnosis: Diagnosis) -> str:
    """One line a check; below one that warns or fails, what was expected and the cure."""
    lines = [printable(diagnosis.issuer), *(line for check in diagnosis.checks for line in _lines(check))]
    return "\n".join([*lines, f"  => {_end(diagnosis)}", ""])


def _lines(check: Check) -> Iterator[str]:
    mark = "✘" if not check.passed else "!" if check.warning else "✔"
    plain = mark == "✔"
    yield from _wrapped(f"  {mark} {check.name:<13} {'' if plain else 'found:    '}", check.found, 18 if plain else 28)
    if check.expected:
        yield from _wrapped(f"{'':18}expected: ", check.expected, 28)
    if check.cure:
        yield from _wrapped(f"{'':18}fix:      ", check.cure, 28)


def _wrapped(label: str, text: str, margin: int) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=label,
        subsequent_indent=" " * margin,
        break_long_words=False,  # what can be pasted stays in one piece
        break_on_hyphens=False,
    )


def _end(diagnosis: Diagnosis) -> str:
    wrong = sum(not check.passed for check in diagnosis.checks)
    warnings = sum(check.warning for check in diagnosis.checks)
    told = [f"{wrong} wrong"] if wrong else []
    told += [f"{warnings} warning{'s' if warnings > 1 else ''}"] if warnings else []
    unreachable = "; it can't be reached" if diagnosis.outcome is Outcome.UNREACHABLE else ""
    return (", ".join(told) or "all is well") + unreachable


def _summary(diagnoses: Sequence[Diagnosis]) -> str:
    well = sum(one.outcome in (Outcome.FINE, Outcome.WARNING) for one in diagnoses)
    return f"{well} of {len(diagnoses)} issuers are usable"
