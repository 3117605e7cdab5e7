"""`calibrate latency`, in a true loop: the delay that was put on must be found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loop import Optics, askew, loop

from calibration import latency_step
from calibration.board import draw_flash, find_flash
from calibration.latency import Flashes
from calibration.latency_step import advice, latency_verdicts
from calibration.verdicts import OPEN
from mirror.site.site import read_site

SIZE, RATE_HZ = (640, 360), 15.0

needs_x = pytest.mark.skipif(
    shutil.which("Xvfb") is None, reason="no X server to test with: apt-get install xvfb"
)


@needs_x
def test_the_delay_put_on_is_found_within_one_picture(tmp_path: Path, root: Path) -> None:
    optics = Optics(
        SIZE, SIZE, askew([(60, 30), (600, 10), (560, 340), (90, 310)], SIZE), k1=-0.2,
        focal_px=500, noise=4, gain=0.7,
    )  # fmt: skip
    site = tmp_path / "foyer.toml"
    with loop(SIZE, optics, RATE_HZ) as (display, camera):
        found = []
        for delay_s in (0.05, 0.3):
            camera.delay_s = delay_s
            camera.delays_s.clear()
            ran = subprocess.run(
                [sys.executable, "-m", "calibration", "latency", "--site", str(site), "--source",
                 camera.url, "--flashes", "12", "--json", "-"],
                cwd=root, env={**os.environ, "DISPLAY": display.name},
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert ran.returncode in (0, 1), ran.stderr
            told = {each["key"]: each["value"] for each in json.loads(ran.stdout)["verdicts"]}
            put_on_ms = 1000 * (float(np.median(camera.delays_s)) + 0.5 / RATE_HZ)
            assert abs(told["latency.p50"] - put_on_ms) < 1000 / RATE_HZ
            assert told["latency.p50"] <= told["latency.p95"]
            parts = [told[f"latency.{part}"] for part in ("draw", "travel", "decode")]
            assert sum(parts) == pytest.approx(told["latency.p50"], rel=0.3)
            assert told["latency.lost"] <= 0.2
            found.append(told["latency.p50"])
    assert abs(found[1] - found[0] - 250) < 1000 / RATE_HZ
    measured = read_site(str(site)).measured
    assert measured.latency_p50_ms == pytest.approx(found[1], abs=0.1)
    assert measured.latency_at


@pytest.mark.parametrize("number", [0, 7, 999])
def test_a_code_is_read_small_and_in_a_mirror(number: int) -> None:
    picture = draw_flash((160, 90), number)
    assert find_flash(picture) == number
    assert find_flash(np.ascontiguousarray(picture[:, ::-1])) == number
    assert find_flash(np.full_like(picture, 90)) is None


def test_one_code_is_as_bright_as_the_next() -> None:
    means = [draw_flash((160, 90), number).mean() for number in range(0, 1000, 50)]
    assert np.ptp(means) < 40


@needs_x
def test_what_the_piece_adds_is_measured_with_the_piece(tmp_path: Path, root: Path) -> None:
    site = tmp_path / "foyer.toml"
    site.write_text("[screen]\nwidth_px = 320\nheight_px = 180\n[river]\nparcels = 12\n")
    with loop(SIZE, Optics(SIZE, SIZE, noise=3), RATE_HZ) as (display, camera):
        ran = subprocess.run(
            [sys.executable, "-m", "calibration", "latency", "--site", str(site), "--source",
             camera.url, "--flashes", "5", "--window", "--piece", "5", "--json", "-"],
            cwd=root, env={**os.environ, "DISPLAY": display.name},
            capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
    assert ran.returncode in (0, 1), ran.stderr
    told = {each["key"]: each["value"] for each in json.loads(ran.stdout)["verdicts"]}
    assert told["latency.piece"] > 0
    total = told["latency.p50"] + told["latency.piece"]
    assert told["latency.echo"] == pytest.approx(total, abs=0.1)


def flashes(draw: float, travel: float, decode: float, interval: float, lost: int = 0) -> Flashes:
    return Flashes(*(np.full(20, each) for each in (draw, travel, decode)), lost, interval)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (flashes(0.5, 0.05, 0.01, 0.033), "smaller picture, or use a graphics card"),
        (flashes(0.01, 0.21, 0.01, 0.4), "more pictures a second"),
        (flashes(0.01, 0.5, 0.01, 0.033), "instead of the network"),
        (flashes(0.01, 0.05, 0.4, 0.033), "smaller pictures"),
    ],
)
def test_the_longest_part_gets_the_advice(found: Flashes, told: str) -> None:
    assert told in advice(found)


def test_verdicts_follow_the_limits() -> None:
    def states(found: Flashes) -> dict[str, str]:
        return {each.key: each.state for each in latency_verdicts(found)}

    assert set(states(flashes(0.02, 0.08, 0.01, 0.03)).values()) == {"pass"}
    slow = states(flashes(0.02, 0.2, 0.01, 0.03, lost=3))
    assert (slow["latency.p50"], slow["latency.p95"], slow["latency.lost"]) == ("warn",) * 3
    assert states(flashes(0.02, 2.0, 0.01, 0.03))["latency.p50"] == "fail"


def test_a_piece_that_was_still_starting_runs_again_for_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy machine the first seconds of a piece go by before its camera is open."""
    ran: list[float] = []

    def runs(starts_s: float) -> None:
        def run(site: str, source: str, seconds: float) -> dict[str, Any]:
            ran.append(seconds)
            p50 = 60.0 if seconds > starts_s else None
            return {"frames": 30.0 * seconds, "marker_to_photon_ms": {"p50": p50, "p95": p50}}

        ran.clear()
        monkeypatch.setattr(latency_step, "_run_piece", run)

    runs(starts_s=3.0)
    assert latency_step.run_piece("foyer", "0", 5.0)["marker_to_photon_ms"]["p50"] == 60.0
    assert ran == [5.0]
    runs(starts_s=7.0)
    assert latency_step.run_piece("foyer", "0", 5.0)["marker_to_photon_ms"]["p50"] == 60.0
    assert ran == [5.0, 10.0]
    runs(starts_s=1e9)
    report = latency_step.run_piece("foyer", "0", 5.0)
    assert ran == [5.0, 10.0, 20.0]
    (verdict,) = latency_step.piece_verdicts(flashes(0.01, 0.05, 0.01, 0.033), report)
    assert verdict.state == OPEN
