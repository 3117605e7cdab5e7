"""The soak: the real program under its supervisor, with faults drawn by lot, for as long as asked.

    python tests/soak.py --minutes 60 [--seed 1] [--json out/soak.json]

Two parts at once. The first is the show as a visitor sees it, on a display, with a camera on the
network: every half minute or so a fault is drawn by lot from the fault matrix. The second is
``month``: the same program on a fast clock, without a screen, whose memory is followed; what it
does not cover stands there.

The report says for how long the picture stood still, what was started again, how memory grew, and
what nobody caught. Exit status 1 if any bar fell.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fault_matrix import Outcome, outcome
from faults import FAULTS
from month import GROWS_MB, SPEED, Month, opened
from stage import staged

#: The picture may not stand still for longer, seconds.
STILL_S = 5.0
#: Drawn less often: they take long.
LONG = {
    "killed fifty times": 0.0,
    "told to end at any moment": 0.1,
    "FaceMesh hangs": 0.4,
    "memory over the ceiling": 0.4,
}
#: The month runs beside a show that is watched: at half of its own speed.
BESIDE = SPEED / 2


@contextmanager
def tended(month: Month) -> Iterator[None]:
    """Ask, tell and measure from a thread, for the time of a block."""
    ended = threading.Event()

    def tend() -> None:
        while not ended.wait(0.1):
            month.tend()

    thread = threading.Thread(target=tend, name="month")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def soak(minutes: float, seed: int) -> dict[str, Any]:
    """Both parts; the report."""
    lot, end_s = random.Random(seed), time.monotonic() + 60 * minutes
    names = list(FAULTS)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), BESIDE) as month:
        with staged() as stage, tended(month):
            while time.monotonic() < end_s or not outcomes:
                name = lot.choices(names, [LONG.get(each, 1.0) for each in names])[0]
                outcomes.append(outcome(name, stage))
                print(f"{outcomes[-1].fault}: still {outcomes[-1].still_s} s", flush=True)
                time.sleep(min(lot.uniform(0, 10), max(0.0, end_s - time.monotonic())))
            found = stage.found()
        return {
            "minutes": minutes, "seed": seed, "faults": len(outcomes),
            "longest_still_s": max(each.still_s for each in outcomes),
            "restarts": sum(each.restarts for each in outcomes),
            "not_well": [each.fault for each in outcomes if not each.stayed_well],
            "uncaught": found.uncaught, "caught": found.caught, "aborted": found.aborted,
            "month": month.told(),
            "outcomes": [asdict(each) for each in outcomes],
        }  # fmt: skip


def fallen(told: dict[str, Any]) -> list[str]:
    """The bars that fell, in words."""
    month = told["month"]
    bars = {
        f"the picture stood still for more than {STILL_S:g} s": told["longest_still_s"] > STILL_S,
        "a show was not well afterwards": bool(told["not_well"]),
        "something was not caught": bool(told["uncaught"] or month["uncaught"]),
        "the show on the fast clock ended badly": bool(month["status"]),
        f"memory grows by more than {GROWS_MB:g} MB an hour of the piece":
            not month["mb_an_hour_of_the_piece"][0] < GROWS_MB,
    }  # fmt: skip
    return [words for words, fell in bars.items() if fell]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # nothing is left behind
    told = soak(asked.minutes, asked.seed)
    told["bars_that_fell"] = fallen(told)
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    del told["outcomes"]
    print(json.dumps(told, indent=1))
    return 1 if told["bars_that_fell"] else 0


if __name__ == "__main__":
    sys.exit(main())
