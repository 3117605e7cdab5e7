"""The fault matrix: every fault made to the real program, under its supervisor, on a real display.

    python tests/fault_matrix.py [--json FILE] [--only WORD] [--table FILE.md]

For each: how it is made, for how long the picture stood still (seen from outside, on the X
server's screen), for how long portraits were gone, what was lost of the river, how often the show
was started again. Some ten minutes on two cores. What nobody caught is counted in all that was
written; exit status 1 if there was any, or a show was not well.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from faults import FAULTS
from stage import Stage, staged
from supervised import alive
from uncaught import Found


@dataclass
class Outcome:
    """What one fault did. Times in seconds; lost_s: of the river's own time. load: of the
    computer, over the minute before the end. uncaught: exceptions that nobody caught."""

    fault: str
    made: str
    still_s: float
    portraits_s: float
    restarts: int
    lost_s: float
    stayed_well: bool
    load: float
    uncaught: int


def outcome(name: str, stage: Stage) -> Outcome:
    """Make one fault and watch."""
    made, make, seconds = FAULTS[name]
    usual = stage.settle()
    before, log_before, found = stage.show, stage.restarts(), len(stage.found().uncaught)
    flowed_s, since_s = stage.flowed_s(), time.monotonic()
    make(stage)
    time.sleep(max(0.0, since_s + seconds - time.monotonic()))
    until_s = time.monotonic()
    well = stage.watched.feeds()
    lost_s = (until_s - since_s) - (stage.flowed_s() - flowed_s)
    return Outcome(
        name, made, round(stage.seen.stood_still_s(since_s), 2),
        round(stage.seen.portraits_gone_s(since_s, usual), 2),
        max(stage.restarts() - log_before, int(stage.show != before)), round(max(0.0, lost_s), 1),
        well and alive(stage.show), round(os.getloadavg()[0], 1),
        len(stage.found().uncaught) - found,
    )  # fmt: skip


#: Many faults in a row, or other windows on the same display: only the worst standstill counts.
MANY = ("killed fifty times", "told to end at any moment")


def table(outcomes: list[Outcome]) -> str:
    """As Markdown."""
    lines = ["| fault | how it is made | picture stood still | portraits gone for | restarts "
             "| river's time lost |", "|---|---|---:|---:|---:|---:|"]  # fmt: skip
    for each in outcomes:
        back, lost = f"{each.portraits_s:.1f} s", f"{each.lost_s:.1f} s"
        if each.fault in MANY:
            back = lost = "-"
        well = "" if each.stayed_well else ", **not well**"
        lines.append(
            f"| {each.fault} | {each.made} | {each.still_s:.1f} s | {back} | {each.restarts}{well} "
            f"| {lost} |"
        )
    return "\n".join(lines) + "\n"


def all_of_them(only: str) -> tuple[list[Outcome], Found]:
    """Every fault whose name has something of a regular expression; what nobody caught."""
    outcomes = []
    with staged() as stage:
        for name in FAULTS:
            if re.search(only, name):
                outcomes.append(outcome(name, stage))
                print(outcomes[-1], flush=True)
        found = stage.found()
        if found.uncaught:
            print(stage.said(), file=sys.stderr)
    return outcomes, found


def told(outcomes: list[Outcome], found: Found) -> str:
    """The table, and below it how it was measured."""
    loads = sorted(each.load for each in outcomes)
    return (
        f"{table(outcomes)}\nLoad of the computer while it was measured: {loads[0]} to {loads[-1]}"
        f" on {os.cpu_count()} cores, median {loads[len(loads) // 2]}. Exceptions that nobody"
        f" caught, in all logs: {len(found.uncaught)}; caught, and told with their trace:"
        f" {found.caught}; shows that were asked where they stood: {found.aborted}.\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--only", default="", help="a regular expression")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # nothing is left behind
    outcomes, found = all_of_them(asked.only)
    print(told(outcomes, found), *found.uncaught, sep="\n")
    if asked.table:
        asked.table.write_text(told(outcomes, found), encoding="utf-8")
    if asked.json:
        rows = [asdict(each) for each in outcomes]
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 1 if found.uncaught or not all(each.stayed_well for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
