"""What the calibration says of a site: one ``Verdict`` a line, a table of them, an exit status.

Verdicts come in from the steps; a table, JSON and the exit status go out. Every limit stands beside
what was found, so that whoever reads it may judge otherwise.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mirror.errors import SettingsError
from mirror.report import write_json

PASS, WARN, FAIL, OPEN = "pass", "warn", "fail", "not measured"
STYLES = {PASS: "green", WARN: "yellow", FAIL: "bold red", OPEN: "dim"}
#: Exit status: fit for visitors; not fit; something was never measured, the rest is well. (2 is
#: for bad input, as everywhere.)
GOOD, BAD, UNKNOWN = 0, 1, 3
#: Where nobody watches a terminal, lines are so long.
WIDTH = 132


@dataclass(frozen=True)
class Verdict:
    """One thing that was looked at.

    key: for programs, for example 'camera.rate'. state: 'pass', 'warn', 'fail' or 'not measured'.
    found: in words. limit: what passes, in words. advice: what to do, "" where all is well.
    value: what was measured, for programs.
    """

    key: str
    state: str
    found: str
    limit: str = ""
    advice: str = ""
    value: float | str | None = None


def judged(
    key: str,
    value: float,
    found: str,
    passes: tuple[float, float],
    bears: tuple[float, float],
    limit: str,
    low: str,
    high: str = "",
) -> Verdict:
    """A number against two ranges: within ``passes`` it passes, within ``bears`` it warns.

    low, high: the advice for a number below and above ``passes``.
    """
    state = PASS if _in(value, passes) else WARN if _in(value, bears) else FAIL
    advice = "" if state == PASS else low if value < passes[0] else high
    return Verdict(key, state, found, limit, advice, round(value, 4))


def status(verdicts: Iterable[Verdict]) -> int:
    """The exit status that a set of verdicts comes to."""
    states = {each.state for each in verdicts}
    return BAD if FAIL in states else UNKNOWN if OPEN in states else GOOD


def told(verdicts: Sequence[Verdict], **more: Any) -> dict[str, Any]:
    """For programs: the result, the verdicts and whatever else is to be said."""
    result = {GOOD: PASS, BAD: FAIL, UNKNOWN: OPEN}[status(verdicts)]
    return {"result": result, **more, "verdicts": [asdict(each) for each in verdicts]}


def write_told(path: Path | None, verdicts: Sequence[Verdict], **more: Any) -> None:
    """Write the verdicts as JSON: to a file, or for ``-`` to standard output."""
    if path is not None and str(path) == "-":
        sys.stdout.write(json.dumps(told(verdicts, **more), indent=2, ensure_ascii=False) + "\n")
    elif path is not None:
        write_json(path, told(verdicts, **more))


def check_json(path: Path | None) -> None:
    """Hold ``--json`` to a place that can be written, before anything is measured."""
    if path is None or str(path) == "-":
        return
    if path.is_dir() or not path.parent.is_dir():
        raise SettingsError("--json", str(path), "a file in an existing folder", "--json -")


def screen(quiet: bool = False) -> Console:
    """Where tables and questions go; to nobody's eyes where JSON goes to standard output."""
    console = Console(stderr=quiet, highlight=False)
    if not console.is_terminal:
        console = Console(stderr=quiet, highlight=False, width=WIDTH)
    return console


def show(console: Console, title: str, verdicts: Sequence[Verdict]) -> None:
    """Print a table of verdicts, and below it what to do, the worst first."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in ("", "what", "found", "limit"):
        table.add_column(name, overflow="fold")
    for each in verdicts:
        mark = Text(each.state, style=STYLES[each.state])
        table.add_row(mark, Text(each.key), Text(each.found), Text(each.limit, style="dim"))
    console.print(table)
    for state in (FAIL, WARN, OPEN):
        advices: dict[str, list[str]] = {}
        for each in verdicts:
            if each.state == state and each.advice:
                advices.setdefault(each.advice, []).append(each.key)
        for advice, keys in advices.items():
            line = Text("  ->  ").append(f"{', '.join(keys)}: ", style=STYLES[state])
            console.print(line.append(advice))


def _in(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]
