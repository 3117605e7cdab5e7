"""``calibrate latency``: glass to glass in milliseconds, and where they go.

Wishes come in from flags; verdicts go out, and the site file keeps the two numbers that count.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from calibration.asking import Asker
from calibration.latency import Flashes, watch_flashes
from calibration.onlooker import Onlooker
from calibration.site_file import begin_site, change_site
from calibration.verdicts import OPEN, PASS, Verdict, judged, show
from mirror.clock import utc_now
from mirror.errors import SourceError
from mirror.options import with_source
from mirror.screen.chart import Chart
from mirror.site.keystone import Doubles
from mirror.site.site import site_path

#: Half of the movements must be answered so soon, 95 % of them so soon; and what can be borne.
P50_MS, P95_MS = (150.0, 300.0), (220.0, 450.0)
LOST = 0.05
#: The piece must have drawn so many pictures, and should answer so soon.
LEAST_PICTURES, ECHO_MS = 10, (250.0, 450.0)
#: Starting takes of its time what it takes: where that leaves nothing, it runs so much longer.
LONGER = (1.0, 2.0, 4.0)


def calibrate_latency(
    site: str, source: str, flashes: int, window: bool, piece_s: float, asker: Asker,
    operator: str = "", save: bool = True,
) -> list[Verdict]:  # fmt: skip
    """Do the whole step; raises MirrorError for what cannot be done at all.

    piece_s: run the piece for so long too, for what it adds; 0: do not.
    """
    before = begin_site(site)
    if not source:
        source = asker.line(
            "The address of a camera that sees the screen; empty: the site's own", ""
        )
    source = source or before.camera.source
    asker.ready("Turn the camera so that it sees the whole screen")
    screen = dataclasses.replace(before.screen, full_screen=not window)
    asker.say(f"{flashes} codes on the screen ...")
    with (
        Onlooker(source, with_source(before.camera, source)) as onlooker,
        Chart("window", (screen.width_px, screen.height_px), screen) as chart,
    ):
        found = watch_flashes(chart, onlooker, flashes, lambda _: None)
    verdicts = latency_verdicts(found)
    if piece_s:
        asker.say(f"The piece itself, for {piece_s:g} s.")
        verdicts += piece_verdicts(found, run_piece(site, source, piece_s))
    show(asker.console, f"latency of {site}", verdicts)
    if save:
        p50_ms, p95_ms = percentiles_ms(found.total_s)
        measured = {
            "latency_at": utc_now().isoformat(timespec="seconds"),
            "latency_p50_ms": round(p50_ms, 1),
            "latency_p95_ms": round(p95_ms, 1),
        }
        change_site(site, {"measured": measured}, operator)
        asker.say(f"saved in the site {site}")
    return verdicts


def latency_verdicts(found: Flashes) -> list[Verdict]:
    """What is said of the flashes."""
    p50_ms, p95_ms = percentiles_ms(found.total_s)
    count = len(found.total_s) + found.lost
    verdicts = [
        judged(
            "latency.p50", p50_ms, f"{p50_ms:.0f} ms", (0, P50_MS[0]), (0, P50_MS[1]),
            f"{P50_MS[0]:.0f} ms", "", advice(found),
        ),
        judged(
            "latency.p95", p95_ms, f"{p95_ms:.0f} ms", (0, P95_MS[0]), (0, P95_MS[1]),
            f"{P95_MS[0]:.0f} ms", "", advice(found),
        ),
    ]  # fmt: skip
    words = {
        "draw": "drawing, handed to the screen",
        "travel": "screen, next picture of the camera, exposure, transfer",
        "decode": "decoding, in the program's hand",
    }
    for name, meaning in words.items():
        spent = percentiles_ms(getattr(found, f"{name}_s"))
        told = f"{spent[0]:.0f} ms, 95 %: {spent[1]:.0f} ms"
        verdicts.append(Verdict(f"latency.{name}", "pass", told, meaning, value=round(spent[0], 1)))
    interval_ms = 1000 * found.interval_s
    verdicts.append(Verdict(
        "latency.wait", "pass", f"{interval_ms / 2:.0f} ms of the travel",
        f"half of the {interval_ms:.0f} ms between two pictures", value=round(interval_ms / 2, 1),
    ))  # fmt: skip
    verdicts.append(judged(
        "latency.lost", found.lost / count, f"{found.lost} of {count} codes", (0, LOST),
        (0, 4 * LOST), f"{LOST:.0%}", "", "less light in the room, or a nearer camera",
    ))  # fmt: skip
    return verdicts


def run_piece(site: str, source: str, seconds: float) -> dict[str, Any]:
    """Run the piece as it will run, and take its report; raises SourceError when it does not.

    Where no picture came to it, because it was still starting, it runs again for longer.
    """
    report = dict[str, Any]()
    for longer in LONGER:
        report = _run_piece(site, source, longer * seconds)
        if _answered(report):
            break
    return report


def _answered(report: dict[str, Any]) -> bool:
    """Whether the piece drew enough, and something that followed from a camera's picture."""
    return report["marker_to_photon_ms"]["p50"] is not None and report["frames"] >= LEAST_PICTURES


def _run_piece(site: str, source: str, seconds: float) -> dict[str, Any]:
    there = ["--site", site] if site_path(site).exists() else []
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        ran = subprocess.run(
            [sys.executable, "-m", "mirror", "run", *there, "--source", source, "--seconds",
             f"{seconds:g}", "--report", str(report)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ran.returncode or not report.exists():
            told = ran.stderr.strip().splitlines() or ["no report"]
            raise SourceError("calibrate latency", told[-1], "a piece that runs", "mirror doctor")
        return dict(json.loads(report.read_text()))


def piece_verdicts(found: Flashes, report: dict[str, Any]) -> list[Verdict]:
    """What the piece adds: from a picture in its hand to the drawing that follows from it."""
    own = report["marker_to_photon_ms"]
    if not _answered(report):
        return [Verdict("latency.piece", OPEN, "no picture came to the piece", "", "try again")]
    p50_ms = percentiles_ms(found.total_s)[0]
    return [
        Verdict("latency.piece", PASS, f"{own['p50']:.0f} ms, 95 %: {own['p95']:.0f} ms",
                "reading faces, river, drawing", value=own["p50"]),
        judged(
            "latency.echo", p50_ms + own["p50"], f"{p50_ms + own['p50']:.0f} ms from a movement "
            "to its answer", (0, ECHO_MS[0]), (0, ECHO_MS[1]), f"{ECHO_MS[0]:.0f} ms", "",
            "a smaller picture, a graphics card, or fewer sitters at once",
        ),
    ]  # fmt: skip


def advice(found: Flashes) -> str:
    """What takes longest, and what would shorten it."""
    wait_s = found.interval_s / 2
    parts = {
        "draw a smaller picture, or use a graphics card": float(np.median(found.draw_s)),
        "ask the camera for more pictures a second": wait_s,
        "a camera on USB instead of the network; a screen's game mode; a shorter exposure": float(
            np.median(found.travel_s)
        )
        - wait_s,
        "ask the camera for smaller pictures": float(np.median(found.decode_s)),
    }
    return max(parts, key=lambda part: parts[part])


def percentiles_ms(times_s: Doubles) -> tuple[float, float]:
    """Half of the times are less than the first, 95 % less than the second."""
    p50, p95 = np.percentile(times_s, (50, 95)) * 1000
    return float(p50), float(p95)
