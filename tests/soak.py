"""The soak: the real program under its supervisor, with faults drawn by lot, for as long as asked.

    python tests/soak.py --minutes 60 [--seed 1] [--json out/soak.json]

Two parts at once. The first is the show as a visitor sees it, on a display, with a camera on the
network: every half minute or so a fault is drawn by lot from the fault matrix. The second runs the
same program on a clock ten times as fast, without a screen: visits of days, in an hour, whose
memory is followed. Not covered by the fast clock: the camera, FaceMesh, the driver of a display,
and whatever a computer does only once a day.

The report says for how long the picture stood still, what was started again, how much memory a
visit costs, and whether the log holds anything that nobody caught. Exit status 1 if any bar fell.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from fault_matrix import Outcome, outcome
from faults import FAULTS
from stage import staged

HERE = Path(__file__).resolve().parent
#: The picture may not stand still for longer, seconds; memory may not grow by more, MB an hour of
#: the piece, nor by more in a month of visits.
STILL_S, GROWS_MB = 5.0, 1.0
#: How much faster than real the second part runs (one that a machine cannot keep up with never
#: comes back from its sitters), and visits a month there may be.
SPEED, VISITS_A_MONTH = 10.0, 30 * 400
#: Drawn less often: they take long.
LONG = {
    "killed fifty times": 0.0,
    "told to end at any moment": 0.1,
    "FaceMesh hangs": 0.4,
    "memory over the ceiling": 0.4,
}


class Fast:
    """The program on a fast clock: synthetic sitters come and go, and its memory is measured."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        session = folder / "visits.mcap"
        subprocess.run(
            [sys.executable, "-m", "mirror", "session", "synthesise", "--out", str(session),
             "--seconds", "600", "--rate", "6"], check=True, cwd=HERE.parent, capture_output=True,
        )  # fmt: skip
        self._report = folder / "fast.json"
        self._process = subprocess.Popen(
            ["nice", sys.executable, "-m", "mirror", "replay", str(session), "--loop",
             "--speed", str(SPEED), "--screen", "offscreen", "--size", "96x54",
             "--report", str(self._report)],
            cwd=HERE.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.callback(self._stop)
        self._began_s = time.monotonic()
        self.measured: list[tuple[float, float]] = []

    def measure(self) -> None:
        """Note the memory that it holds now."""
        try:
            words = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()
        except OSError:
            return
        mb = int(words[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        self.measured.append((time.monotonic() - self._began_s, mb))

    def told(self) -> dict[str, Any]:
        """End it; how its memory grew."""
        self._stop()
        complaint = self._process.stderr.read() if self._process.stderr else ""
        visits = 0
        if self._report.exists():
            visits = json.loads(self._report.read_text(encoding="utf-8"))["visits_total"]
        # The first third is the start: models, caches and the first of everything.
        settled = [m for m in self.measured if m[0] > self.measured[-1][0] / 3]
        seconds, mb = np.array(settled).T
        slope = float(np.polyfit(seconds, mb, 1)[0]) if len(settled) > 2 else float("nan")
        visits_s = visits / max(self.measured[-1][0], 1e-6)
        a_visit = slope / visits_s if visits_s else float("nan")
        return {
            "speed": SPEED, "visits": visits,
            "piece_hours": round(self.measured[-1][0] * SPEED / 3600, 2),
            "rss_mb": [round(mb[0], 1), round(mb[-1], 1)],
            "mb_an_hour_of_the_piece": round(slope * 3600 / SPEED, 3),
            "mb_a_month_of_visits": round(a_visit * VISITS_A_MONTH, 1),
            "uncaught": "Traceback" in complaint,
        }  # fmt: skip

    def _stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:  # then there is no report, and the bar has fallen
                self._process.kill()
                self._process.wait()


def soak(minutes: float, seed: int) -> dict[str, Any]:
    """Both parts; the report."""
    lot, end_s = random.Random(seed), time.monotonic() + 60 * minutes
    names = list(FAULTS)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack, staged() as stage:
        fast = Fast(Path(folder), stack)
        while time.monotonic() < end_s or not outcomes:
            name = lot.choices(names, [LONG.get(each, 1.0) for each in names])[0]
            outcomes.append(outcome(name, stage))
            fast.measure()
            print(f"{outcomes[-1].fault}: still {outcomes[-1].still_s} s", flush=True)
            quiet_s = min(lot.uniform(0, 10), max(0.0, end_s - time.monotonic()))
            time.sleep(quiet_s)
            fast.measure()
        said = stage.watched.said()
        return {
            "minutes": minutes, "seed": seed, "faults": len(outcomes),
            "longest_still_s": max(each.still_s for each in outcomes),
            "restarts": sum(each.restarts for each in outcomes),
            "not_well": [each.fault for each in outcomes if not each.stayed_well],
            "uncaught": said.count("Traceback (most recent call last)"),
            "fast_clock": fast.told(),
            "outcomes": [asdict(each) for each in outcomes],
        }  # fmt: skip


def fallen(told: dict[str, Any]) -> list[str]:
    """The bars that fell, in words."""
    fast = told["fast_clock"]
    bars = {
        f"the picture stood still for more than {STILL_S:g} s": told["longest_still_s"] > STILL_S,
        "a show was not well afterwards": bool(told["not_well"]),
        "something was not caught": told["uncaught"] > 0 or fast["uncaught"],
        f"memory grows by more than {GROWS_MB:g} MB an hour of the piece":
            not fast["mb_an_hour_of_the_piece"] < GROWS_MB,
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
